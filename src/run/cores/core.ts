import { type Abortable, assert } from "../../base/mod.ts";
import type { Reactor } from "../../io/reactor/mod.ts";
import {
  type PeriodicRun,
  type PeriodicTask,
  sleep,
  spawnPeriodic,
  withTimeout,
} from "../../base/timer/mod.ts";
import { TaskGroup, type TaskHandle, type TaskWork } from "../../base/sync/mod.ts";
import type { Calls } from "./calls.ts";
import type { AnyTask } from "./task_table.ts";
import type { CoreStatistics } from "./statistics.ts";

/** What the default export of a group's module may be: called on every core when all of them are ready. */
export type CoreMain = (core: Core) => void | Promise<void>;

/** What a core is made of. @internal */
export interface CoreParts {
  readonly index: number;
  readonly count: number;
  readonly reactor: Reactor;
  readonly calls: Calls;
}

/** The numbers and the names under which other cores know tasks. @internal */
export interface TaskNumbers {
  /**
   * The number of a task.
   *
   * @throws {TypeError} when the module does not export it
   */
  numberOf(task: AnyTask): number;
  /** The names of tasks, by number. */
  readonly names: readonly string[];
}

/**
 * One worker of a group, seen from within: its reactor, its tasks, and calls to the other cores.
 *
 * ```ts
 * import type { Core } from "@millrace/millrace/cores";
 *
 * export function square(value: number): number {
 *   return value * value;
 * }
 *
 * export default async function main(core: Core): Promise<void> {
 *   if (core.index === 0) console.log(await core.submitTo(core.count - 1, square, 12)); // 144
 * }
 * ```
 */
export class Core {
  /** Its number, from 0. */
  readonly index: number;
  /** How many cores the group has. */
  readonly count: number;
  /** Its event loop; what `serve()`, `listen()` and the like use on this thread when they are given none. */
  readonly reactor: Reactor;
  readonly #calls: Calls;
  readonly #controller = new AbortController();
  readonly #group = new TaskGroup();
  readonly #periodic = new Set<Promise<void>>();
  readonly #startedAtMs = performance.now();
  #tasks: TaskNumbers | undefined;

  /** Made by the group. @internal */
  constructor(parts: CoreParts) {
    this.index = parts.index;
    this.count = parts.count;
    this.reactor = parts.reactor;
    this.#calls = parts.calls;
  }

  /** Aborts when the group stops. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Runs `task`, a function that the group's module exports, on core `core` and brings back its result or its error.
   *
   * Numbers, texts, truth values and bytes are written into the ring as they are; anything else as V8 serialises it. An `AbortSignal` among the arguments arrives as one; when it aborts, the call rejects at once and the task is told. To
   * itself a core makes a plain call, and nothing is copied.
   *
   * @throws {RangeError} (as a rejection) when there is no such core, or more than `CALL_BYTES_MAX` would travel
   * @throws {TypeError} (as a rejection) when the task is not exported, or an argument or the result cannot travel
   * @throws {CoreBusyError} (as a rejection) when the limit of calls, or of bytes, under way is reached
   * @throws {CoreError} (as a rejection) when that core dies first
   * @throws {CoresClosedError} (as a rejection) when the group ends first
   */
  submitTo<A extends unknown[], R>(
    core: number,
    task: (...args: A) => R | Promise<R>,
    ...args: A
  ): Promise<Awaited<R>> {
    let number: number;
    let tasks: TaskNumbers;
    try {
      requireIndex(core, this.count);
      tasks = this.#loaded();
      number = tasks.numberOf(task);
    } catch (error) {
      return Promise.reject(error);
    }
    const name = tasks.names[number];
    if (core === this.index) return this.#calls.callHere(name, args, () => task(...args));
    return this.#calls.call(core, number, name, args) as Promise<Awaited<R>>;
  }

  /** Runs `task` on every core, this one included; resolves to the results, by core. */
  async broadcast<A extends unknown[], R>(
    task: (...args: A) => R | Promise<R>,
    ...args: A
  ): Promise<Awaited<R>[]> {
    return await Promise.all(
      Array.from({ length: this.count }, (_, core) => this.submitTo(core, task, ...args)),
    );
  }

  /** Starts a task on this core, which is cancelled when the group stops. Its failure rejects its handle and harms nothing else. */
  spawn<R>(task: TaskWork<R>): TaskHandle<R> {
    return this.#group.spawn(task);
  }

  /** Runs `run` every `periodMs` milliseconds until cancelled, or until the group stops. */
  spawnPeriodic(periodMs: number, run: PeriodicRun): PeriodicTask {
    const task = spawnPeriodic(periodMs, run, { signal: this.signal, timers: this.reactor.timers });
    const ended = task.result.catch(() => {}).finally(() => this.#periodic.delete(ended));
    this.#periodic.add(ended);
    return task;
  }

  /** Resolves after `delayMs` milliseconds; rejects when the group stops, or `signal` aborts. */
  sleep(delayMs: number, options: Abortable = {}): Promise<void> {
    const signal = options.signal === undefined
      ? this.signal
      : AbortSignal.any([this.signal, options.signal]);
    return sleep(delayMs, { signal, timers: this.reactor.timers });
  }

  /** Runs `task`, whose signal aborts after `timeoutMs` milliseconds or when the group stops. */
  withTimeout<T>(task: (signal: AbortSignal) => T | PromiseLike<T>, timeoutMs: number): Promise<T> {
    return withTimeout(task, timeoutMs, { signal: this.signal, timers: this.reactor.timers });
  }

  /** What this core did so far. */
  statistics(): CoreStatistics {
    const { endpoint, sentCount, answeredCount, outstandingCount, runningCount } = this.#calls;
    const uptimeMs = performance.now() - this.#startedAtMs;
    const peers = Array.from({ length: this.count + 1 }, (_, peer) => peer);
    return {
      core: this.index,
      driver: this.reactor.driver.name,
      uptimeMs,
      busyShare: Math.min(1, Math.max(0, 1 - endpoint.asleepMs / uptimeMs)),
      callsSentCount: sentCount,
      callsServedCount: answeredCount,
      callsOutstandingCount: outstandingCount,
      callsServingCount: runningCount,
      tasksRunningCount: this.#group.runningCount,
      timerCount: this.reactor.timerCount,
      ringBytes: peers.map((peer) => endpoint.depthTo(peer)),
      waitingBytes: peers.map((peer) => endpoint.waitingBytes(peer)),
    };
  }

  /** Tells a core what its group's module exports; from then on it can call others. @internal */
  static know(core: Core, tasks: TaskNumbers): void {
    assert(core.#tasks === undefined, `core ${core.index}: its module is loaded twice`);
    core.#tasks = tasks;
  }

  /** Tells everything on this core to stop, and waits for it. @internal */
  static async stop(core: Core, reason: unknown): Promise<void> {
    core.#controller.abort(reason);
    core.#group.cancel(reason);
    // What failed has been told to those who hold the handles.
    await core.#group.join().catch(() => {});
    await Promise.all(core.#periodic);
    await core.#calls.quiet();
  }

  #loaded(): TaskNumbers {
    if (this.#tasks !== undefined) return this.#tasks;
    throw new Error(
      "call a core: the group's module is being loaded, and cores can be called when all have it",
    );
  }
}

let current: Core | undefined;

/** Makes `core` the core of this thread. @internal */
export function setCurrentCore(core: Core): void {
  assert(current === undefined, `core ${core.index}: this thread is core ${current?.index} already`);
  current = core;
}

/**
 * The core of this thread: for tasks, which are called with their arguments only. Not at the top level of the group's module,
 * which the thread that started the group loads too.
 *
 * @throws {Error} outside of a core
 */
export function currentCore(): Core {
  if (current !== undefined) return current;
  throw new Error(
    "currentCore: this thread is no core of a group; the thread that starts a group loads its module too, " +
      "so ask for the core in a task and not at the top level",
  );
}

/** @throws {RangeError} when there is no core `core` in a group of `count` */
export function requireIndex(core: number, count: number): void {
  if (Number.isInteger(core) && core >= 0 && core < count) return;
  throw new RangeError(`call core ${core}: there is none of that number, expected 0 to ${count - 1}`);
}
