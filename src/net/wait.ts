import type { Reactor } from "../reactor/mod.ts";
import type { Timer } from "../timer/mod.ts";

/** Options of every call of this folder that may wait. */
export interface WaitOptions {
  /** Rejects the call with the signal's reason. */
  signal?: AbortSignal;
  /** Rejects the call with a `TimeoutError` after this time. */
  timeoutMs?: number;
}

/** One call that waits: settles once, by its result, its signal or its deadline, and leaves nothing behind. */
export class Wait<T> {
  readonly promise: Promise<T>;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;
  readonly #timer: Timer | undefined;

  /** `onGiveUp` is called when the signal or the deadline ended the wait. */
  constructor(reactor: Reactor, operation: string, options: WaitOptions | undefined, onGiveUp: () => void) {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.promise = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    if (options === undefined) return;
    const { signal, timeoutMs } = options;
    if (signal !== undefined) {
      this.#signal = signal;
      this.#onAbort = () => {
        onGiveUp();
        this.reject(signal.reason);
      };
      if (signal.aborted) {
        this.#reject(signal.reason);
        return;
      }
      signal.addEventListener("abort", this.#onAbort, { once: true });
    }
    if (timeoutMs !== undefined) {
      this.#timer = reactor.timers.schedule(timeoutMs, () => {
        onGiveUp();
        this.reject(new DOMException(`${operation}: not done within ${timeoutMs} ms`, "TimeoutError"));
      });
    }
  }

  resolve(value: T): void {
    this.#cleanUp();
    this.#resolve(value);
  }

  reject(reason: unknown): void {
    this.#cleanUp();
    this.#reject(reason);
  }

  #cleanUp(): void {
    this.#timer?.cancel();
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}
