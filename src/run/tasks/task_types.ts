/** What a task is called with, as `this`. */
export interface TaskContext {
  /** Aborts when the task has no waiter any more. */
  readonly signal: AbortSignal;
  /** How often it was begun before: above 0 only for tasks that may run again. */
  readonly attempt: number;
}

/** Names of the functions of `Tasks`, which is the type of a module or of an object. */
export type TaskName<Tasks> = Extract<
  keyof {
    [Name in keyof Tasks as Tasks[Name] extends (...args: never[]) => unknown ? Name : never]: unknown;
  },
  string
>;

/** What a task takes: plain values and whatever structured cloning copies, no functions. */
export type TaskArguments<Task> = Task extends (...args: infer Arguments) => unknown ? Arguments : never;

/** What a task gives. */
export type TaskResult<Task> = Task extends (...args: never[]) => infer Result ? Awaited<Result> : never;

/** Options of `TaskPool.run()`. */
export interface RunOptions {
  /** Gives the task up when it aborts. */
  signal?: AbortSignal;
  /**
   * Milliseconds until it has to be done, waiting for a worker and all attempts included; then the call rejects with a `DOMException` named
   * `TimeoutError`.
   *
   * @default {Infinity}
   */
  timeoutMs?: number;
  /**
   * Whether it does no harm to run it more than once: when its worker dies it runs again in another, up to `TASK_DEATHS_MAX` times.
   *
   * @default {false}
   */
  repeatable?: boolean;
  /**
   * How often it runs again when it has thrown.
   *
   * @default {0}
   */
  retriesMax?: number;
  /**
   * Milliseconds before it runs again when it has thrown; twice as many each time.
   *
   * @default {0}
   */
  retryDelayMs?: number;
}
