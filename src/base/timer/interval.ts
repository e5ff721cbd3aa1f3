import { InvariantError } from "../mod.ts";
import { defaultTimers } from "./default_timers.ts";
import { DELAY_MS_MAX } from "./timer_wheel.ts";
import type { TimerOptions, Timers } from "./timers.ts";

/** One tick of an {@linkcode Interval}. */
export interface IntervalTick {
  /** Which deadline this is: it lies `index` periods after the start. */
  index: number;
  /** When the tick was due, on the clock of the interval's timers. */
  scheduledMs: number;
  /** Deadlines skipped just before this one, because no call waited for them in time. */
  missedCount: number;
}

/** Options of {@linkcode Interval}. */
export interface IntervalOptions extends TimerOptions {
  /**
   * What happens to deadlines that pass without a waiting call. `"skip"` yields the latest of them once and counts
   * the others; `"burst"` yields every one, without a pause until caught up. After Tokio's `MissedTickBehavior`.
   *
   * @default {"skip"}
   */
  missed?: "skip" | "burst";
  /**
   * Whether the start itself is the first deadline, with index 0.
   *
   * @default {false}
   */
  immediate?: boolean;
}

/**
 * Ticks whose deadlines are the start plus whole periods: a late tick does not move the next one. The start is
 * the moment of construction. Between calls of {@linkcode Interval.next} an interval holds no timer and no
 * listener, so dropping it is safe; disposing it ends a wait in progress.
 *
 * @example
 * ```ts
 * import { Interval } from "@millrace/millrace/timer";
 *
 * using interval = new Interval(10);
 * for await (const { index, missedCount } of interval) {
 *   console.log(`tick ${index}, ${missedCount} missed before it`);
 *   if (index >= 3) break;
 * }
 * ```
 */
export class Interval implements AsyncIterable<IntervalTick>, Disposable {
  readonly #periodMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #timers: Timers;
  readonly #skip: boolean;
  readonly #startMs: number;
  #nextIndex: number;
  #disposed = false;
  #endWait: (() => void) | undefined;

  /**
   * Starts an interval now.
   *
   * @throws {RangeError} when `periodMs` is not a number above 0 and up to {@linkcode DELAY_MS_MAX}
   */
  constructor(periodMs: number, options: IntervalOptions = {}) {
    const { signal, timers = defaultTimers(), missed = "skip", immediate = false } = options;
    if (!(periodMs > 0 && periodMs <= DELAY_MS_MAX)) {
      throw new RangeError(
        `Interval: period is ${periodMs} ms, expected more than 0 and at most ${DELAY_MS_MAX}`,
      );
    }
    this.#periodMs = periodMs;
    this.#signal = signal;
    this.#timers = timers;
    if (missed !== "skip" && missed !== "burst") {
      throw new TypeError(`Interval: missed is "${missed}", expected "skip" or "burst"`);
    }
    this.#skip = missed === "skip";
    this.#startMs = timers.nowMs();
    this.#nextIndex = immediate ? 0 : 1;
  }

  /**
   * The next tick, or `undefined` once the interval is disposed. Rejects with the signal's reason when it
   * aborts. Even an overdue tick comes through the timers, so that a consumer that is always late leaves room for
   * the rest of the program.
   *
   * @throws {InvariantError} (as a rejection) when an earlier call is still pending
   */
  next(): Promise<IntervalTick | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#endWait !== undefined) {
        throw new InvariantError("Interval.next: an earlier call is pending, expected one at a time");
      }
      if (this.#disposed) {
        resolve(undefined);
        return;
      }
      const signal = this.#signal;
      signal?.throwIfAborted();
      const delayMs = Math.max(0, this.#dueMs(this.#nextIndex) - this.#timers.nowMs());
      const timer = this.#timers.schedule(delayMs, () => {
        cleanUp();
        resolve(this.#take());
      });
      const onAbort = (): void => {
        cleanUp();
        reject(signal?.reason);
      };
      const cleanUp = (): void => {
        timer.cancel();
        signal?.removeEventListener("abort", onAbort);
        this.#endWait = undefined;
      };
      signal?.addEventListener("abort", onAbort);
      this.#endWait = () => {
        cleanUp();
        resolve(undefined);
      };
    });
  }

  /**
   * Ticks until the interval is disposed; leaving the loop disposes it. An aborted signal makes the loop
   * throw its reason.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<IntervalTick, void, undefined> {
    using _ = this;
    for (let tick = await this.next(); tick !== undefined; tick = await this.next()) yield tick;
  }

  /** Ends the interval: a pending {@linkcode Interval.next} and all later ones resolve to `undefined`. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#endWait?.();
  }

  #dueMs(index: number): number {
    return this.#startMs + index * this.#periodMs;
  }

  #take(): IntervalTick {
    const expected = this.#nextIndex;
    const index = this.#skip ? Math.max(expected, this.#latestDueIndex()) : expected;
    this.#nextIndex = index + 1;
    return { index, scheduledMs: this.#dueMs(index), missedCount: index - expected };
  }

  #latestDueIndex(): number {
    const nowMs = this.#timers.nowMs();
    const index = Math.floor((nowMs - this.#startMs) / this.#periodMs);
    // The division may round either way when the period is not an integer; the deadline itself decides.
    if (this.#dueMs(index) > nowMs) return index - 1;
    return this.#dueMs(index + 1) <= nowMs ? index + 1 : index;
  }
}
