/**
 * `deno task bindings`: writes ffi/bindings.ts from the functions that the native crate exports, and ffi/layouts.ts from the numbers that
 * both sides must agree on, as the crate's own `bindings` program prints them. `--check` writes nothing and exits with 1 when a file differs.
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

/** Numbers that belong together, as the crate's `bindings` program prints them. */
export interface NativeLayout {
  readonly name: string;
  readonly comment: string;
  readonly fields: readonly { readonly name: string; readonly comment: string; readonly value: number }[];
}

/** What the crate's `bindings` program prints. */
interface NativeListing {
  readonly functions: readonly NativeFunction[];
  readonly layoutHash: number;
  readonly layouts: readonly NativeLayout[];
}

const BINDINGS_PATH = "ffi/bindings.ts";
const LAYOUTS_PATH = "ffi/layouts.ts";

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

/** The TypeScript of ffi/layouts.ts, not yet formatted: names in camel case, comments as they are. */
export function layoutsSource({ layoutHash, layouts }: Omit<NativeListing, "functions">): string {
  return `// Generated from native/src/layouts.rs by \`deno task bindings\`; do not edit.

/** A number of all names and values below; the library says its own when it is loaded. */
export const LAYOUT_HASH = ${layoutHash};

${layouts.map(layoutSource).join("\n")}`;
}

function layoutSource({ name, comment, fields }: NativeLayout): string {
  const lines = fields.map((field) =>
    `${field.comment === "" ? "" : `${docComment(field.comment)}\n`}${camelCase(field.name)}: ${field.value},`
  );
  return `${docComment(comment)}\nexport const ${name} = {\n${lines.join("\n")}\n} as const;\n`;
}

function docComment(text: string): string {
  const lines = text.trim().split("\n").map((line) => line.trim());
  return lines.length === 1
    ? `/** ${lines[0]} */`
    : `/**\n${lines.map((line) => ` * ${line}`).join("\n")}\n */`;
}

/** `HTTP_11` becomes `http11`. */
function camelCase(name: string): string {
  return name.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Asks the crate for its functions and layouts and answers the formatted text of the files made of them, by path. */
async function generate(cargo: string): Promise<ReadonlyMap<string, string>> {
  const listing = await runCommand(
    cargo,
    // The development profile: in the release profile the feature would change the library that is shipped.
    ["run", "--quiet", "--locked", "--features", "bindings", "--bin", "bindings", "--target-dir", "target"],
    { directory: join(projectRoot, "native"), showProgress: true },
  );
  if (!listing.success) throw new Error(`the crate's bindings program ended with code ${listing.code}`);
  const { functions, ...layouts }: NativeListing = JSON.parse(listing.output);
  return new Map([
    [BINDINGS_PATH, await formatted(bindingsSource(functions))],
    [LAYOUTS_PATH, await formatted(layoutsSource(layouts))],
  ]);
}

async function formatted(source: string): Promise<string> {
  const result = await runCommand(Deno.execPath(), ["fmt", "--ext", "ts", "-"], {
    directory: projectRoot,
    input: source,
  });
  if (!result.success) throw new Error(`deno fmt ended with code ${result.code}\n${result.transcript}`);
  return result.output;
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
  try {
    let code = 0;
    for (const [path, generated] of await generate(cargo)) {
      const file = join(projectRoot, path);
      if (generated === await Deno.readTextFile(file).catch(() => "")) continue;
      if (parameters.includes("--check")) {
        printError(`generate_bindings: ${path} differs from native/src: run \`deno task bindings\``);
        code = 1;
      } else {
        await Deno.writeTextFile(file, generated);
        printError(`generate_bindings: wrote ${path}`);
      }
    }
    return code;
  } catch (error) {
    printError(`generate_bindings: ${messageOf(error)}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
