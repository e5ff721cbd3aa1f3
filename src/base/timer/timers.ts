import type { Abortable, Clock } from "../mod.ts";

/** One scheduled callback. Disposing it cancels it. */
export interface Timer extends Disposable {
  /** Whether the callback has yet to run: false from the moment it starts, and after cancellation. */
  readonly active: boolean;
  /** Prevents the callback from running; false when it was not active any more. */
  cancel(): boolean;
}

/**
 * The seam for everything that waits: functions that sleep, time out or tick take one of these, so that a test can
 * pass a wheel on a manual clock. {@linkcode TimerWheel} is one; {@linkcode defaultTimers} returns that of this
 * thread.
 */
export interface Timers extends Clock {
  /**
   * Runs `callback` once, `delayMs` milliseconds from now or soon after, never before.
   *
   * @throws {RangeError} when `delayMs` is not a number from 0 to {@linkcode DELAY_MS_MAX}
   */
  schedule(delayMs: number, callback: () => void): Timer;
}

/** Options of every waiting function of this folder. */
export interface TimerOptions extends Abortable {
  /**
   * The timers to wait on.
   *
   * @default {defaultTimers()}
   */
  timers?: Timers;
}
