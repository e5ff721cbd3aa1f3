import type { WaitOptions } from "../../base/mod.ts";
import type { Reactor } from "../reactor/mod.ts";
import { DELAY_MS_MAX, type Timer } from "../../base/timer/mod.ts";

/** Why a call with these options cannot begin to wait: its signal is aborted, or its timeout is invalid. */
export function refuseWait(
  operation: string,
  options: WaitOptions | undefined,
): { readonly reason: unknown } | undefined {
  if (options === undefined) return undefined;
  const { signal, timeoutMs } = options;
  if (signal?.aborted) return { reason: signal.reason };
  if (timeoutMs === undefined || (timeoutMs >= 0 && timeoutMs <= DELAY_MS_MAX)) return undefined;
  return { reason: new RangeError(`${operation}: timeoutMs is ${timeoutMs}, expected 0 to ${DELAY_MS_MAX}`) };
}

/** One call that waits: settles once, by its result, its signal or its deadline, and leaves nothing behind. */
export class Wait<T> {
  readonly promise: Promise<T>;
  readonly #resolve: (value: T) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;
  readonly #timer: Timer | undefined;

  /** Only when `refuseWait()` found nothing; `onGiveUp` is called when the signal or the deadline ended the wait. */
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
