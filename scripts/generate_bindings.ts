/**
 * `deno task bindings`: writes ffi/bindings.ts from the functions that the native crate exports, as the crate's
 * own `bindings` program prints them. `--check` writes nothing and exits with 1 when the file differs.
 */
import { join } from "node:path";
import { findCargo, runCommand } from "./support/command.ts";
import { projectRoot } from "./support/project.ts";
import { messageOf, printError } from "./support/terminal.ts";

/** One exported function, as the crate's `bindings` program prints it. */
export interface NativeFunction {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly result: string;
  readonly nonBlocking: boolean;
}

const BINDINGS_PATH = "ffi/bindings.ts";

const NATIVE_TYPES: ReadonlySet<string> = new Set([
  "bool",
  "buffer",
  "f32",
  "f64",
  "i16",
  "i32",
  "i64",
  "i8",
  "isize",
  "pointer",
  "u16",
  "u32",
  "u64",
  "u8",
  "usize",
  "void",
]);

/**
 * The TypeScript of ffi/bindings.ts, not yet formatted. Sorted by name, because the linker decides in what
 * order the crate lists its functions.
 * @throws {TypeError} on a type that Deno's FFI does not know
 */
export function bindingsSource(functions: readonly NativeFunction[]): string {
  const sorted = functions.toSorted((a, b) => a.name < b.name ? -1 : 1);
  return `// Generated from native/src by \`deno task bindings\`; do not edit.

/** Signatures of every function the native library exports. */
export const symbols = {
${sorted.map(symbolSource).join("\n")}
} as const satisfies Deno.ForeignLibraryInterface;
`;
}

function symbolSource(native: NativeFunction): string {
  const parameters = native.parameters.map((type) =>
    // Whatever points into JavaScript's memory is a typed array, and as a buffer it costs the least.
    JSON.stringify(type === "pointer" ? "buffer" : knownType(type, native.name))
  );
  const result = JSON.stringify(knownType(native.result, native.name));
  const nonblocking = native.nonBlocking ? ", nonblocking: true" : "";
  return `${native.name}: { parameters: [${parameters.join(", ")}], result: ${result}${nonblocking} },`;
}

function knownType(type: string, name: string): string {
  if (NATIVE_TYPES.has(type)) return type;
  throw new TypeError(`Bind ${name}: type "${type}", expected one that Deno's FFI knows`);
}

/** Asks the crate for its functions and answers the formatted text of ffi/bindings.ts. */
async function generate(cargo: string): Promise<string> {
  const listing = await runCommand(
    cargo,
    // The development profile: in the release profile the feature would change the library that is shipped.
    ["run", "--quiet", "--locked", "--features", "bindings", "--bin", "bindings", "--target-dir", "target"],
    { directory: join(projectRoot, "native"), showProgress: true },
  );
  if (!listing.success) throw new Error(`the crate's bindings program ended with code ${listing.code}`);
  const source = bindingsSource(JSON.parse(listing.output));
  const formatted = await runCommand(Deno.execPath(), ["fmt", "--ext", "ts", "-"], {
    directory: projectRoot,
    input: source,
  });
  if (!formatted.success) {
    throw new Error(`deno fmt ended with code ${formatted.code}\n${formatted.transcript}`);
  }
  return formatted.output;
}

async function main(parameters: readonly string[]): Promise<number> {
  const unknown = parameters.find((parameter) => parameter !== "--check");
  if (unknown !== undefined) {
    printError(`generate_bindings: unknown argument ${unknown}, expected --check or nothing`);
    return 2;
  }
  const cargo = await findCargo();
  if (cargo === undefined) {
    printError("generate_bindings: cargo was not found: install Rust (https://rustup.rs)");
    return 1;
  }
  const path = join(projectRoot, BINDINGS_PATH);
  try {
    const generated = await generate(cargo);
    const committed = await Deno.readTextFile(path).catch(() => "");
    if (generated === committed) return 0;
    if (parameters.includes("--check")) {
      printError(`generate_bindings: ${BINDINGS_PATH} differs from native/src: run \`deno task bindings\``);
      return 1;
    }
    await Deno.writeTextFile(path, generated);
    printError(`generate_bindings: wrote ${BINDINGS_PATH}`);
    return 0;
  } catch (error) {
    printError(`generate_bindings: ${messageOf(error)}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
