import { Interval } from "./interval.ts";
import type { TimerOptions } from "./timers.ts";

/** What {@linkcode spawnPeriodic} runs. The signal aborts when the task is cancelled. */
export type PeriodicRun = (signal: AbortSignal) => void | Promise<void>;

/** Options of {@linkcode spawnPeriodic}. */
export interface PeriodicOptions extends TimerOptions {
  /**
   * Whether the first run is due at once rather than one period later.
   *
   * @default {false}
   */
  immediate?: boolean;
}

/** A task started by {@linkcode spawnPeriodic}. Disposing it cancels it and waits for the run in progress. */
export interface PeriodicTask extends AsyncDisposable {
  /**
   * Resolves when the task was cancelled and the run in progress has ended; rejects with the error that a run threw,
   * after which there are no more runs. It need not be awaited: an unhandled failure has no other effect, and is not
   * reported.
   */
  readonly result: Promise<void>;
  /** Runs started. */
  readonly runCount: number;
  /** Deadlines skipped because a run took too long or the thread was busy. */
  readonly missedCount: number;
  /** Starts no further run and aborts the signal of the one in progress. Does nothing after the end. */
  cancel(reason?: unknown): void;
}

/**
 * Runs `run` every `periodMs` milliseconds, at whole periods from now, never two at a time: deadlines that
 * pass during a run are counted, not made up for. Cancelled by `options.signal`, by
 * {@linkcode PeriodicTask.cancel} or by disposal. A run that ends a cancelled task by throwing the signal's
 * reason, or any `AbortError`, has not failed.
 *
 * @throws {RangeError} when `periodMs` is not a number above 0 and up to {@linkcode DELAY_MS_MAX}
 *
 * @example
 * ```ts
 * import { sleep, spawnPeriodic } from "@millrace/millrace/timer";
 *
 * await using task = spawnPeriodic(10, () => console.log("flushed"));
 * await sleep(55);
 * console.log(`${task.runCount} runs, ${task.missedCount} missed`);
 * ```
 */
export function spawnPeriodic(
  periodMs: number,
  run: PeriodicRun,
  options: PeriodicOptions = {},
): PeriodicTask {
  return new SpawnedTask(periodMs, run, options);
}

class SpawnedTask implements PeriodicTask {
  readonly result: Promise<void>;
  #runCount = 0;
  #missedCount = 0;
  readonly #controller = new AbortController();

  constructor(periodMs: number, run: PeriodicRun, options: PeriodicOptions) {
    const { signal, timers, immediate } = options;
    const interval = new Interval(periodMs, { signal: this.#controller.signal, timers, immediate });
    this.result = this.#runAll(interval, run, signal);
    this.result.catch(() => {});
  }

  get runCount(): number {
    return this.#runCount;
  }

  get missedCount(): number {
    return this.#missedCount;
  }

  cancel(reason?: unknown): void {
    this.#controller.abort(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
    await this.result;
  }

  async #runAll(interval: Interval, run: PeriodicRun, outerSignal: AbortSignal | undefined): Promise<void> {
    const onAbort = (): void => this.cancel(outerSignal?.reason);
    if (outerSignal?.aborted) onAbort();
    outerSignal?.addEventListener("abort", onAbort);
    const { signal } = this.#controller;
    try {
      for await (const tick of interval) {
        this.#missedCount += tick.missedCount;
        this.#runCount++;
        await run(signal);
      }
    } catch (error) {
      if (!isCancellation(error, signal)) throw error;
    } finally {
      outerSignal?.removeEventListener("abort", onAbort);
    }
  }
}

function isCancellation(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  return error === signal.reason || (error instanceof Error && error.name === "AbortError");
}
