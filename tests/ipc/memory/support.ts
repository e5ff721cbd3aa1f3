import { assertEquals, assertStrictEquals } from "@std/assert";
import { native, type NativeSymbols } from "../../../ffi/mod.ts";
import { runProgram } from "../../support/driver_program.ts";
import { SharedMemory, type SharedMemoryPlace } from "../../../src/ipc/memory/mod.ts";
import { testName } from "../../support/test_name.ts";

/** For programs that tests run: the door of the folder, as a string of TypeScript. */
export const MEMORY_URL: string = JSON.stringify(
  new URL("../../../src/ipc/memory/mod.ts", import.meta.url).href,
);
/** The same of `ffi`. */
export const FFI_URL: string = JSON.stringify(new URL("../../../ffi/mod.ts", import.meta.url).href);

/** Names that nobody else has, and the regions of which go with the test however it ends. */
export class RegionNames implements Disposable {
  readonly #names: string[] = [];

  next(): string {
    return this.add(testName());
  }

  add(name: string): string {
    this.#names.push(name);
    return name;
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) {
      try {
        SharedMemory.unlink(name);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) continue;
        // A test has put another program's there.
        if (!(error instanceof Deno.errors.InvalidData)) throw error;
        Deno.removeSync(`/dev/shm/millrace.${name}`);
      }
    }
  }
}

/** A directory that goes with the test. */
export class TemporaryDirectory implements Disposable {
  readonly directory: string = Deno.makeTempDirSync({ prefix: "millrace_test_" });

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

/** Runs `body` while the native library has other functions, of those that are not asynchronous. */
export function withNative<T>(
  functions: Partial<Record<keyof NativeSymbols, (...parameters: unknown[]) => unknown>>,
  body: () => T,
): T {
  const symbols = native() as Record<keyof NativeSymbols, unknown>;
  const before = { ...symbols };
  try {
    Object.assign(symbols, functions);
    return body();
  } finally {
    for (const name of Object.keys(functions) as (keyof NativeSymbols)[]) symbols[name] = before[name];
  }
}

/** What `SharedMemory.list()` says of a region. */
export function listed(
  name: string,
  place: SharedMemoryPlace = {},
): ReturnType<typeof SharedMemory.list>[number] | undefined {
  return SharedMemory.list({ prefix: name, ...place }).find((info) => info.name === name);
}

/** How often this process has a region mapped. */
export function mappingCount(name: string): number {
  const lines = Deno.readTextFileSync("/proc/self/maps").split("\n");
  return lines.filter((line) => line.includes(`/millrace.${name}`)).length;
}

/** Descriptors that this process has of a region. */
export function descriptorCount(name: string): number {
  let count = 0;
  for (const { name: fd } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${fd}`).includes(`/millrace.${name}`)) count++;
    } catch {
      // That of the directory itself.
    }
  }
  return count;
}

/** Runs `program`, which may import what it needs, and kills it at its native call `call`, counted from 0; whether it got through before. */
export async function killedAt(call: number, program: string): Promise<boolean> {
  const { code, stdout, stderr } = await runProgram(`
    import { native } from ${FFI_URL};
    import { SharedMemory } from ${MEMORY_URL};
    const calls = native();
    let left = ${call};
    for (const [name, call] of Object.entries(calls)) {
      // Deno gives functions that are not asynchronous as plain properties, and others as constant ones.
      if (!Object.getOwnPropertyDescriptor(calls, name).writable) continue;
      calls[name] = (...parameters) => {
        if (left-- === 0) Deno.kill(Deno.pid, "SIGKILL");
        return call(...parameters);
      };
    }
    ${program}
    console.log("done");
    Deno.exit(0);
  `);
  assertStrictEquals(stderr, "");
  if (stdout === "done\n") {
    assertStrictEquals(code, 0);
    return true;
  }
  assertEquals([code, stdout], [137, ""]);
  return false;
}

/** Resolves when `condition` holds; the test's watchdog bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
