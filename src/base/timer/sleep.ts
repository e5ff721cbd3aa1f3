import { defaultTimers } from "./default_timers.ts";
import type { TimerOptions } from "./timers.ts";

/** Options of {@linkcode sleep}. */
export type SleepOptions = TimerOptions;

/**
 * Resolves `delayMs` milliseconds from now or soon after, never before. Rejects with the signal's reason once
 * it aborts, at once when it already has.
 *
 * @throws {RangeError} (as a rejection) when `delayMs` is not a number from 0 to {@linkcode DELAY_MS_MAX}
 *
 * @example
 * ```ts
 * import { sleep } from "@millrace/millrace/timer";
 *
 * const controller = new AbortController();
 * const pause = sleep(60_000, { signal: controller.signal });
 * controller.abort();
 * await pause.catch((error) => console.log(error.name)); // AbortError
 * ```
 */
export function sleep(delayMs: number, options: SleepOptions = {}): Promise<void> {
  const { signal, timers = defaultTimers() } = options;
  return new Promise((resolve, reject) => {
    if (signal === undefined) {
      timers.schedule(delayMs, resolve);
      return;
    }
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const timer = timers.schedule(delayMs, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    const onAbort = (): void => {
      signal.removeEventListener("abort", onAbort);
      timer.cancel();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort);
  });
}
