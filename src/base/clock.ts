/** The seam for time: everything that measures time takes a clock, so that a test can stop it. */
export interface Clock {
  /** Milliseconds since some fixed moment, with fractions; never goes backwards. */
  nowMs(): number;
}

/**
 * The monotonic clock of this thread (`performance.now()`): not wall time, and unmoved by changes of the
 * date.
 */
export const systemClock: Clock = {
  nowMs(): number {
    return performance.now();
  },
};

/**
 * A clock that moves only when it is set.
 *
 * @example
 * ```ts
 * import { ManualClock, TimerWheel } from "@millrace/millrace/timer";
 *
 * const clock = new ManualClock();
 * const wheel = new TimerWheel({ clock });
 * wheel.schedule(5, () => {});
 * clock.advance(5);
 * if (wheel.advance() !== 1) throw new Error("the timer is due");
 * ```
 */
export class ManualClock implements Clock {
  #nowMs: number;

  /**
   * Makes a clock that shows `startMs`.
   *
   * @param startMs the first reading @default {0}
   * @throws {RangeError} when `startMs` is not a finite number
   */
  constructor(startMs = 0) {
    if (!Number.isFinite(startMs)) {
      throw new RangeError(`ManualClock: start is ${startMs}, expected a finite number`);
    }
    this.#nowMs = startMs;
  }

  /** The reading last set. */
  nowMs(): number {
    return this.#nowMs;
  }

  /**
   * Moves the clock forward.
   *
   * @throws {RangeError} when `durationMs` is negative or not finite
   */
  advance(durationMs: number): void {
    this.set(this.#nowMs + durationMs);
  }

  /**
   * Moves the clock forward to `nowMs`.
   *
   * @throws {RangeError} when `nowMs` is earlier than the present reading or not finite: the clock is
   * monotonic
   */
  set(nowMs: number): void {
    if (!(nowMs >= this.#nowMs) || nowMs === Infinity) {
      throw new RangeError(`ManualClock: set to ${nowMs}, expected a finite number from ${this.#nowMs} on`);
    }
    this.#nowMs = nowMs;
  }
}
