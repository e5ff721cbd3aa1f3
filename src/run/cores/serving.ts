import type { Endpoint } from "./endpoint.ts";
import {
  type ErrorClasses,
  fromPortable,
  portable,
  type PortableThrown,
  SIGNAL_PLACE,
  type ValueReader,
} from "../../base/value/mod.ts";
import { commonErrorClasses } from "./error_classes.ts";
import { FRAME, type FrameSender } from "./frames.ts";

// deno-lint-ignore no-explicit-any -- a task may take anything
export type AnyTask = (...args: any[]) => unknown;

/** What a participant can be asked to do, by number. */
export interface TaskTable {
  /** The tasks. */
  readonly tasks: readonly AnyTask[];
  /** Their names. */
  readonly names: readonly string[];
  /** Classes of errors that all participants know. */
  readonly errorClasses: ErrorClasses;
}

const NOTHING: TaskTable = { tasks: [], names: [], errorClasses: commonErrorClasses };

/** Calls of others to one participant: runs their tasks, and answers. */
export class Serving {
  readonly #endpoint: Endpoint;
  readonly #sender: FrameSender;
  readonly #onAnswered: () => void;
  /** Controllers of calls that came with a signal, by the caller's number of the call, for each caller. */
  readonly #controllers: Map<number, AbortController>[] = [];
  #table = NOTHING;
  #runningCount = 0;
  #answeredCount = 0;

  /** Answers through `sender`; `onAnswered` is called after each answer. */
  constructor(endpoint: Endpoint, sender: FrameSender, onAnswered: () => void) {
    this.#endpoint = endpoint;
    this.#sender = sender;
    this.#onAnswered = onAnswered;
  }

  /** What others may ask for. */
  get table(): TaskTable {
    return this.#table;
  }

  set table(table: TaskTable) {
    this.#table = table;
  }

  /** Calls that are being worked on. */
  get runningCount(): number {
    return this.#runningCount;
  }

  /** Calls that were answered. */
  get answeredCount(): number {
    return this.#answeredCount;
  }

  /** Runs task `task` with the `count` values that `reader` gives, and answers when it is done. */
  run(from: number, call: number, task: number, count: number, reader: ValueReader): void {
    const { tasks } = this.#table;
    this.#runningCount++;
    this.#endpoint.running(task);
    try {
      const work = tasks[task];
      if (work === undefined) {
        throw new Error(`run task ${task}: this core has none of that number; has its module other exports?`);
      }
      const result = count === 1
        ? work(this.#argument(from, call, reader))
        : work(...this.#arguments(from, call, count, reader));
      if (isThenable(result)) this.#answerLater(from, call, task, result);
      else this.#answer(from, call, task, result);
    } catch (error) {
      this.#answerError(from, call, error);
    }
    this.#endpoint.running(-1);
  }

  /** Tells a task that its caller does not want the result any more. */
  cancel(from: number, call: number, reader: ValueReader): void {
    const controller = this.#controllers[from]?.get(call);
    if (controller === undefined) return;
    controller.abort(fromPortable(reader.read() as PortableThrown, this.#table.errorClasses));
  }

  /** Tells the tasks of one caller, or of all, that nobody waits for them any more. */
  cancelAll(reason: unknown, caller?: number): void {
    this.#controllers.forEach((controllers, from) => {
      if (caller !== undefined && from !== caller) return;
      for (const controller of controllers.values()) controller.abort(reason);
    });
  }

  #argument(from: number, call: number, reader: ValueReader): unknown {
    const value = reader.read();
    return value === SIGNAL_PLACE ? this.#signalFor(from, call) : value;
  }

  #arguments(from: number, call: number, count: number, reader: ValueReader): unknown[] {
    const args: unknown[] = [];
    for (let index = 0; index < count; index++) args.push(this.#argument(from, call, reader));
    return args;
  }

  #signalFor(from: number, call: number): AbortSignal {
    const controllers = this.#controllers[from] ??= new Map();
    let controller = controllers.get(call);
    if (controller === undefined) controllers.set(call, controller = new AbortController());
    return controller.signal;
  }

  async #answerLater(from: number, call: number, task: number, result: PromiseLike<unknown>): Promise<void> {
    try {
      this.#answer(from, call, task, await result);
    } catch (error) {
      this.#answerError(from, call, error);
    }
  }

  #answer(from: number, call: number, task: number, value: unknown): void {
    try {
      this.#sender.send(from, FRAME.result, call, 0, [portable(value)]);
    } catch (error) {
      this.#answerError(from, call, unsendable(this.#table.names[task], error));
      return;
    }
    this.#answered(from, call);
  }

  #answerError(from: number, call: number, thrown: unknown): void {
    this.#sender.sendThrown(from, FRAME.error, call, thrown, this.#table.errorClasses);
    this.#answered(from, call);
  }

  #answered(from: number, call: number): void {
    this.#controllers[from]?.delete(call);
    this.#runningCount--;
    this.#answeredCount++;
    this.#onAnswered();
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "then") === "function";
}

/** Why a result did not go out. Its own class goes on: what cannot travel and what is too long are told apart. */
function unsendable(name: string, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const message = `call ${name}: the result is ${cause.message}`;
  if (cause instanceof TypeError) return new TypeError(message, { cause: cause.cause });
  return cause;
}
