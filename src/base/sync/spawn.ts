import type { Abortable } from "../mod.ts";

/** The work of a task. The signal aborts when the task is cancelled; a task that ignores it runs on. */
export type TaskWork<R> = (signal: AbortSignal) => R | PromiseLike<R>;

/** A started task. Disposing it cancels it and waits until it has ended, in whatever way. */
export interface TaskHandle<R> extends AsyncDisposable {
  /**
   * Settles when the task has ended, as the task did: also after it was cancelled, since a task may finish all the
   * same. A task cancelled before its turn never runs, and rejects with the reason. It need not be awaited: an unhandled
   * failure has no other effect.
   */
  readonly result: Promise<R>;
  /** Aborts the task's signal, with an `AbortError` unless another reason is given. Does nothing after the end. */
  cancel(reason?: unknown): void;
}

/**
 * Starts `work` as a task of its own, in the present turn of the event loop but not before this returns.
 * Cancelled by `options.signal`, by {@linkcode TaskHandle.cancel} or by disposal.
 *
 * The failure of a task shows in `result` and nowhere else: await it, or start the task in a
 * {@linkcode TaskGroup}, which reports failures by itself.
 *
 * @example
 * ```ts
 * import { Channel, spawn } from "@millrace/millrace/sync";
 *
 * const jobs = new Channel<number>(4);
 * await using worker = spawn(async (signal) => {
 *   let sum = 0;
 *   for await (const job of jobs.values({ signal })) sum += job;
 *   return sum;
 * });
 * for (const job of [1, 2, 3]) await jobs.send(job);
 * jobs.close();
 * console.log(await worker.result); // 6
 * ```
 */
export function spawn<R>(work: TaskWork<R>, options: Abortable = {}): TaskHandle<R> {
  const { signal } = options;
  const task = new Task(work, () => Promise.resolve(undefined));
  if (signal !== undefined) {
    const onAbort = (): void => task.cancel(signal.reason);
    const cleanUp = (): void => signal.removeEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
    task.result.then(cleanUp, cleanUp);
  }
  return task;
}

/** A task that runs once `admit` resolves, and holds the permit that it resolves to until it has ended. */
export class Task<R> implements TaskHandle<R> {
  readonly result: Promise<R>;
  #ended = false;
  readonly #controller = new AbortController();

  /** @param admit rejects when its signal aborts */
  constructor(work: TaskWork<R>, admit: (signal: AbortSignal) => Promise<Disposable | undefined>) {
    this.result = this.#run(work, admit);
    this.result.catch(() => {});
  }

  cancel(reason?: unknown): void {
    if (!this.#ended) this.#controller.abort(reason);
  }

  /** Whether a task that rejected with `error` was cancelled rather than failed. */
  wasCancelledBy(error: unknown): boolean {
    const { signal } = this.#controller;
    if (!signal.aborted) return false;
    return error === signal.reason || (error instanceof Error && error.name === "AbortError");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel();
    await this.result.catch(() => {});
  }

  async #run(
    work: TaskWork<R>,
    admit: (signal: AbortSignal) => Promise<Disposable | undefined>,
  ): Promise<R> {
    const { signal } = this.#controller;
    try {
      using _ = await admit(signal);
      signal.throwIfAborted();
      return await work(signal);
    } finally {
      this.#ended = true;
    }
  }
}
