import { type Abortable, requireWhole } from "../mod.ts";
import { WAITING_MAX, type WaitingOptions, WaitQueue } from "./wait_queue.ts";
import { QueueFullError } from "./errors.ts";
import { Semaphore } from "./semaphore.ts";
import { Task, type TaskHandle, type TaskWork } from "./spawn.ts";

/** Tasks of one {@linkcode TaskGroup} that run at once, unless it is given a lower limit. */
export const TASKS_RUNNING_MAX: number = 2 ** 24;

/** Failures that a {@linkcode TaskGroup} keeps to report; it only counts further ones. */
export const TASK_FAILURES_KEPT_MAX = 100;

/** Options of {@linkcode TaskGroup}. `waitingMax` holds for the tasks that wait for `runningMax`. */
export interface TaskGroupOptions extends WaitingOptions {
  /** Cancels the group. Its listener is there only while there are tasks. */
  signal?: AbortSignal;
  /**
   * Tasks that run at once; others wait for their turn.
   *
   * @default {TASKS_RUNNING_MAX}
   */
  runningMax?: number;
  /**
   * What the failure of one task means for the others. `"collect"` lets them run, and `join()` rejects with an
   * `AggregateError` of all failures. `"cancel others"` cancels the group, with the first failure as the reason,
   * and `join()` rejects with that failure itself.
   *
   * @default {"collect"}
   */
  failure?: "collect" | "cancel others";
}

/**
 * Tasks that belong together and end together: none outlives the block that owns the group. Structured
 * concurrency, as in Trio's nurseries and Kotlin's scopes.
 *
 * A task that throws has failed, unless it was cancelled and threw the reason or an `AbortError`. Every failure is
 * reported by {@linkcode TaskGroup.join} or by disposal, whether or not the task's result was awaited.
 *
 * @example
 * ```ts
 * import { TaskGroup } from "@millrace/millrace/sync";
 *
 * await using group = new TaskGroup({ runningMax: 2, failure: "cancel others" });
 * const lengths = ["a", "bb", "ccc"].map((text) => group.spawn(() => text.length));
 * await group.join();
 * console.log(await Promise.all(lengths.map((task) => task.result))); // [ 1, 2, 3 ]
 * ```
 */
export class TaskGroup implements AsyncDisposable {
  readonly #tasks = new Set<Task<unknown>>();
  readonly #slots: Semaphore;
  readonly #waitingMax: number;
  readonly #cancelsOthers: boolean;
  readonly #outerSignal: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #joining = new WaitQueue<undefined, void>("TaskGroup", {});
  readonly #failures: unknown[] = [];
  #failureCount = 0;
  #reportedCount = 0;
  readonly #onOuterAbort = (): void => this.cancel(this.#outerSignal?.reason);

  /**
   * Makes a group without tasks.
   *
   * @throws {RangeError} when a number is out of range
   */
  constructor(options: TaskGroupOptions = {}) {
    const { signal, runningMax = TASKS_RUNNING_MAX, waitingMax = WAITING_MAX, failure = "collect" } = options;
    requireWhole("TaskGroup", "runningMax", runningMax, 1, TASKS_RUNNING_MAX);
    if (failure !== "collect" && failure !== "cancel others") {
      throw new TypeError(`TaskGroup: failure is "${failure}", expected "collect" or "cancel others"`);
    }
    this.#slots = new Semaphore(runningMax, { waitingMax });
    this.#waitingMax = waitingMax;
    this.#cancelsOthers = failure === "cancel others";
    this.#outerSignal = signal;
  }

  /** Running tasks. */
  get runningCount(): number {
    return this.#slots.permits - this.#slots.available;
  }

  /** Tasks that wait for their turn. */
  get waitingCount(): number {
    return this.#slots.waitingCount;
  }

  /** Tasks that have failed so far. */
  get failureCount(): number {
    return this.#failureCount;
  }

  /** Whether the group was cancelled, so that no further task runs. */
  get cancelled(): boolean {
    return this.#controller.signal.aborted || this.#outerSignal?.aborted === true;
  }

  /**
   * Starts a task, in the present turn of the event loop but not before this returns; or, when `runningMax` run,
   * in the order spawned once there is room. Tasks may spawn others. In a cancelled group the task never runs,
   * and its result rejects with the reason.
   *
   * @throws {QueueFullError} when the task would have to wait and `waitingMax` do
   */
  spawn<R>(work: TaskWork<R>): TaskHandle<R> {
    if (this.#slots.available === 0 && this.#slots.waitingCount >= this.#waitingMax) {
      throw new QueueFullError("TaskGroup.spawn", this.#waitingMax);
    }
    if (this.#tasks.size === 0) {
      if (this.#outerSignal?.aborted) this.#onOuterAbort();
      else this.#outerSignal?.addEventListener("abort", this.#onOuterAbort);
    }
    const task: Task<R> = new Task(
      (signal) => this.#run(task, work, signal),
      (signal) => this.#slots.acquire(1, { signal }),
    );
    this.#tasks.add(task);
    const { signal } = this.#controller;
    if (signal.aborted) task.cancel(signal.reason);
    const remove = (): void => this.#remove(task);
    task.result.then(remove, remove);
    return task;
  }

  /**
   * Resolves when every task has ended and none has failed, those spawned meanwhile included; a cancelled task has
   * not failed. The signal ends this wait, not the tasks. Do not await it from inside a task of the group: it would wait
   * for itself.
   *
   * @throws {AggregateError} (as a rejection) of the failures, at most {@linkcode TASK_FAILURES_KEPT_MAX}, once
   * all have ended; where `failure` is `"cancel others"`, the first failure itself
   */
  async join(options: Abortable = {}): Promise<void> {
    await this.#ended(options.signal);
    if (this.#failureCount > 0) this.#throwFailures("TaskGroup.join");
  }

  /** Cancels every task, and all that are spawned later. A second call does nothing. */
  cancel(reason?: unknown): void {
    if (this.#controller.signal.aborted) return;
    this.#controller.abort(reason);
    // A copy, because a cancelled task may spawn others.
    for (const task of [...this.#tasks]) task.cancel(this.#controller.signal.reason);
  }

  /**
   * Cancels the group and waits until every task has ended.
   *
   * @throws {AggregateError} (as a rejection) as {@linkcode TaskGroup.join} does, when a task has failed since
   * the last report
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
    await this.#ended(undefined);
    if (this.#failureCount > this.#reportedCount) this.#throwFailures("TaskGroup");
  }

  #ended(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#tasks.size === 0) resolve();
      else this.#joining.push("TaskGroup.join", undefined, signal, { resolve, reject });
    });
  }

  /** A failure counts before the task's slot is free, so that no task begins that it cancels. */
  async #run<R>(task: Task<R>, work: TaskWork<R>, signal: AbortSignal): Promise<R> {
    try {
      return await work(signal);
    } catch (error) {
      if (!task.wasCancelledBy(error)) this.#addFailure(error);
      throw error;
    }
  }

  #addFailure(error: unknown): void {
    this.#failureCount++;
    if (this.#failures.length < TASK_FAILURES_KEPT_MAX) this.#failures.push(error);
    if (this.#cancelsOthers) this.cancel(error);
  }

  #remove(task: Task<unknown>): void {
    this.#tasks.delete(task);
    if (this.#tasks.size > 0) return;
    this.#outerSignal?.removeEventListener("abort", this.#onOuterAbort);
    this.#joining.grantAll();
  }

  #throwFailures(operation: string): never {
    this.#reportedCount = this.#failureCount;
    if (this.#cancelsOthers) throw this.#failures[0];
    throw new AggregateError(
      this.#failures,
      `${operation}: ${this.#failureCount} tasks failed, expected none`,
    );
  }
}
