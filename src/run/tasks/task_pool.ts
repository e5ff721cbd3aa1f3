import { assert, Deque } from "../../base/mod.ts";
import { type ProcessSpec, supervise, type Supervisor } from "../process/mod.ts";
import { ChannelHub } from "./channel_hub.ts";
import { configFlags, sayConfig } from "./config_of.ts";
import { defaultTimers, DELAY_MS_MAX } from "../../base/timer/mod.ts";
import { portable } from "../../base/value/mod.ts";
import { ProcessEndedError, TaskPoolFullError } from "./errors.ts";
import { inheritedPermissions } from "./inherited_permissions.ts";
import { Job, type JobOwner, type PoolWorker } from "./job.ts";
import type { RunOptions, TaskArguments, TaskName, TaskResult } from "./task_types.ts";

/** Tasks that wait for a worker at most, unless a pool says otherwise. */
export const TASK_WAITING_MAX_DEFAULT = 65_536;
/** Workers that a task may end, which may run again: with one more it is given up. */
export const TASK_DEATHS_MAX = 3;
/** Milliseconds between two attempts at most, whatever `retryDelayMs` has become. */
const RETRY_DELAY_MS_MAX = 60_000;
/** Jobs that wait, given up or not, below which the given up are left there until their turn comes. */
const COMPACTED_LENGTH_MIN = 1024;
/** What the processes of a pool are called, unless it says otherwise. */
const NAME = "task-worker";

/** Options of {@linkcode TaskPool.start}. */
export interface TaskPoolOptions {
  /** The module whose exported functions are the tasks, as `import.meta.resolve()` gives it; or `worker`, one of the two. */
  module?: string | URL;
  /**
   * Another program as worker, which calls `serveTasks()`; how it is started, restarted and stopped, as of `supervise()`.
   *
   * @default {Deno with `module`}
   */
  worker?: Omit<ProcessSpec, "name" | "instances" | "ready" | "restart">;
  /**
   * Worker processes.
   *
   * @default {one per processor}
   */
  workers?: number;
  /**
   * Tasks that a worker runs at a time: more than 1 for tasks that wait, or that are short.
   *
   * @default {1}
   */
  concurrency?: number;
  /**
   * Arguments of `deno run` for workers with `module`, such as `--allow-read`. The `deno.json` nearest to the module is theirs, unless they name one.
   *
   * @default {the permissions that this process has as a whole}
   */
  denoArgs?: readonly string[];
  /**
   * When a worker that has ended is started again, and how often: for a pool whose tasks end their workers, more often than by default.
   *
   * @default {as of `supervise()`}
   */
  restart?: ProcessSpec["restart"];
  /**
   * Tasks that may wait for a worker.
   *
   * @default {65536}
   */
  waitingMax?: number;
  /**
   * Milliseconds that a task may go on after it has no waiter any more; then its worker is killed.
   *
   * @default {5000}
   */
  cancelGraceMs?: number;
  /**
   * Milliseconds that a worker with `module` has to finish its tasks when it is replaced; then it is told to end, and killed.
   *
   * @default {30000}
   */
  drainTimeoutMs?: number;
  /**
   * The name of the workers in events and output.
   *
   * @default {"task-worker"}
   */
  name?: string;
  /**
   * Takes a line about each event of the workers; `loud` when an operator has to act.
   *
   * @default {loud ones go to standard error}
   */
  log?: (line: string, loud: boolean) => void;
}

/** What a {@linkcode TaskPool} is at. */
export interface TaskPoolStatus {
  /** Workers that take tasks. */
  readonly workerCount: number;
  /** Tasks that wait for a worker, or for their next attempt. */
  readonly waitingCount: number;
  /** Tasks that run. */
  readonly runningCount: number;
  /** Tasks that gave a result. */
  readonly doneCount: number;
  /** Tasks that were taken, and whose call rejected. */
  readonly failedCount: number;
  /** Times that a task was run again, because it had thrown or its worker had died. */
  readonly repeatedCount: number;
}

/**
 * Tasks in worker processes that are watched and replaced: a function that crashes, leaks or spins costs one process.
 *
 * `Tasks` is the type of the module: its exported functions, with arguments and results that structured cloning copies. They have a
 * {@linkcode TaskContext} as `this`.
 *
 * ```ts ignore
 * import { TaskPool } from "@millrace/millrace/tasks";
 *
 * await using pool = await TaskPool.start<typeof import("./tasks.ts")>({ module: import.meta.resolve("./tasks.ts") });
 * console.log(await pool.run("countPrimes", [1_000_000], { timeoutMs: 10_000, repeatable: true }));
 * ```
 */
export class TaskPool<Tasks> implements AsyncDisposable {
  /** The supervisor of the workers: their events, their status, their reload. */
  readonly supervisor: Supervisor;
  readonly #hub: ChannelHub;
  readonly #name: string;
  readonly #concurrency: number;
  readonly #waitingMax: number;
  readonly #cancelGraceMs: number;
  readonly #workers = new Set<PoolWorker>();
  readonly #waiting = new Deque<Job>();
  /** Those that wait for their next attempt. */
  readonly #delayed = new Set<Job>();
  /** What ends workers whose channel has ended. */
  readonly #killing = new Set<() => void>();
  #waitingCount = 0;
  #runningCount = 0;
  #doneCount = 0;
  #failedCount = 0;
  #repeatedCount = 0;
  #isFinishing = false;
  /** Resolves when there is nothing to do any more. */
  #idle: PromiseWithResolvers<void> | undefined;
  #closing: Promise<void> | undefined;
  readonly #owner: JobOwner = {
    onAnswer: (job, value) => {
      this.#leave(job);
      if (!job.isOver) this.#succeed(job, value);
      this.#attemptEnded();
    },
    onFailure: (job, reason) => {
      const worker = this.#leave(job);
      if (!job.isOver) this.#again(job, reason, worker);
      this.#attemptEnded();
    },
  };

  /**
   * Starts the workers; resolves when all of them are ready.
   *
   * @throws {RangeError | TypeError} (as a rejection) when an option is out of range, or neither module nor worker is given
   * @throws {Deno.errors.NotSupported} (as a rejection) when `module` is given and the program is a compiled one
   * @throws {Error} (as a rejection) when the workers do not become ready, say because the module throws; says what the first one wrote
   */
  static async start<Tasks>(options: TaskPoolOptions): Promise<TaskPool<Tasks>> {
    const spec = await specOf(options);
    const hub = await ChannelHub.open();
    let supervisor: Supervisor | undefined;
    try {
      supervisor = await supervise([{ ...spec, env: { ...spec.env, ...hub.env } }], { log: options.log });
      const failed = firstFailure(supervisor);
      const pool = new TaskPool<Tasks>(supervisor, hub, spec.name, options);
      await Promise.race([supervisor.ready(), failed]);
      return pool;
    } catch (error) {
      await supervisor?.shutdown();
      await hub.close();
      throw error;
    }
  }

  private constructor(supervisor: Supervisor, hub: ChannelHub, name: string, options: TaskPoolOptions) {
    this.supervisor = supervisor;
    this.#hub = hub;
    this.#name = name;
    this.#concurrency = options.concurrency ?? 1;
    this.#waitingMax = options.waitingMax ?? TASK_WAITING_MAX_DEFAULT;
    this.#cancelGraceMs = options.cancelGraceMs ?? 5000;
    void this.#takeWorkers();
    supervisor.finished.then(({ gaveUp }) => {
      const why = gaveUp.length > 0
        ? `its workers were given up: ${gaveUp.join(", ")}`
        : "its workers have ended";
      this.#rejectAll(`the pool has no workers any more: ${why}`);
    });
  }

  /**
   * Has a worker run a task, and gives what that gives, or rejects with what it throws: an error of the same class, as far as both sides know it.
   * The arguments are copied at once: what is changed behind the call does not change them.
   *
   * @throws {ProcessEndedError} (as a rejection) when its worker has ended and it may not run again, or the pool is closed
   * @throws {TaskPoolFullError} (as a rejection) when as many tasks wait as may
   * @throws {TypeError} (as a rejection) when there is no such task, or a value cannot travel
   * @throws {RangeError} (as a rejection) when an option is out of range
   */
  run<Name extends TaskName<Tasks> & string>(
    name: Name,
    args: TaskArguments<Tasks[Name]>,
    options: RunOptions = {},
  ): Promise<TaskResult<Tasks[Name]>> {
    return new Promise((resolve, reject) => {
      if (!Array.isArray(args)) {
        throw new TypeError(`run ${name}: args is ${typeof args}, expected an array of its arguments`);
      }
      checkRunOptions(name, options);
      options.signal?.throwIfAborted();
      if (this.#isFinishing) throw new ProcessEndedError(`run ${name}: the pool is closed`);
      const isWaiting = this.#idlest() === undefined;
      if (isWaiting && this.#waitingCount >= this.#waitingMax) {
        throw new TaskPoolFullError(name, this.#waitingMax);
      }
      const isKept = isWaiting || options.repeatable === true || (options.retriesMax ?? 0) > 0;
      const job = new Job(
        this.#owner,
        name,
        argumentsOf(name, args, isKept),
        options,
        resolve as Job["resolve"],
        reject,
      );
      this.#limit(job);
      this.#enqueue(job);
      this.#dispatch();
    });
  }

  /** What the pool is at. */
  status(): TaskPoolStatus {
    return {
      workerCount: [...this.#workers].filter(({ isFinishing }) => !isFinishing).length,
      waitingCount: this.#waitingCount,
      runningCount: this.#runningCount,
      doneCount: this.#doneCount,
      failedCount: this.#failedCount,
      repeatedCount: this.#repeatedCount,
    };
  }

  /** Replaces all workers, each once its successor is ready and it has finished what it has: after the module has changed. */
  async reload(): Promise<void> {
    await this.supervisor.reload(this.#name);
  }

  /** Takes no more tasks, finishes those that there are, and ends the workers; after `timeoutMs` it gives up what is left. */
  async shutdown(options: { timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs = Infinity } = options;
    if (!(timeoutMs >= 0)) throw new RangeError(`shut down: timeoutMs is ${timeoutMs}, expected 0 or more`);
    this.#isFinishing = true;
    if (this.#waitingCount + this.#runningCount > 0) {
      this.#idle ??= Promise.withResolvers<void>();
      await withinTime(this.#idle.promise, timeoutMs);
    }
    await this.close();
  }

  /** Gives all tasks up, which reject with a {@linkcode ProcessEndedError}, and ends the workers. */
  async close(): Promise<void> {
    await (this.#closing ??= this.#close());
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.#rejectAll("the pool is closed");
    for (const prevent of this.#killing) prevent();
    for (const { channel } of this.#workers) channel.shutdown();
    await this.supervisor.shutdown();
    await this.#hub.close();
  }

  async #takeWorkers(): Promise<void> {
    for await (const channel of this.#hub) {
      const worker: PoolWorker = { channel, running: new Set(), isFinishing: false, killing: new Map() };
      this.#workers.add(worker);
      channel.onFinishing(() => {
        worker.isFinishing = true;
        // Nothing is sent to it behind this.
        channel.shutdown();
      });
      channel.closed.then(() => this.#onClosed(worker));
      this.#dispatch();
    }
  }

  /** Without its channel a worker is of no use; one that does not end by itself is killed. */
  #onClosed(worker: PoolWorker): void {
    this.#workers.delete(worker);
    for (const prevent of worker.killing.values()) prevent();
    worker.killing.clear();
    const { pid } = worker.channel.peer;
    if (worker.isFinishing || this.#closing !== undefined) return;
    const prevent = after(this.#cancelGraceMs, () => {
      this.#killing.delete(prevent);
      this.supervisor.killProcess(pid, "its channel to the pool has ended");
    });
    this.#killing.add(prevent);
  }

  #enqueue(job: Job): void {
    if (this.#waiting.length > 2 * this.#waitingCount + COMPACTED_LENGTH_MIN) this.#compact();
    this.#waitingCount++;
    this.#waiting.pushBack(job);
  }

  /** Takes out what was given up while it waited. */
  #compact(): void {
    for (let count = this.#waiting.length; count > 0; count--) {
      const job = this.#waiting.popFront();
      if (job !== undefined && !job.isOver) this.#waiting.pushBack(job);
    }
  }

  #dispatch(): void {
    for (let job = this.#waiting.peek(); job !== undefined; job = this.#waiting.peek()) {
      if (job.isOver) {
        this.#waiting.popFront();
        continue;
      }
      const worker = this.#idlest();
      if (worker === undefined) return;
      this.#waiting.popFront();
      this.#waitingCount--;
      this.#start(job, worker);
    }
  }

  /** The worker with the fewest tasks that can take one more. */
  #idlest(): PoolWorker | undefined {
    let found: PoolWorker | undefined;
    for (const worker of this.#workers) {
      if (worker.isFinishing || worker.channel.isClosed || worker.running.size >= this.#concurrency) continue;
      // It may be killed, with all that it has.
      if (worker.killing.size > 0) continue;
      if (found === undefined || worker.running.size < found.running.size) found = worker;
    }
    return found;
  }

  #start(job: Job, worker: PoolWorker): void {
    assert(!job.isOver && job.worker === undefined, "task pool: a task is started that runs, or is over");
    worker.running.add(job);
    this.#runningCount++;
    job.worker = worker;
    try {
      job.call = worker.channel.start(job.args, job.attempt++, job);
    } catch (error) {
      this.#leave(job);
      // What cannot travel does not the next time either.
      this.#fail(job, error);
      this.#attemptEnded();
    }
  }

  /** An attempt is over; whose it was. */
  #leave(job: Job): PoolWorker | undefined {
    const { worker } = job;
    job.worker = undefined;
    this.#runningCount--;
    worker?.running.delete(job);
    worker?.killing.get(job)?.();
    worker?.killing.delete(job);
    return worker;
  }

  #attemptEnded(): void {
    this.#settled();
    this.#dispatch();
  }

  /** The task has thrown, or its worker has ended: it runs again, or that was it. */
  #again(job: Job, error: unknown, worker: PoolWorker | undefined): void {
    const { repeatable = false, retriesMax = 0, retryDelayMs = 0 } = job.options;
    // A task may throw one as well.
    if (error instanceof ProcessEndedError && worker?.channel.isClosed) {
      if (!repeatable || ++job.deaths > TASK_DEATHS_MAX || this.#closing !== undefined) {
        const times = job.deaths > TASK_DEATHS_MAX ? ` with it ${job.deaths} times` : "";
        return this.#fail(
          job,
          new ProcessEndedError(`run ${job.name}: its worker has ended${times}`, { cause: error }),
        );
      }
      this.#repeatedCount++;
      this.#waitingCount++;
      return this.#waiting.pushFront(job);
    }
    const failures = job.attempt - job.deaths;
    if (failures > retriesMax) return this.#fail(job, error);
    this.#repeatedCount++;
    const delayMs = Math.min(retryDelayMs * 2 ** (failures - 1), RETRY_DELAY_MS_MAX);
    if (delayMs === 0) return this.#enqueue(job);
    this.#waitingCount++;
    this.#delayed.add(job);
    const prevent = after(delayMs, () => {
      this.#delayed.delete(job);
      job.release = release;
      if (job.isOver) return;
      this.#waiting.pushBack(job);
      this.#dispatch();
    });
    const { release } = job;
    job.release = () => {
      prevent();
      release?.();
    };
  }

  #succeed(job: Job, value: unknown): void {
    this.#over(job);
    this.#doneCount++;
    job.resolve(value);
  }

  #fail(job: Job, reason: unknown): void {
    this.#over(job);
    this.#failedCount++;
    job.reject(reason);
  }

  #over(job: Job): void {
    job.isOver = true;
    job.release?.();
  }

  /** Has a job given up when its time is over, or its signal aborts. */
  #limit(job: Job): void {
    const { signal, timeoutMs = Infinity } = job.options;
    if (signal === undefined && timeoutMs === Infinity) return;
    const giveUp = (reason: unknown): void => {
      if (job.isOver) return;
      // What runs is counted until its worker is done with it.
      if (job.worker === undefined) this.#waitingCount--;
      this.#delayed.delete(job);
      this.#giveUp(job, reason);
      this.#settled();
    };
    const onAbort = (): void => giveUp(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const cancelTimer = after(
      timeoutMs,
      () => giveUp(new DOMException(`run ${job.name}: not done within ${timeoutMs} ms`, "TimeoutError")),
    );
    job.release = () => {
      signal?.removeEventListener("abort", onAbort);
      cancelTimer();
    };
  }

  /** Its worker is told to cancel it. */
  #giveUp(job: Job, reason: unknown): void {
    const { worker } = job;
    this.#fail(job, reason);
    if (worker === undefined) return;
    worker.channel.cancel(job.call, reason);
    this.#killUnlessDone(job, worker);
  }

  /** A worker that continues a task without a waiter is of no use. */
  #killUnlessDone(job: Job, worker: PoolWorker): void {
    if (this.#cancelGraceMs === Infinity) return;
    const { pid } = worker.channel.peer;
    const reason = `${job.name} goes on although nobody waits for it`;
    const kill = () => {
      // A result that is on its way may still free the worker: it must not get another task, which would die with it.
      worker.isFinishing = true;
      this.supervisor.killProcess(pid, reason);
    };
    worker.killing.set(job, after(this.#cancelGraceMs, kill));
  }

  #settled(): void {
    assert(this.#waitingCount >= 0 && this.#runningCount >= 0, "task pool: more tasks ended than were taken");
    if (this.#waitingCount + this.#runningCount === 0) this.#idle?.resolve();
  }

  #rejectAll(why: string): void {
    this.#isFinishing = true;
    const jobs = new Set(this.#delayed);
    for (let job = this.#waiting.popFront(); job !== undefined; job = this.#waiting.popFront()) jobs.add(job);
    for (const { running } of this.#workers) for (const job of running) jobs.add(job);
    this.#delayed.clear();
    for (const job of jobs) {
      if (job.isOver) continue;
      if (job.worker === undefined) this.#waitingCount--;
      this.#giveUp(job, new ProcessEndedError(`run ${job.name}: ${why}`));
    }
    this.#settled();
  }
}

/** Rejects when a worker fails before one of them has been ready: another try would end as this one. Else it never settles. */
async function firstFailure(supervisor: Supervisor): Promise<never> {
  for await (const event of supervisor.events()) {
    if (event.type === "ready") break;
    if (event.type !== "failed" && event.type !== "gave-up") continue;
    throw new Error(`start a task pool: ${event.name}/${event.instance}: ${event.reason}`);
  }
  return await new Promise<never>(() => {});
}

function checkRunOptions(
  name: string,
  { timeoutMs = 0, retriesMax = 0, retryDelayMs = 0 }: RunOptions,
): void {
  const check = (option: string, value: number): void => {
    if (!(value >= 0)) throw new RangeError(`run ${name}: ${option} is ${value}, expected 0 or more`);
  };
  check("timeoutMs", timeoutMs);
  check("retriesMax", retriesMax);
  check("retryDelayMs", retryDelayMs);
}

/** The specification of the workers. */
async function specOf(options: TaskPoolOptions): Promise<ProcessSpec> {
  const { module, worker, workers, name = NAME, concurrency = 1 } = options;
  const { waitingMax = TASK_WAITING_MAX_DEFAULT, cancelGraceMs = 0 } = options;
  if (!(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw new RangeError(`start a task pool: concurrency is ${concurrency}, expected a whole number from 1`);
  }
  if (!(waitingMax >= 0)) {
    throw new RangeError(`start a task pool: waitingMax is ${waitingMax}, expected 0 or more`);
  }
  if (!(cancelGraceMs >= 0)) {
    throw new RangeError(`start a task pool: cancelGraceMs is ${cancelGraceMs}, expected 0 or more`);
  }
  if ((module === undefined) === (worker === undefined)) {
    throw new TypeError(
      "start a task pool: there is neither a module nor a worker, or both, expected one of them",
    );
  }
  if (/^\.{0,2}\//.test(String(module))) {
    throw new TypeError(
      `start a task pool: module is "${module}", expected a URL, as import.meta.resolve() gives it`,
    );
  }
  const instances = workers === undefined ? {} : { instances: workers };
  const restart = options.restart;
  const common = {
    name,
    ...instances,
    ready: { kind: "message" },
    ...(restart === undefined ? {} : { restart }),
  } as const;
  if (worker !== undefined) return { ...worker, ...common };
  if (Deno.build.standalone) {
    throw new Deno.errors.NotSupported(
      "start a task pool: a compiled program runs no modules, expected a worker: the program itself, which calls serveTasks()",
    );
  }
  const { denoArgs = inheritedPermissions(), drainTimeoutMs } = options;
  const entry = import.meta.resolve("./worker_entry.ts");
  const config = sayConfig(denoArgs) ? [] : await configFlags(String(module));
  return {
    ...common,
    ...(drainTimeoutMs === undefined ? {} : { drainTimeoutMs }),
    command: Deno.execPath(),
    args: ["run", ...denoArgs, ...config, entry, String(module)],
  };
}

/** Arguments as they travel; `isKept`: they do so later, or again, and may be changed by then. */
function argumentsOf(name: string, args: readonly unknown[], isKept: boolean): readonly unknown[] {
  try {
    return args.map((value) => {
      const sent = portable(value);
      return isKept && sent instanceof Uint8Array ? sent.slice() : sent;
    });
  } catch (error) {
    if (error instanceof Error) error.message = `run ${name}: ${error.message}`;
    throw error;
  }
}

/** Calls back after `delayMs`; returns how to prevent it. */
function after(delayMs: number, callback: () => void): () => void {
  // No process lives so long.
  if (delayMs > DELAY_MS_MAX) return () => {};
  const timer = defaultTimers().schedule(delayMs, callback);
  return () => void timer.cancel();
}

/** Resolves with `promise`, or after `timeoutMs`. */
async function withinTime(promise: Promise<void>, timeoutMs: number): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const prevent = after(timeoutMs, resolve);
  await Promise.race([promise, over]);
  prevent();
}
