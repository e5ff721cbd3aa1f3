import type { Abortable, Clock } from "../mod.ts";

/** One scheduled callback. Disposing it cancels it. */
export interface Timer extends Disposable {
  /** Whether the callback is still to run: false from the moment it starts, and after cancellation. */
  readonly active: boolean;
  /** Prevents the callback from running; false when it was not active any more. */
  cancel(): boolean;
}

/**
 * The seam for everything that waits: what sleeps, times out or ticks takes one of these, so that a test can
 * hand it a wheel on a manual clock. {@linkcode TimerWheel} is one; {@linkcode defaultTimers} gives the one
 * of this thread.
 */
export interface Timers extends Clock {
  /**
   * Runs `callback` once, `delayMs` milliseconds from now or soon after, never before.
   *
   * @throws {RangeError} when `delayMs` is not a number from 0 to {@linkcode DELAY_MS_MAX}
   */
  schedule(delayMs: number, callback: () => void): Timer;
}

/** What every waiting function of this folder takes. */
export interface TimerOptions extends Abortable {
  /**
   * What to wait on.
   *
   * @default {defaultTimers()}
   */
  timers?: Timers;
}
