import { assert } from "../../base/mod.ts";
import type { Core } from "./core.ts";

/** The names of the methods of `S`. */
export type MethodName<S> = {
  // deno-lint-ignore no-explicit-any -- a method may take anything
  [Name in keyof S]: S[Name] extends (...args: any[]) => unknown ? Name : never;
}[keyof S];

/** The arguments of a method. */
export type MethodArguments<S, Name extends keyof S> = S[Name] extends (...args: infer A) => unknown ? A
  : never;

/** What a method gives, awaited. */
export type MethodResult<S, Name extends keyof S> = S[Name] extends (...args: never[]) => infer R ? Awaited<R>
  : never;

/** What every object has. */
const EVERYWHERE = Object.prototype;

/** What runs calls of a service's methods on other cores. */
export interface ShardedHost {
  /** The core of this thread. */
  readonly core: Core;
  /** Calls `method` of service `service` on core `core`. */
  invoke(core: number, service: number, method: string, args: readonly unknown[]): Promise<unknown>;
}

let host: ShardedHost | undefined;

/** Makes `value` the host of this thread's services. */
export function setShardedHost(value: ShardedHost): void {
  host = value;
}

/**
 * A service of which every core has an instance of its own. It has to be exported by the module of the group. Services start one after
 * the other, in the order of their names: each on all cores, before the next, and before the module's default export is called.
 * They stop in the reverse order when all other work has ended, by their `stop()` method, or by being disposed of, if they have
 * one of these. So a service can call those that start before it, on any core, from its start to its stop.
 *
 * After Seastar's `sharded<>`.
 *
 * ```ts
 * import { Sharded } from "@millrace/millrace/cores";
 *
 * class Counter {
 *   #count = 0;
 *   add(count: number): number {
 *     return this.#count += count;
 *   }
 * }
 * export const counters = new Sharded(() => new Counter());
 *
 * // On a core:
 * export async function total(): Promise<number> {
 *   counters.local().add(1);
 *   return await counters.mapReduce("add", [0], (counts) => counts.reduce((sum, count) => sum + count, 0));
 * }
 * ```
 */
export class Sharded<S extends object> {
  readonly #create: (core: Core) => S | Promise<S>;
  #number = -1;
  #instance: S | undefined;

  /** A service whose instances `create` makes. */
  constructor(create: (core: Core) => S | Promise<S>) {
    this.#create = create;
  }

  /** Gives a service its number among those of its module. @internal */
  static bind(service: Sharded<object>, number: number): void {
    assert(service.#number === -1 || service.#number === number, "Sharded: a service has two numbers");
    service.#number = number;
  }

  /** Makes this core's instance. @internal */
  static async start(service: Sharded<object>, core: Core): Promise<void> {
    const instance: unknown = await service.#create(core);
    if (typeof instance !== "object" && typeof instance !== "function" || instance === null) {
      throw new TypeError(`Sharded: its function gave ${String(instance)}, expected an object with methods`);
    }
    service.#instance = instance;
  }

  /** Calls a method of this core's instance by its name. @internal */
  static invoke(service: Sharded<object> | undefined, method: string, args: readonly unknown[]): unknown {
    const instance = service === undefined ? undefined : service.#instance;
    if (instance === undefined) {
      throw new Error(`Sharded: method "${method}" was called where the service is not running`);
    }
    const found: unknown = Reflect.get(instance, method);
    // What every object has is no method of a service, and its class is none either.
    const ownWork = typeof found === "function" && found !== Reflect.get(EVERYWHERE, method) &&
      method !== "constructor" && method !== "__proto__";
    if (!ownWork) throw new TypeError(`Sharded: the service has no method "${method}"`);
    return Reflect.apply(found, instance, args);
  }

  /** Ends this core's instance. @internal */
  static async stop(service: Sharded<object>): Promise<void> {
    const instance = service.#instance as Partial<Stoppable> | undefined;
    service.#instance = undefined;
    if (typeof instance?.stop === "function") await instance.stop();
    else if (typeof instance?.[Symbol.asyncDispose] === "function") await instance[Symbol.asyncDispose]?.();
    else instance?.[Symbol.dispose]?.();
  }

  /**
   * The instance of this core.
   *
   * @throws {Error} outside of a core, or before it has started
   */
  local(): S {
    if (this.#instance !== undefined) return this.#instance;
    throw new Error(
      "Sharded.local: there is no instance on this thread; is the service exported by the group's module, and this a core of it?",
    );
  }

  /**
   * Calls a method of the instance on core `core`, which may be this one.
   *
   * @throws {RangeError} (as a rejection) when there is no such core
   * @throws {TypeError} (as a rejection) when an argument or the result cannot travel
   */
  async invokeOn<Name extends MethodName<S> & string>(
    core: number,
    method: Name,
    ...args: MethodArguments<S, Name>
  ): Promise<MethodResult<S, Name>> {
    return await this.#host().invoke(core, this.#number, method, args) as MethodResult<S, Name>;
  }

  /** Calls a method on every core; resolves when all have answered, to their results by core. */
  async invokeOnAll<Name extends MethodName<S> & string>(
    method: Name,
    ...args: MethodArguments<S, Name>
  ): Promise<MethodResult<S, Name>[]> {
    const { count } = this.#host().core;
    return await Promise.all(
      Array.from({ length: count }, (_, core) => this.invokeOn(core, method, ...args)),
    );
  }

  /** Calls a method on every core, and makes one value of all results. */
  async mapReduce<Name extends MethodName<S> & string, R>(
    method: Name,
    args: MethodArguments<S, Name>,
    reduce: (results: MethodResult<S, Name>[]) => R,
  ): Promise<R> {
    return reduce(await this.invokeOnAll(method, ...args));
  }

  #host(): ShardedHost {
    if (host !== undefined && this.#number >= 0) return host;
    throw new Error("Sharded: not on a core, or the service is not exported by the group's module");
  }
}

interface Stoppable {
  stop(): unknown;
  [Symbol.asyncDispose](): Promise<void>;
  [Symbol.dispose](): void;
}
