import { keepArguments } from "./call_arguments.ts";
import { requireIndex } from "./core.ts";
import { type CoreError, CoresClosedError } from "./errors.ts";
import { Generation } from "./generation.ts";
import { INTERNAL_TASK, ModuleTasks } from "./module_tasks.ts";
import { type CheckedOptions, RESTART_WINDOW_MS } from "./group_options.ts";
import type { CoreStatistics } from "./statistics.ts";

const SHUT_DOWN = "the group of cores is shut down";

/** A group of cores, seen from the thread that started it. It keeps the process alive until it has ended. */
export class CoreGroup implements AsyncDisposable {
  /** How many cores it has. */
  readonly count: number;
  readonly #options: CheckedOptions;
  /** Rejected without a handler, when the failure was not reported otherwise, so that the death of a core is never silent. */
  readonly #finish = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #restartedAtMs: number[] = [];
  readonly #onAbort = () => void this.#stopOnce().catch(() => {});
  /** Ends a restart that is under way. */
  readonly #abandon = new AbortController();
  #generation: Generation;
  #tasks: ModuleTasks | undefined;
  #loading: Promise<ModuleTasks> | undefined;
  #restarting: Promise<void> | undefined;
  #stopping: Promise<boolean> | undefined;
  #shuttingDown: Promise<boolean> | undefined;
  /** What the group has ended of. */
  #failure: Error | undefined;
  /** Somebody has taken `finished`, and hears of a death there. */
  #followed = false;
  #restartCount = 0;

  /** Made by {@linkcode startCores}. @internal */
  static async start(options: CheckedOptions): Promise<CoreGroup> {
    const { signal } = options;
    signal?.throwIfAborted();
    return new CoreGroup(options, await Generation.start(options, signal));
  }

  /** Resolves when `group` has ended, of whatever. @internal */
  static ended(group: CoreGroup): Promise<void> {
    return group.#ended.promise;
  }

  private constructor(options: CheckedOptions, generation: Generation) {
    this.count = options.count;
    this.#options = options;
    this.#generation = generation;
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (options.signal?.aborted) this.#onAbort();
    this.#follow(generation);
  }

  /**
   * Resolves when the group was shut down; rejects with a {@linkcode CoreError} when a core died and the group ended for that, or
   * one failed to stop.
   *
   * A death is never silent. It rejects this promise; where nobody has taken it, nor made a call that the death rejects, nor called
   * {@linkcode CoreGroup.shutdown}, that is an unhandled rejection, which ends the program as an error in a plain worker does.
   */
  get finished(): Promise<void> {
    this.#followed = true;
    return this.#finish.promise;
  }

  /** The driver of each core's reactor. */
  get drivers(): readonly string[] {
    return this.#generation.drivers;
  }

  /** How often the group was started anew because a core had died. */
  get restartCount(): number {
    return this.#restartCount;
  }

  /**
   * Runs `task`, a function that the group's module exports, on core `core`; see `Core.submitTo()`. The first call loads the
   * module in this thread too, to learn which function is which.
   *
   * @throws {RangeError} (as a rejection) when there is no such core, or more than `CALL_BYTES_MAX` would travel
   * @throws {TypeError} (as a rejection) when the task is not exported, or an argument or the result cannot travel
   * @throws {CoreBusyError} (as a rejection) when the limit of calls, or of bytes, under way is reached
   * @throws {CoreError} (as a rejection) when that core dies first
   * @throws {CoresClosedError} (as a rejection) when the group is being shut down, or ends first; or restarts, see
   *   {@linkcode CoresClosedError.restarting}
   */
  submitTo<A extends unknown[], R>(
    core: number,
    task: (...args: A) => R | Promise<R>,
    ...args: A
  ): Promise<Awaited<R>> {
    const tasks = this.#tasks;
    try {
      if (tasks === undefined) {
        // What the caller does with them meanwhile is not meant.
        const kept = keepArguments(args, `${task?.name}`) as A;
        return this.#loadTasks().then(() => this.submitTo(core, task, ...kept));
      }
      requireIndex(core, this.count);
      const number = tasks.numberOf(task);
      const name = tasks.names[number];
      if (this.#stopping !== undefined) {
        throw new CoresClosedError(`call ${name}`, { cause: this.#failure });
      }
      return this.#generation.calls.call(core, number, name, args) as Promise<Awaited<R>>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * What each core did so far. A core that is held up answers when it is free again.
   *
   * @throws {CoresClosedError} (as a rejection) when the group has ended
   */
  async statistics(): Promise<CoreStatistics[]> {
    const { calls } = this.#generation;
    return await Promise.all(Array.from({ length: this.count }, (_, core) => {
      return calls.call(core, INTERNAL_TASK.statistics, "statistics", []) as Promise<CoreStatistics>;
    }));
  }

  /**
   * Stops the group in order: every core's signal aborts; what is under way gets `shutdownTimeoutMs` to finish; services stop; the
   * workers end. Resolves when they have, to whether everything had finished by then. A second call waits for the first. After the
   * death of a core it gives false, or rejects with that if it was not reported before, by {@linkcode CoreGroup.finished} or by a call. It
   * gives false too when it ends a restart that is under way: what the core that died was at has not finished.
   *
   * No worker can be interrupted in an endless loop: when the time is over the group ends without it, but its thread goes on until
   * the process ends, which takes a `Deno.exit()` then.
   *
   * @throws {CoreError} (as a rejection) when a service fails to stop, or a core dies meanwhile, or has died before and nobody
   *   was told; the rest was stopped all the same
   */
  shutdown(): Promise<boolean> {
    return this.#shuttingDown ??= this.#shutDown();
  }

  /** Ends every core at once, whatever it does; calls under way reject. See {@linkcode CoreGroup.shutdown} for endless loops. */
  terminate(): void {
    this.#stopping ??= Promise.resolve(false);
    this.#abandon.abort();
    this.#generation.terminate({ cause: new CoresClosedError("terminate") });
    this.#end();
  }

  /** Does what {@linkcode CoreGroup.shutdown} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #loadTasks(): Promise<ModuleTasks> {
    return this.#loading ??= this.#import();
  }

  async #import(): Promise<ModuleTasks> {
    const { module } = this.#options;
    this.#tasks = new ModuleTasks(module, await import(module));
    this.#generation.calls.serve(this.#tasks);
    return this.#tasks;
  }

  async #shutDown(): Promise<boolean> {
    // What it is rejected with this one is rejected with too.
    this.#finish.promise.catch(() => {});
    const finished = await this.#stopOnce();
    if (this.#failure !== undefined && !this.#failureReported) throw this.#failure;
    return finished;
  }

  get #failureReported(): boolean {
    return this.#followed || this.#toldByCall;
  }

  get #toldByCall(): boolean {
    const { failure, calls } = this.#generation;
    return calls.lossReported && failure === this.#failure;
  }

  #stopOnce(): Promise<boolean> {
    return this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<boolean> {
    this.#abandon.abort();
    await this.#restarting;
    const generation = this.#generation;
    const finished = await generation.stop(SHUT_DOWN);
    const { failure } = generation;
    // One that died before was told of where it happened.
    if (this.#restarting !== undefined || failure === undefined) {
      this.#end();
      return finished;
    }
    this.#end(failure);
    throw failure;
  }

  #end(error?: Error): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#ended.resolve();
    if (error === undefined) {
      this.#finish.resolve();
      return;
    }
    this.#failure ??= error;
    if (this.#toldByCall) this.#finish.promise.catch(() => {});
    this.#finish.reject(error);
  }

  async #follow(generation: Generation): Promise<void> {
    const cause = await generation.died;
    if (this.#stopping !== undefined) return;
    if (this.#options.onCoreDeath === "restart" && this.#mayRestart()) {
      this.#restarting = this.#restart(generation, cause);
      await this.#restarting;
      return;
    }
    this.#stopping = this.#endOf(cause, generation);
    await this.#stopping;
  }

  async #endOf(cause: CoreError, generation: Generation): Promise<boolean> {
    this.#failure = cause;
    await generation.stop(cause.message, { cause });
    this.#end(cause);
    return false;
  }

  async #restart(generation: Generation, cause: CoreError): Promise<void> {
    const { onRestart } = this.#options;
    await generation.stop(cause.message, { cause, restarting: true });
    const { signal } = this.#abandon;
    if (signal.aborted) return;
    try {
      const next = await Generation.start(this.#options, signal);
      if (signal.aborted) {
        next.terminate();
        return;
      }
      this.#generation = next;
      if (this.#tasks !== undefined) next.calls.serve(this.#tasks);
      this.#restartCount++;
      this.#restarting = undefined;
      this.#follow(next);
    } catch (error) {
      if (signal.aborted) return;
      this.#stopping ??= Promise.resolve(false);
      this.#end(error as Error);
      return;
    }
    // What it throws is nobody's but the program's.
    if (onRestart !== undefined) queueMicrotask(() => onRestart(cause));
  }

  #mayRestart(): boolean {
    const nowMs = performance.now();
    while (this.#restartedAtMs.length > 0 && nowMs - this.#restartedAtMs[0] > RESTART_WINDOW_MS) {
      this.#restartedAtMs.shift();
    }
    if (this.#restartedAtMs.length >= this.#options.restartsMax) return false;
    this.#restartedAtMs.push(nowMs);
    return true;
  }
}
