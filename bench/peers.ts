import { existsSync } from "node:fs";
import { type Command, isOnPath, modifiedMs, rootDirectory } from "./command.ts";
import { ChildProcess } from "./child_process.ts";

/** A contestant's command, or why there is none on this machine. */
export type Availability =
  | { readonly state: "ready"; readonly command: Command }
  | { readonly state: "unavailable"; readonly reason: string };

const buildDirectory = "bench/peers/build";
const built = new Map<string, Promise<Availability>>();

/** Says where a build is, on standard error; standard output belongs to the results. */
function progress(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Builds `bench/peers/NAME.c` with the machine's C compiler. */
export function builtFromC(name: string): Promise<Availability> {
  return buildOnce({
    output: `${buildDirectory}/${name}`,
    sources: [`bench/peers/${name}.c`],
    tool: "cc",
    args: ["-O2", "-std=gnu11", `bench/peers/${name}.c`, "-o", `${buildDirectory}/${name}`],
  });
}

/** Builds `bench/peers/NAME.cpp` with the machine's C++ compiler, where it finds `header`. */
export async function builtFromCpp(name: string, header: string): Promise<Availability> {
  const places = [`/usr/include/${header}`, `/usr/local/include/${header}`];
  if (!places.some((path) => existsSync(path))) {
    return { state: "unavailable", reason: `${header} is not installed` };
  }
  return await buildOnce({
    output: `${buildDirectory}/${name}`,
    sources: [`bench/peers/${name}.cpp`],
    tool: "c++",
    args: ["-O2", "-std=c++17", `bench/peers/${name}.cpp`, "-o", `${buildDirectory}/${name}`],
  });
}

/** Builds `bench/peers/NAME.go` with the machine's Go. */
export function builtFromGo(name: string): Promise<Availability> {
  return buildOnce({
    output: `${buildDirectory}/${name}`,
    sources: [`bench/peers/${name}.go`],
    tool: "go",
    args: ["build", "-o", `${buildDirectory}/${name}`, `bench/peers/${name}.go`],
  });
}

/** Builds the tokio and hyper contestants with the machine's cargo, from the committed lock file. */
export function builtFromCargo(): Promise<Availability> {
  const crate = "bench/peers/tokio";
  return buildOnce({
    output: `${crate}/target/release/tokio_peer`,
    sources: ["Cargo.toml", "Cargo.lock", "src/main.rs", "src/echo.rs", "src/io/http.rs", "src/timers.rs"]
      .map((name) => `${crate}/${name}`),
    tool: "cargo",
    args: ["build", "--release", "--locked", "--quiet", "--manifest-path", `${crate}/Cargo.toml`],
  });
}

/** Builds the native queues that rings and calls are measured beside. */
export function builtRings(): Promise<Availability> {
  const crate = "bench/peers/rings";
  return buildOnce({
    output: `${crate}/target/release/rings_peer`,
    sources: [
      "Cargo.toml",
      "Cargo.lock",
      "src/main.rs",
      "src/throughput.rs",
      "src/roundtrip.rs",
      "src/calls.rs",
    ]
      .map((name) => `${crate}/${name}`),
    tool: "cargo",
    args: ["build", "--release", "--locked", "--quiet", "--manifest-path", `${crate}/Cargo.toml`],
  });
}

interface Recipe {
  readonly output: string;
  readonly sources: readonly string[];
  readonly tool: string;
  readonly args: readonly string[];
}

function buildOnce(recipe: Recipe): Promise<Availability> {
  const known = built.get(recipe.output);
  if (known !== undefined) return known;
  const result = build(recipe);
  built.set(recipe.output, result);
  return result;
}

async function build(recipe: Recipe): Promise<Availability> {
  const ready: Availability = { state: "ready", command: { executable: `./${recipe.output}`, args: [] } };
  if (isUpToDate(recipe)) return ready;
  if (!isOnPath(recipe.tool)) {
    return { state: "unavailable", reason: `${recipe.tool} is not on the search path` };
  }
  await Deno.mkdir(`${rootDirectory}${buildDirectory}`, { recursive: true });
  progress(`building ${recipe.output}`);
  const compiler = ChildProcess.start({ executable: recipe.tool, args: recipe.args });
  const { success } = await compiler.ended;
  if (success) return ready;
  return { state: "unavailable", reason: `${recipe.tool} ${await compiler.describeEnd()}` };
}

function isUpToDate(recipe: Recipe): boolean {
  const outputMs = modifiedMs(recipe.output);
  return outputMs !== undefined &&
    recipe.sources.every((source) => (modifiedMs(source) ?? Infinity) <= outputMs);
}
