/**
 * Waiting: a timing wheel for millions of timers, and on it sleeping, time-outs, intervals and periodic
 * tasks. All take an `AbortSignal`, and run on a clock that a test can hold in its hand.
 *
 * @example
 * ```ts
 * import { sleep, spawnPeriodic, withTimeout } from "@millrace/millrace/timer";
 *
 * await using heartbeat = spawnPeriodic(10, () => console.log("alive"));
 * await withTimeout((signal) => sleep(35, { signal }), 1000);
 * ```
 *
 * @module
 */
export type { Abortable } from "../mod.ts";
export { type Clock, ManualClock, systemClock } from "../mod.ts";
export { defaultTimers, type ThreadTimers } from "./default_timers.ts";
export { Interval, type IntervalOptions, type IntervalTick } from "./interval.ts";
export { type PeriodicOptions, type PeriodicRun, type PeriodicTask, spawnPeriodic } from "./periodic.ts";
export { sleep, type SleepOptions } from "./sleep.ts";
export {
  DELAY_MS_MAX,
  TICK_MS_MIN,
  TIMER_SIZE_MAX,
  TimerWheel,
  type TimerWheelOptions,
} from "./timer_wheel.ts";
export { type AbortableTask, type TimeoutOptions, withTimeout } from "./timeout.ts";
export type { Timer, TimerOptions, Timers } from "./timers.ts";
