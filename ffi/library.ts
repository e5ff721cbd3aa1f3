/**
 * The native library: found, checked and opened once per thread, on first use.
 *
 * `MILLRACE_NATIVE` has the path of the file, or is `off`. Without it the library is where `deno task build` puts it.
 */
import { symbols } from "./bindings.ts";
import { LAYOUT_HASH } from "./layouts.ts";

/** Functions of the native library as Deno calls them. */
export type NativeSymbols = Deno.DynamicLibrary<typeof symbols>["symbols"];

/** Whether this thread can use the native library, and why not. */
export type NativeStatus =
  | { readonly available: true; readonly path: string }
  | { readonly available: false; readonly reason: string };

/** Must equal `ABI_VERSION` in native/src/boundary.rs. */
const ABI_VERSION = 10;
const ENVIRONMENT_VARIABLE = "MILLRACE_NATIVE";
const REMEDY =
  "run `deno task build` in a checkout of Millrace (needs Rust), or set MILLRACE_NATIVE to the file";

type Opened = NativeStatus & { readonly symbols?: NativeSymbols };
let opened: Opened | undefined;

/**
 * The functions of the native library.
 *
 * @throws {Deno.errors.NotSupported} naming the cause and the remedy
 */
export function native(): NativeSymbols {
  opened ??= open();
  if (opened.symbols === undefined) {
    const reason = opened.available ? "not opened" : opened.reason;
    throw new Deno.errors.NotSupported(`open the native library: ${reason}`);
  }
  return opened.symbols;
}

/** Whether the native library can be used in this thread; opens it to find out. Never throws. */
export function nativeStatus(): NativeStatus {
  opened ??= open();
  return opened.available
    ? { available: true, path: opened.path }
    : { available: false, reason: opened.reason };
}

function open(): Opened {
  if (Deno.build.os !== "linux") {
    return unavailable(`it exists for Linux only, this is ${Deno.build.os}`);
  }
  const path = locate();
  if (typeof path !== "string") return path;
  // Querying the permission first keeps Deno from prompting: without native access the program takes the portable path.
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return unavailable("no permission: run with --allow-ffi (unscoped; it grants full native access)");
  }
  let library: Deno.DynamicLibrary<typeof symbols>;
  try {
    library = Deno.dlopen(path, symbols);
  } catch (error) {
    return unavailable(describeOpenFailure(path, error));
  }
  const version = library.symbols.millrace_abi_version();
  if (version !== ABI_VERSION) {
    library.close();
    return unavailable(`${path} has ABI version ${version}, expected ${ABI_VERSION}: ${REMEDY}`);
  }
  const hash = new Uint32Array(1);
  library.symbols.millrace_layout_hash(hash);
  if (hash[0] !== LAYOUT_HASH) {
    library.close();
    return unavailable(`${path} has other layouts, hash ${hash[0]}, expected ${LAYOUT_HASH}: ${REMEDY}`);
  }
  return { available: true, path, symbols: library.symbols };
}

function unavailable(reason: string): Opened {
  return { available: false, reason };
}

function locate(): string | Opened {
  const named = environmentVariable();
  if (named === "off") return unavailable(`${ENVIRONMENT_VARIABLE} is "off"`);
  if (named !== undefined && named !== "") return named;
  const url = new URL("../native/target/release/libmillrace.so", import.meta.url);
  if (url.protocol !== "file:") {
    return unavailable(`a package loaded from ${url.protocol}//${url.host} carries no binary: ${REMEDY}`);
  }
  return decodeURIComponent(url.pathname);
}

/** The variable, or `undefined` where the program may not read it. */
function environmentVariable(): string | undefined {
  const permission = Deno.permissions.querySync({ name: "env", variable: ENVIRONMENT_VARIABLE });
  return permission.state === "granted" ? Deno.env.get(ENVIRONMENT_VARIABLE) : undefined;
}

function describeOpenFailure(path: string, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/No such file|cannot open shared object/i.test(text)) return `${path} is not there: ${REMEDY}`;
  if (/Could not (find|load) symbol|undefined symbol|register symbol/i.test(text)) {
    return `${path} is of another version (${text}): ${REMEDY}`;
  }
  if (/GLIBC|ELF|file too short/i.test(text)) {
    return `${path} does not fit this system (${text}): build it on this machine`;
  }
  return `${path}: ${text}`;
}
