import { assert } from "../../base/mod.ts";
import type { ErrorClasses } from "../../base/value/mod.ts";
import { errorClassesWith } from "./error_classes.ts";
import type { AnyTask, TaskTable } from "./task_table.ts";
import { Sharded } from "./sharded.ts";

/** Tasks that every core has besides its module's, by number. */
export interface InternalTasks {
  /** Gives the core's statistics. */
  statistics(): unknown;
  /** Calls method `method` of service `service`. */
  invoke(service: number, method: string, ...args: unknown[]): unknown;
}

/** Their numbers. */
export const INTERNAL_TASK = { statistics: 0, invoke: 1 } as const;
const INTERNAL_NAMES = ["(statistics)", "(invoke)"] as const;

/** What a module exports, as a core serves it: the same on every core that loads the same module. */
export class ModuleTasks implements TaskTable {
  readonly tasks: readonly AnyTask[];
  readonly names: readonly string[];
  readonly errorClasses: ErrorClasses;
  /** The services it exports, in the order of their names. */
  readonly services: readonly Sharded<object>[];
  readonly #module: string;
  readonly #numbers = new Map<unknown, number>();

  /** Of a module's exports; `internal` is left out where nothing is served. */
  constructor(module: string, exports: Readonly<Record<string, unknown>>, internal?: InternalTasks) {
    this.#module = module;
    this.errorClasses = errorClassesWith(exports);
    const names = Object.keys(exports).sort();
    const functions = names.filter((name) => typeof exports[name] === "function");
    functions.forEach((name, index) => this.#numbers.set(exports[name], INTERNAL_NAMES.length + index));
    const [statistics, invoke] = [internal?.statistics ?? unserved, internal?.invoke ?? unserved];
    this.tasks = [statistics, invoke, ...functions.map((name) => exports[name] as AnyTask)];
    this.names = [...INTERNAL_NAMES, ...functions];
    assert(this.tasks.length === this.names.length, "tasks: one has no name, or no number");
    // One that is exported under two names is one service all the same.
    this.services = [
      ...new Set(names.map((name) => exports[name]).filter((value) => value instanceof Sharded)),
    ];
  }

  /**
   * The number of a task.
   *
   * @throws {TypeError} when the module does not export it
   */
  numberOf(task: AnyTask): number {
    const number = this.#numbers.get(task);
    if (number !== undefined) return number;
    const name = typeof task === "function" ? `"${task.name || "(anonymous)"}"` : String(task);
    throw new TypeError(
      `submitTo: the task ${name} is not exported by ${this.#module}, so that other cores do not know it`,
    );
  }
}

function unserved(): never {
  throw new Error("this thread is no core");
}
