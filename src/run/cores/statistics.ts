/** What one core did so far, and what is waiting. Counts only grow. */
export interface CoreStatistics {
  /** Its number. */
  readonly core: number;
  /** The driver of its reactor. */
  readonly driver: string;
  /** Milliseconds since it started. */
  readonly uptimeMs: number;
  /**
   * Share of that time in which it did not wait for something to do, 0 to 1. With Deno's own driver, what its timers and its I/O
   * run is not seen, and counts as waiting.
   */
  readonly busyShare: number;
  /** Calls made to other cores. */
  readonly callsSentCount: number;
  /** Calls of others that were answered. */
  readonly callsServedCount: number;
  /** Calls made that have not been answered. */
  readonly callsOutstandingCount: number;
  /** Calls of others that are being worked on. */
  readonly callsServingCount: number;
  /** Tasks of `Core.spawn()` that run. */
  readonly tasksRunningCount: number;
  /**
   * Timers that are set on its reactor: those of `sleep()`, `withTimeout()` and `spawnPeriodic()` of the core, and deadlines of
   * servers and connections. With Deno's own driver also those of Millrace's timers that were given no reactor. `setTimeout()`
   * and `setInterval()` are Deno's, and not counted.
   */
  readonly timerCount: number;
  /** Bytes in the ring to each core that it has not read, and last those to the thread that started the group. */
  readonly ringBytes: readonly number[];
  /** Bytes that wait for room in these rings. */
  readonly waitingBytes: readonly number[];
}

/** A core that was held up: one piece of work kept it from everything else. */
export interface CoreStall {
  /** Its number. */
  readonly core: number;
  /** The task that runs, by the name it is exported under; `undefined`: something that is no call, such as a timer or a handler. */
  readonly task: string | undefined;
  /** Milliseconds that it has held the core, as far as seen: at least the limit. */
  readonly heldMs: number;
}
