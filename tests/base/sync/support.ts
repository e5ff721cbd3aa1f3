import type { SeededRandom } from "../../../src/base/mod.ts";
import { CountedAbort } from "../timer/support.ts";

/** Lets the reactions of settled promises run, and theirs in turn, without leaving this turn of the event loop. */
export async function flush(): Promise<void> {
  for (let tick = 0; tick < 20; tick++) await Promise.resolve();
}

/** What a call came to: nothing yet, a value, or a rejection. */
export type Outcome<T> = { state: "pending" } | { state: "ok"; value: T } | {
  state: "failed";
  reason: unknown;
};

/** Follows a promise, so that its outcome can be looked at without waiting. */
export class Followed<T> {
  outcome: Outcome<T> = { state: "pending" };

  constructor(promise: Promise<T>, onOk: (value: T) => void = () => {}) {
    promise.then((value) => {
      this.outcome = { state: "ok", value };
      onOk(value);
    }, (reason) => this.outcome = { state: "failed", reason });
  }
}

/** Listeners that `calls` have when they wait: one for each of their signals. */
export function expectedListenerCount(calls: readonly { readonly signal?: AbortSignal }[]): number {
  return new Set(calls.map(({ signal }) => signal).filter((signal) => signal !== undefined)).size;
}

/** A few signals that calls share; an aborted one is replaced, and must not have listeners left. */
export class SignalPool {
  readonly #random: SeededRandom;
  readonly #aborts = Array.from({ length: 3 }, () => new CountedAbort());

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** One of the signals, or none. */
  pick(): AbortSignal | undefined {
    const index = this.#random.below(this.#aborts.length + 1);
    return this.#aborts[index]?.signal;
  }

  /** Aborts one of the signals and gives it. */
  abortOne(): AbortSignal {
    const index = this.#random.below(this.#aborts.length);
    const abort = this.#aborts[index];
    this.#aborts[index] = new CountedAbort();
    abort.abort(new Error(`signal ${index}`));
    if (abort.listenerCount !== 0) throw new Error(`${abort.listenerCount} listeners left after the abort`);
    return abort.signal;
  }

  /** Listeners on the signals that have not aborted. */
  get listenerCount(): number {
    return this.#aborts.reduce((sum, abort) => sum + abort.listenerCount, 0);
  }
}
