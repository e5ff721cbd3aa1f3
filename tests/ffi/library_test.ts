import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import { native, nativeStatus } from "../../ffi/mod.ts";
import { nameSkipReason, nativeSkipReason } from "../support/driver_native.ts";
import { runProgram } from "../support/driver_program.ts";
import { withWatchdog } from "../support/watchdog.ts";

const WATCHDOG_MS = 60_000;
const MODULE = new URL("../../ffi/mod.ts", import.meta.url).href;
const FULL_POWER = ["--allow-ffi", "--allow-read", "--allow-env"];

/** Says what came of opening the library, and what using it without asking throws. */
const PROGRAM = `
  import { monotonicNs, nativeStatus } from "${MODULE}";
  const status = nativeStatus();
  let thrown = "nothing";
  try {
    monotonicNs();
  } catch (error) {
    thrown = (error as Error).constructor.name + ": " + (error as Error).message;
  }
  console.log(JSON.stringify({ status, thrown, again: nativeStatus() }));
`;

interface Outcome {
  readonly status: { readonly available: boolean; readonly reason?: string; readonly path?: string };
  readonly thrown: string;
  readonly again: unknown;
}

async function open(flags: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> {
  const { code, stdout, stderr } = await runProgram(PROGRAM, {
    flags: ["--no-prompt", ...flags],
    environment: { MILLRACE_NATIVE: "", ...environment },
  });
  assertStrictEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

/** Not available, for one reason, which every way of asking gives. */
function assertUnavailable({ status, thrown, again }: Outcome, reason: RegExp): void {
  assertStrictEquals(status.available, false);
  assertMatch(status.reason ?? "", reason);
  assertStrictEquals(thrown, `NotSupported: open the native library: ${status.reason}`);
  assertEquals(again, status);
}

function libraryTest(name: string, body: () => Promise<void>, ignore = false): void {
  Deno.test({ name, ignore: ignore || Deno.build.os !== "linux", fn: () => withWatchdog(WATCHDOG_MS, body) });
}

const skipReason = nativeSkipReason();
nameSkipReason("the native library where it can be had", skipReason);

libraryTest("nativeStatus() opens the library that the build made", async () => {
  const { status, thrown } = await open(FULL_POWER);
  assertEquals([status.available, thrown], [true, "nothing"]);
  assertMatch(status.path ?? "", /libmillrace\.so$/);
}, skipReason !== undefined);

libraryTest("nativeStatus() opens the library that MILLRACE_NATIVE names", async () => {
  const status = nativeStatus();
  assert(status.available);
  const named = await open(FULL_POWER, { MILLRACE_NATIVE: status.path });
  assertEquals(named.status, { available: true, path: status.path });
}, skipReason !== undefined);

libraryTest("nativeStatus() says when MILLRACE_NATIVE switches it off", async () => {
  assertUnavailable(await open(FULL_POWER, { MILLRACE_NATIVE: "off" }), /^MILLRACE_NATIVE is "off"$/);
});

libraryTest("nativeStatus() names a file that is not there, and the remedy", async () => {
  const outcome = await open(FULL_POWER, { MILLRACE_NATIVE: "/nowhere/libmillrace.so" });
  assertUnavailable(outcome, /^\/nowhere\/libmillrace\.so is not there: run `deno task build`/);
});

libraryTest("nativeStatus() says that a file is no library", async () => {
  await withFile("not_a_library.so", new TextEncoder().encode("not a library\n"), async (path) => {
    const outcome = await open(FULL_POWER, { MILLRACE_NATIVE: path });
    assertUnavailable(outcome, /not_a_library\.so does not fit this system/);
  });
});

libraryTest("nativeStatus() says which permission is missing, and asks for none", async () => {
  const outcome = await open(["--allow-read", "--allow-env"]);
  assertUnavailable(outcome, /^no permission: run with --allow-ffi/);
});

libraryTest("nativeStatus() takes the usual file where it may not read the environment", async () => {
  const { status } = await open(["--allow-ffi", "--allow-read"], { MILLRACE_NATIVE: "off" });
  assertStrictEquals(status.available, true, status.reason);
}, skipReason !== undefined);

const compiler = await findCompiler();
nameSkipReason("libraries of other versions", compiler === undefined ? "there is no C compiler" : undefined);

libraryTest("nativeStatus() tells a library of another ABI version by its number", async () => {
  const symbols = await exportedNames();
  const functions = symbols.map((name) => `int ${name}(void) { return 999; }`);
  await withLibrary(functions.join("\n"), async (path) => {
    const outcome = await open(FULL_POWER, { MILLRACE_NATIVE: path });
    assertUnavailable(outcome, /has ABI version 999, expected \d+: run `deno task build`/);
  });
}, compiler === undefined);

libraryTest("nativeStatus() refuses a library that was built from other layouts", async () => {
  const others = (await exportedNames()).filter((name) => !/^millrace_(abi_version|layout_hash)$/.test(name));
  const version = native().millrace_abi_version();
  const source = [
    ...others.map((name) => `int ${name}(void) { return 0; }`),
    `int millrace_abi_version(void) { return ${version}; }`,
    `int millrace_layout_hash(unsigned *out) { *out = 12345; return 0; }`,
  ];
  await withLibrary(source.join("\n"), async (path) => {
    const outcome = await open(FULL_POWER, { MILLRACE_NATIVE: path });
    assertUnavailable(outcome, /has other layouts, hash 12345, expected \d+: run `deno task build`/);
  });
}, compiler === undefined || skipReason !== undefined);

libraryTest("nativeStatus() tells a library that lacks a function", async () => {
  await withLibrary("int millrace_abi_version(void) { return 1; }", async (path) => {
    const outcome = await open(FULL_POWER, { MILLRACE_NATIVE: path });
    assertUnavailable(outcome, /is of another version \(.*millrace_\w+.*\): run `deno task build`/);
  });
}, compiler === undefined);

/** Every function that the bindings name. */
async function exportedNames(): Promise<string[]> {
  const bindings = await import("../../ffi/bindings.ts");
  return Object.keys(bindings.symbols);
}

async function findCompiler(): Promise<string | undefined> {
  try {
    const { success } = await new Deno.Command("cc", { args: ["--version"], stdout: "null", stderr: "null" })
      .output();
    return success ? "cc" : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function withFile(
  name: string,
  content: Uint8Array,
  body: (path: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "millrace_library_" });
  try {
    const path = join(directory, name);
    await Deno.writeFile(path, content);
    await body(path);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Compiles `source` to a library. */
async function withLibrary(source: string, body: (path: string) => Promise<void>): Promise<void> {
  await withFile("fake.c", new TextEncoder().encode(source), async (path) => {
    const library = path.replace(/c$/, "so");
    const { success, stderr } = await new Deno.Command("cc", {
      args: ["-shared", "-fPIC", "-o", library, path],
    })
      .output();
    assert(success, new TextDecoder().decode(stderr));
    await body(library);
  });
}
