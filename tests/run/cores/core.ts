import { Buffer } from "node:buffer";
import { type Core, currentCore, Sharded } from "../../../src/run/cores/mod.ts";
import { defaultReactor } from "../../../src/io/reactor/mod.ts";
import { OwnError, throwKind, throwLater, untransferable } from "./throwing.ts";

/** What the cores of these tests run. */
export { OwnError, throwKind, throwLater, untransferable };

export function square(value: number): number {
  return value * value;
}

export function echo<T>(value: T): T {
  return value;
}

export function listArguments(...args: unknown[]): unknown[] {
  return args;
}

export function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}

export function byteSum(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum + byte, 0);
}

export function bytesOf(byteLength: number): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, index) => index * 31);
}

export function makeBuffer(): Uint8Array {
  return Buffer.from("abc");
}

export function isBuffer(value: unknown): boolean {
  return Buffer.isBuffer(value);
}

/** A thenable that is no promise. */
export function thenable(value: number): Promise<number> {
  // deno-lint-ignore no-explicit-any -- it is none on purpose
  return { then: (resolve: (value: number) => void) => resolve(value + 1) } as any;
}

export async function sleepFor(delayMs: number, value: unknown = undefined): Promise<unknown> {
  await currentCore().sleep(delayMs);
  return value;
}

let abortedWith: unknown[] = [];

/** Waits until told, and keeps what it was told with. */
export function untilAborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const take = () => {
      abortedWith.push(signal.reason);
      resolve("told");
    };
    if (signal.aborted) take();
    else signal.addEventListener("abort", take);
  });
}

export function takeAborted(): string[] {
  const taken = abortedWith.map((reason) =>
    reason instanceof Error ? `${reason.constructor.name} ${reason.name}: ${reason.message}` : String(reason)
  );
  abortedWith = [];
  return taken;
}

/** Finishes at once although it has a signal. */
export function ignoresSignal(_signal: AbortSignal, value: number): number {
  return value;
}

const seen: number[] = [];

/** Remembers in which order it was called. */
export function remember(value: number): void {
  seen.push(value);
}

export function takeSeen(): number[] {
  return seen.splice(0);
}

/** Holds the core. */
export function hold(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

export async function holdLater(ms: number): Promise<void> {
  await currentCore().sleep(1);
  hold(ms);
}

export function spinForever(): void {
  for (;;);
}

/** Never answers. */
export function never(): Promise<void> {
  return new Promise(() => {});
}

/** Calls another core from this one. */
export async function relay(to: number, value: number): Promise<number> {
  return await currentCore().submitTo(to, square, value);
}

export async function relayNever(to: number): Promise<void> {
  await currentCore().submitTo(to, never);
}

/** Floods another core with `count` calls of `byteLength` bytes, there and back; resolves to how many were right. */
export async function flood(to: number, count: number, byteLength: number): Promise<number> {
  const core = currentCore();
  const results = await Promise.all(Array.from({ length: count }, async (_, index) => {
    const bytes = new Uint8Array(byteLength).fill(index);
    const back = await core.submitTo(to, echo, bytes);
    return back.length === byteLength && back.every((byte) => byte === (index & 255));
  }));
  return results.filter((right) => right).length;
}

export function submitUnexported(to: number): Promise<number> {
  return currentCore().submitTo(to, function inside() {
    return 1;
  });
}

export async function broadcastIndex(): Promise<number[]> {
  return await currentCore().broadcast(indexHere);
}

export function indexHere(): number {
  return currentCore().index;
}

/** In the caller's own turn, or later? */
export async function callsItself(): Promise<string[]> {
  const order: string[] = [];
  const core = currentCore();
  const promise = core.submitTo(core.index, (text: string) => order.push(text), "task").catch((error) =>
    order.push(error.name)
  );
  order.push("after");
  await promise;
  const object = {};
  const same = await core.submitTo(core.index, echo, object);
  order.push(same === object ? "same" : "copied");
  return order;
}

/** What dies of what. */
export function die(how: string): void {
  switch (how) {
    case "uncaught":
      setTimeout(() => {
        throw new OwnError("uncaught");
      });
      return;
    case "rejection":
      Promise.reject(new OwnError("rejection"));
      return;
    case "close":
      self.close();
      return;
    case "exit":
      Deno.exit(3);
  }
}

class Counter {
  #count = 0;
  stopped = false;
  // deno-lint-ignore no-explicit-any -- looked at by a test
  static made: any[] = [];
  property = 3;

  add(count: number): number {
    return this.#count += count;
  }

  count(...values: unknown[]): number {
    return values.length;
  }

  failing(): never {
    throw new OwnError("in a method");
  }

  neverWith(_signal: AbortSignal): Promise<void> {
    return never();
  }

  async appendLater(file: string, delayMs: number): Promise<void> {
    await appendLater(file, delayMs);
  }

  async later(value: number): Promise<number> {
    await currentCore().sleep(1);
    return value + 1;
  }
}

export const counters: Sharded<Counter> = new Sharded(() => new Counter());
/** The same once more. */
export { counters as countersAgain };
/** A service that every map is. */
export const maps: Sharded<Map<string, number>> = new Sharded(() => new Map());

const unexported: Sharded<Counter> = new Sharded(() => new Counter());

export async function sharded(
  what: string,
  core = 0,
  method = "add",
  ...args: unknown[]
): Promise<unknown> {
  switch (what) {
    case "local":
      return counters.local().add(1);
    case "on":
      // deno-lint-ignore no-explicit-any -- wrong ones too
      return await (counters as any).invokeOn(core, method, ...args);
    case "all":
      // deno-lint-ignore no-explicit-any -- wrong ones too
      return await (counters as any).invokeOnAll(method, ...args);
    case "reduce":
      return await counters.mapReduce("add", [0], (counts) => counts.reduce((sum, count) => sum + count, 0));
    case "maps":
      await maps.invokeOn(core, "set", "key", 5).catch(() => {});
      return await maps.invokeOn(core, "get", "key");
    case "unexported":
      return await unexported.invokeOn(core, "add", 1);
    default:
      return unexported.local();
  }
}

/** Calls a method with `count` arguments. */
export async function invokeWithMany(to: number, count: number): Promise<number> {
  return await counters.invokeOn(to, "count", ...new Array(count).fill(1));
}

/** Calls a method with what cannot travel. */
export async function invokeWithFunction(to: number): Promise<number> {
  return await counters.invokeOn(to, "count", 1, () => 1);
}

/** Tasks of this core. */
export async function spawned(): Promise<unknown[]> {
  const core = currentCore();
  const good = core.spawn(() => 5);
  const bad = core.spawn(() => {
    throw new OwnError("spawned");
  });
  const cancelled = core.spawn((signal) => core.sleep(60_000, { signal }));
  cancelled.cancel();
  const failure = await bad.result.catch((error) => error.message);
  const told = await cancelled.result.catch((error) => error.name);
  return [await good.result, failure, told];
}

export async function periodic(): Promise<boolean> {
  const core = currentCore();
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  await using task = core.spawnPeriodic(1, () => {
    if (++count === 3) resolve();
  });
  await promise;
  return task.runCount >= 3;
}

export async function timeout(): Promise<string> {
  const core = currentCore();
  try {
    await core.withTimeout((signal) => core.sleep(60_000, { signal }), 5);
    return "ended";
  } catch (error) {
    return (error as Error).name;
  }
}

/** Sleeps with a signal of its own, which does not abort. */
export async function sleepApart(): Promise<string> {
  try {
    await currentCore().sleep(60_000, { signal: new AbortController().signal });
    return "ended";
  } catch (error) {
    return (error as Error).message;
  }
}

/** Leaves a task that ends only when the group stops. */
export function leaveTask(): number {
  const core = currentCore();
  core.spawn((signal) => core.sleep(60_000, { signal }));
  core.spawnPeriodic(60_000, () => {});
  return core.statistics().tasksRunningCount;
}

export function memory(): number {
  return Deno.memoryUsage().rss;
}

export let mainRan = 0;

export function mainCount(): number {
  return mainRan;
}

export default function main(core: Core): void {
  mainRan += core.count;
}

/** Finishes although the group stops. */
export function takeSlowly(ms: number): Promise<number> {
  return new Promise((resolve) => setTimeout(() => resolve(ms), ms));
}

/** Answers with much after a timer of Deno's, when the core has long been asleep. */
export async function bytesAfter(delayMs: number, byteLength: number): Promise<Uint8Array> {
  await takeSlowly(delayMs);
  return new Uint8Array(byteLength);
}

/** Sends much to another core after a timer of Deno's. */
export async function relayBytesAfter(to: number, delayMs: number, byteLength: number): Promise<number> {
  const bytes = await bytesAfter(delayMs, byteLength);
  return await currentCore().submitTo(to, lengthOf, bytes);
}

export function lengthOf(bytes: Uint8Array): number {
  return bytes.length;
}

/** Holds the core for as long as a stall watch of 40 ms may need on a busy machine. */
export function holdUntil(): void {
  hold(800);
}

/** What calls with a signal that aborts end with, to each core, this one included: tasks, methods, and one whose signal has aborted. */
export async function endCalls(): Promise<unknown[]> {
  const core = currentCore();
  const controller = new AbortController();
  const { signal } = controller;
  const calls = [
    ...Array.from({ length: core.count }, (_, index) => core.submitTo(index, neverWith, signal)),
    core.broadcast(neverWith, signal),
    counters.invokeOnAll("neverWith", signal),
  ];
  const ended = Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
  await core.sleep(1);
  controller.abort("enough");
  const after = core.submitTo(core.index, neverWith, signal).catch((error: unknown) => error);
  return [...await ended, await after];
}

export function neverWith(_signal: AbortSignal): Promise<void> {
  return never();
}

/** Leaves calls of this core to itself behind, a task and a method, which write to `file` when they end. */
export function leaveCallsToItself(file: string): void {
  const core = currentCore();
  core.submitTo(core.index, appendLater, file, 100);
  counters.invokeOn(core.index, "appendLater", file, 200);
}

export async function appendLater(file: string, delayMs: number): Promise<void> {
  await takeSlowly(delayMs);
  await Deno.writeTextFile(file, `${delayMs} `, { append: true });
}

/** Answers with much when the group stops. */
export async function bytesAtStop(byteLength: number): Promise<Uint8Array> {
  const { signal } = currentCore();
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  return new Uint8Array(byteLength);
}

/** Sends more than the ring takes to a core that is held up; resolves to what the ring has and what waits. */
export async function floodHeld(to: number, count: number, byteLength: number): Promise<[number, number]> {
  const core = currentCore();
  const held = core.submitTo(to, hold, 600);
  await core.sleep(5);
  const calls = Array.from({ length: count }, () => core.submitTo(to, byteSum, new Uint8Array(byteLength)));
  const { ringBytes, waitingBytes } = core.statistics();
  await Promise.all([held, ...calls]);
  return [ringBytes[to], waitingBytes[to]];
}

export function reactorIsDefault(): boolean {
  return defaultReactor() === currentCore().reactor;
}
