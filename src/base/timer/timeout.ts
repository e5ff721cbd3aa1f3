import { defaultTimers } from "./default_timers.ts";
import type { TimerOptions } from "./timers.ts";

/** Work that can be cancelled. */
export type AbortableTask<T> = (signal: AbortSignal) => T | PromiseLike<T>;

/** Options of {@linkcode withTimeout}. */
export interface TimeoutOptions extends TimerOptions {
  /**
   * Message of the timeout's error.
   *
   * @default {"withTimeout: pending after <timeoutMs> ms"}
   */
  message?: string;
}

/**
 * Settles as `work` does, or rejects once `timeoutMs` milliseconds have passed or `options.signal` aborts. A
 * function is called with a signal that aborts then too, for the same reason. A promise cannot be cancelled, and its
 * late outcome is dropped. The deadline is noticed between turns of the event loop: it does not interrupt running
 * code.
 *
 * @throws {DOMException} (as a rejection) named `TimeoutError`, as of `AbortSignal.timeout`, at the deadline
 * @throws {RangeError} (as a rejection) when `timeoutMs` is not a number from 0 to {@linkcode DELAY_MS_MAX};
 * a function is then not called
 *
 * @example
 * ```ts
 * import { sleep, withTimeout } from "@millrace/millrace/timer";
 *
 * const slow = (signal: AbortSignal) => sleep(60_000, { signal });
 * await withTimeout(slow, 10).catch((error) => console.log(error.name)); // TimeoutError
 * ```
 */
export async function withTimeout<T>(
  work: PromiseLike<T> | AbortableTask<T>,
  timeoutMs: number,
  options: TimeoutOptions = {},
): Promise<T> {
  const { signal, timers = defaultTimers(), message } = options;
  // Whatever ends the wait early, the caller's promise must not end as an unhandled rejection.
  if (typeof work !== "function") work.then(undefined, () => {});
  signal?.throwIfAborted();

  const controller = new AbortController();
  const ended = Promise.withResolvers<never>();
  const giveUp = (reason: unknown): void => {
    ended.reject(reason);
    controller.abort(reason);
  };
  const onAbort = (): void => giveUp(signal?.reason);
  const timer = timers.schedule(timeoutMs, () => {
    giveUp(new DOMException(message ?? `withTimeout: pending after ${timeoutMs} ms`, "TimeoutError"));
  });
  signal?.addEventListener("abort", onAbort);
  try {
    const outcome = typeof work === "function" ? Promise.try(work, controller.signal) : work;
    return await Promise.race([outcome, ended.promise]);
  } finally {
    timer.cancel();
    signal?.removeEventListener("abort", onAbort);
  }
}
