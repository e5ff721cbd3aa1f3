/** Tasks that tests have a pool run. */
import type { TaskContext } from "../../../src/run/tasks/mod.ts";

export function add(a: number, b: number): number {
  return a + b;
}

export function echo<T>(value: T): T {
  return value;
}

export function pid(): number {
  return Deno.pid;
}

export async function sleepFor(this: TaskContext, ms: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve("slept"), ms);
  this.signal.addEventListener("abort", () => {
    clearTimeout(timer);
    reject(this.signal.reason);
  });
  return await promise;
}

/** Holds up its process for ever. */
export function spin(): never {
  for (;;);
}

export function fail(message: string): never {
  throw new RangeError(message, { cause: new TypeError("why") });
}

/** Ends its process, unless this is its `attempt`-th. */
export function dieUntil(this: TaskContext, attempt: number): string {
  if (this.attempt < attempt) Deno.kill(Deno.pid, "SIGKILL");
  return `attempt ${this.attempt}`;
}

/** Throws, unless this is its `attempt`-th. */
export function failUntil(this: TaskContext, attempt: number): string {
  if (this.attempt < attempt) throw new Error(`attempt ${this.attempt}`);
  return `attempt ${this.attempt}`;
}

/** The same, and gives `value`. */
export function failUntilWith<T>(this: TaskContext, attempt: number, value: T): T {
  failUntil.call(this, attempt);
  return value;
}

/** Goes on for so long, whoever wants it to end. */
export async function goOn(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
