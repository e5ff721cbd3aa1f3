/**
 * `deno task compile NAME`: makes dist/NAME, one executable file, of examples/NAME.ts, with Deno's runtime and
 * the native library inside. It has the permissions that the example's first line names.
 */
import { join } from "node:path";
import { buildNative, type NativeBuild } from "./build_native.ts";
import { runCommand } from "./support/command.ts";
import { examplePermissions, listExamples } from "./support/examples.ts";
import { nativePaths } from "./support/native_stamp.ts";
import { lockFlags, projectRoot } from "./support/project.ts";
import { print, printError } from "./support/terminal.ts";

/**
 * What to tell the user when `deno compile` failed because Deno's runtime for compiled programs could not be
 * downloaded; `undefined` when it failed for another reason.
 */
export function missingRuntimeMessage(transcript: string): string | undefined {
  const url = /https?:\/\/\S*denort\S*?\.zip/.exec(transcript)?.[0];
  if (url === undefined || !/error/i.test(transcript)) return undefined;
  const cause =
    /^\s*(?:\d+: )?((?:dns error|error sending request|failed to lookup|HTTP status|tcp connect).*)$/im
      .exec(transcript)?.[1];
  return `compile: Deno's runtime for compiled programs could not be downloaded from ${url}` +
    `${
      cause === undefined ? "" : ` (${cause})`
    }. Fetch and unpack that file on a machine that can, then run ` +
    "this again with DENORT_BIN set to the path of the unpacked denort";
}

/** Modules that are loaded by workers only, which the compiler does not find by itself. */
const WORKER_MODULES = ["src/run/cores/worker_entry.ts", "examples/support"] as const;

/** The flags that put the native library into the executable: none where this machine cannot build it. */
function nativeFlags(build: NativeBuild): string[] {
  if (build.state !== "unavailable") return ["--include", nativePaths(projectRoot).library];
  printError(`compile: going on without the native library, on Deno's own I/O: ${build.reason}`);
  return [];
}

async function main(parameters: readonly string[]): Promise<number> {
  const [name, ...excess] = parameters;
  const examples = await listExamples(projectRoot);
  if (name === undefined || excess.length > 0 || !examples.includes(name)) {
    const state = name === undefined ? "no example named" : `no example "${parameters.join(" ")}"`;
    printError(`compile: ${state}, expected one of ${examples.join(", ")}`);
    return 2;
  }
  const build = await buildNative();
  if (build.state === "failed") {
    printError(`compile: the native library was not built: ${build.reason}`);
    return 1;
  }
  const source = join("examples", `${name}.ts`);
  const permissions = examplePermissions(await Deno.readTextFile(join(projectRoot, source)));
  const output = join("dist", name);
  const includes = WORKER_MODULES.flatMap((path) => ["--include", path]);
  const flags = [...permissions, "--no-prompt", ...lockFlags(), ...includes, ...nativeFlags(build)];
  const result = await runCommand(Deno.execPath(), ["compile", ...flags, "--output", output, source], {
    directory: projectRoot,
  });
  if (result.success) {
    print(`compile: wrote ${output}`);
    return 0;
  }
  printError(
    missingRuntimeMessage(result.transcript) ?? `compile: deno compile failed\n${result.transcript}`,
  );
  return 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
