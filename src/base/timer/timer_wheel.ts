import { type Clock, systemClock } from "../mod.ts";
import { TickWheel } from "./tick_wheel.ts";
import type { Timer, Timers } from "./timers.ts";

/** The longest delay a timer takes: 2^42 milliseconds, about 139 years. */
export const DELAY_MS_MAX: number = 2 ** 42;

/** The shortest tick of a {@linkcode TimerWheel}, in milliseconds. */
export const TICK_MS_MIN: number = 0.001;

/** Timers a {@linkcode TimerWheel} holds at most, unless it is given another limit. */
export const TIMER_SIZE_MAX: number = 2 ** 24;

/** Options of {@linkcode TimerWheel}. */
export interface TimerWheelOptions {
  /**
   * The clock to follow.
   *
   * @default {systemClock}
   */
  clock?: Clock;
  /**
   * Precision in milliseconds, at least {@linkcode TICK_MS_MIN}: a deadline is rounded up to a multiple.
   * @default {1}
   */
  tickMs?: number;
  /**
   * Timers held at most.
   *
   * @default {TIMER_SIZE_MAX}
   */
  sizeMax?: number;
  /**
   * Called with an error that a callback throws; the other callbacks run all the same.
   *
   * @default {reportError}
   */
  onError?: (error: unknown) => void;
}

/**
 * Timers by the million: scheduling and cancelling take constant time and little memory, and nothing happens by
 * itself. The owner sleeps for {@linkcode TimerWheel.nextDelayMs}, then calls {@linkcode TimerWheel.advance}.
 *
 * A hierarchical timing wheel after Varghese and Lauck (SOSP 1987). Memory for the largest number of timers
 * held at once is kept for reuse, about 28 bytes each.
 *
 * @example
 * ```ts
 * import { ManualClock, TimerWheel } from "@millrace/millrace/timer";
 *
 * const clock = new ManualClock();
 * const wheel = new TimerWheel({ clock });
 * const order: string[] = [];
 * wheel.schedule(20, () => order.push("later"));
 * wheel.schedule(10, () => order.push("sooner"));
 * const timer = wheel.schedule(15, () => order.push("never"));
 * timer.cancel();
 * clock.advance(1000);
 * wheel.advance();
 * if (order.join() !== "sooner,later") throw new Error(order.join());
 * ```
 */
export class TimerWheel implements Timers {
  /**
   * Called when a newly scheduled timer is due before all others, so that an owner that sleeps can wake
   * sooner. Not called while {@linkcode TimerWheel.advance} runs, whose caller reads
   * {@linkcode TimerWheel.nextDelayMs} afterwards anyway.
   */
  onEarlier: (() => void) | undefined = undefined;

  /**
   * Called when the last timer is cancelled, so that an owner that sleeps need not wake. Not called while
   * {@linkcode TimerWheel.advance} runs.
   */
  onEmpty: (() => void) | undefined = undefined;

  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #originMs: number;
  readonly #entries: TickWheel;
  #advanceDepth = 0;

  /**
   * Makes an empty wheel.
   *
   * @throws {RangeError} when `tickMs` or `sizeMax` is out of range
   */
  constructor(options: TimerWheelOptions = {}) {
    const { clock = systemClock, tickMs = 1, sizeMax = TIMER_SIZE_MAX } = options;
    const { onError = (error) => reportError(error) } = options;
    if (!(tickMs >= TICK_MS_MIN && tickMs <= DELAY_MS_MAX)) {
      throw new RangeError(`TimerWheel: tickMs is ${tickMs}, expected ${TICK_MS_MIN} to ${DELAY_MS_MAX}`);
    }
    if (!Number.isInteger(sizeMax) || sizeMax < 1 || sizeMax > TIMER_SIZE_MAX) {
      throw new RangeError(
        `TimerWheel: sizeMax is ${sizeMax}, expected a whole number from 1 to ${TIMER_SIZE_MAX}`,
      );
    }
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.#onError = onError;
    this.#originMs = clock.nowMs();
    this.#entries = new TickWheel(sizeMax);
    this.#entries.onEmpty = () => {
      if (this.#advanceDepth === 0) this.onEmpty?.();
    };
  }

  /** Timers that have not run yet. */
  get size(): number {
    return this.#entries.size;
  }

  /** The clock's present reading, in milliseconds. */
  nowMs(): number {
    return this.#clock.nowMs();
  }

  /**
   * The clock's reading from which {@linkcode TimerWheel.advance} has work, `undefined` without timers. Never later
   * than the next deadline. It may be sooner while the deadline lies outside the wheel's present block of 32 ticks:
   * `advance()` then runs nothing, and the next reading is closer.
   */
  get nextDeadlineMs(): number | undefined {
    const { nextTick } = this.#entries;
    return nextTick === Infinity ? undefined : this.#startOfMs(nextTick);
  }

  /** Milliseconds until `nextDeadlineMs`: 0 when it has passed, `undefined` without timers. */
  get nextDelayMs(): number | undefined {
    const deadlineMs = this.nextDeadlineMs;
    return deadlineMs === undefined ? undefined : Math.max(0, deadlineMs - this.#clock.nowMs());
  }

  /**
   * Runs `callback` in the first {@linkcode TimerWheel.advance} that begins `delayMs` milliseconds from now
   * or later.
   *
   * @throws {RangeError} when `delayMs` is not a number from 0 to {@linkcode DELAY_MS_MAX}, or `sizeMax`
   * timers are held
   */
  schedule(delayMs: number, callback: () => void): Timer {
    if (!(delayMs >= 0 && delayMs <= DELAY_MS_MAX)) {
      throw new RangeError(`TimerWheel.schedule: delay is ${delayMs} ms, expected 0 to ${DELAY_MS_MAX}`);
    }
    const entries = this.#entries;
    const nowMs = this.#clock.nowMs();
    // A wheel that lags knows deadlines only coarsely, and would wake its owner in vain. Within advance()
    // catching up must wait, or what became due meanwhile would run in the same call.
    if (this.#advanceDepth === 0) {
      const nowTick = this.#tickAt(nowMs);
      if (nowTick > entries.tick) entries.collect(nowTick);
    }
    const deadlineMs = nowMs + delayMs;
    let tick = Math.ceil((deadlineMs - this.#originMs) / this.#tickMs);
    if (this.#startOfMs(tick) < deadlineMs) tick++;
    const earlier = this.onEarlier !== undefined && this.#advanceDepth === 0 && tick < entries.nextTick;
    const entry = entries.add(tick, callback);
    const timer = new WheelTimer(entries, entry, entries.generationOf(entry));
    if (earlier) this.onEarlier?.();
    return timer;
  }

  /**
   * Runs every callback that is due, by deadline and, within a tick, in the order scheduled, and returns how
   * many ran. A callback may schedule and cancel: what it schedules runs in a later call even with a delay of
   * 0, what it cancels does not run. The work is bounded by the number of timers, however far the clock has
   * jumped.
   */
  advance(): number {
    const entries = this.#entries;
    entries.collect(this.#tickAt(this.#clock.nowMs()));
    let runCount = 0;
    this.#advanceDepth++;
    try {
      for (let callback = entries.takeDue(); callback !== undefined; callback = entries.takeDue()) {
        runCount++;
        try {
          callback();
        } catch (error) {
          this.#onError(error);
        }
      }
    } finally {
      this.#advanceDepth--;
    }
    return runCount;
  }

  /** The last tick that has begun at `nowMs`. */
  #tickAt(nowMs: number): number {
    const tick = Math.floor((nowMs - this.#originMs) / this.#tickMs);
    if (this.#startOfMs(tick) > nowMs) return tick - 1;
    return this.#startOfMs(tick + 1) <= nowMs ? tick + 1 : tick;
  }

  /**
   * When a tick begins. Divisions by the tick are rounded, so their results are checked against this, which is also
   * how long the owner sleeps: no timer is early, and an owner that wakes on time always has work.
   */
  #startOfMs(tick: number): number {
    return this.#originMs + tick * this.#tickMs;
  }
}

class WheelTimer implements Timer {
  readonly #entries: TickWheel;
  readonly #entry: number;
  readonly #generation: number;

  constructor(entries: TickWheel, entry: number, generation: number) {
    this.#entries = entries;
    this.#entry = entry;
    this.#generation = generation;
  }

  get active(): boolean {
    return this.#entries.generationOf(this.#entry) === this.#generation;
  }

  cancel(): boolean {
    return this.#entries.cancel(this.#entry, this.#generation);
  }

  [Symbol.dispose](): void {
    this.cancel();
  }
}
