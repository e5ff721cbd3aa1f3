import type { Reactor } from "../../io/reactor/mod.ts";
import { Calls } from "./calls.ts";
import { Core, type CoreMain, requireIndex, setCurrentCore } from "./core.ts";
import type { StartMessage } from "./control_messages.ts";
import { INTERNAL_TASK, ModuleTasks } from "./module_tasks.ts";
import { setShardedHost, Sharded } from "./sharded.ts";

/** A core from its first moment to its last, as its worker runs it. */
export class CoreRuntime {
  /** What the module's code sees of it. */
  readonly core: Core;
  /** Calls to and from the others. */
  readonly calls: Calls;
  readonly #module: string;
  #tasks: ModuleTasks;
  #main: CoreMain | undefined;

  /** Makes the core of this thread. */
  constructor({ index, count, module, mesh }: StartMessage, reactor: Reactor) {
    this.calls = new Calls(mesh, index);
    this.core = new Core({ index, count, reactor, calls: this.calls });
    this.#module = module;
    this.#tasks = new ModuleTasks(module, {});
    setCurrentCore(this.core);
    setShardedHost({
      core: this.core,
      invoke: (to, service, method, args) => this.#invoke(to, service, method, args),
    });
  }

  /** What the module exports. */
  get tasks(): ModuleTasks {
    return this.#tasks;
  }

  /** Loads the module; from then on this core serves calls. */
  async load(): Promise<void> {
    const exports = await import(this.#module) as Record<string, unknown>;
    this.#main = mainOf(exports.default, this.#module);
    const tasks = new ModuleTasks(this.#module, exports, {
      statistics: () => this.core.statistics(),
      invoke: (service, method, ...args) => this.#invokeHere(service, method, args),
    });
    tasks.services.forEach((service, number) => Sharded.bind(service, number));
    this.#tasks = tasks;
    Core.know(this.core, tasks);
    this.calls.serve(tasks);
  }

  /** Calls the module's default export, and resolves when it has ended. */
  async run(): Promise<void> {
    await this.#main?.(this.core);
  }

  /** Makes this core's instance of a service. */
  async startService(service: number): Promise<void> {
    await Sharded.start(this.#tasks.services[service], this.core);
  }

  /** Ends this core's instance of a service. */
  async stopService(service: number): Promise<void> {
    await Sharded.stop(this.#tasks.services[service]);
  }

  /** Calls method `method` of a service on core `to`, which may be this one. */
  #invoke(to: number, service: number, method: string, args: readonly unknown[]): Promise<unknown> {
    requireIndex(to, this.core.count);
    const name = `method "${method}"`;
    if (to === this.core.index) {
      return this.calls.callHere(name, args, () => this.#invokeHere(service, method, args));
    }
    return this.calls.call(to, INTERNAL_TASK.invoke, name, args, [service, method]);
  }

  #invokeHere(service: number, method: string, args: readonly unknown[]): unknown {
    return Sharded.invoke(this.#tasks.services[service], method, args);
  }
}

function mainOf(found: unknown, module: string): CoreMain | undefined {
  if (found === undefined || typeof found === "function") return found as CoreMain | undefined;
  const what = found === null ? "null" : `a ${typeof found}`;
  throw new TypeError(`the default export of ${module} is ${what}, expected a function or nothing`);
}
