/**
 * `deno task build`: builds the native library when it is missing or not made from the sources as they are.
 *
 * `--check` builds nothing and exits with 1 unless the library is fresh. `--if-possible` exits with 0 where it
 * cannot be built for lack of tools, after one message, because everything but io_uring, shared memory
 * between processes and the native HTTP parser works without it.
 */
import { dirname } from "node:path";
import { findCargo, runCommand } from "./support/command.ts";
import {
  hashSources,
  type NativePaths,
  nativePaths,
  type NativeState,
  readNativeState,
  writeStamp,
} from "./support/native_stamp.ts";
import { projectRoot } from "./support/project.ts";
import { printError } from "./support/terminal.ts";

/**
 * What {@linkcode buildNative} found or did: `fresh`, nothing to do; `built`; `unavailable`, a tool that
 * building needs is missing on this machine, and the library is `stale` or missing; `failed`, the compiler
 * refused the sources.
 */
export type NativeBuild =
  | { readonly state: "fresh" | "built" }
  | { readonly state: "unavailable"; readonly reason: string; readonly stale: boolean }
  | { readonly state: "failed"; readonly reason: string };

/**
 * Makes the native library of the project at `root` fresh; cargo's progress goes to standard error. Several
 * processes may call this at once: one builds, the others wait and find it fresh.
 */
export async function buildNative(root: string = projectRoot): Promise<NativeBuild> {
  const paths = nativePaths(root);
  const state = await readNativeState(paths);
  if (state === "fresh") return { state };
  const stale = state === "stale";
  if (Deno.build.os !== "linux") return { state: "unavailable", reason: "it is for Linux only", stale };
  const cargo = await findCargo();
  if (cargo === undefined) return { state: "unavailable", reason: "cargo was not found", stale };

  await Deno.mkdir(dirname(paths.lock), { recursive: true });
  using lock = await Deno.open(paths.lock, { create: true, write: true });
  if (!await lock.tryLock(true)) {
    printError("build_native: waiting for another build of the native library to end");
    await lock.lock(true);
  }
  if (await readNativeState(paths) === "fresh") return { state: "fresh" };
  return await runCargo(cargo, paths, stale);
}

/** One message for a user whose machine cannot build the library: what to install, and what that adds. */
export function unavailableMessage({ reason, stale }: { reason: string; stale: boolean }): string {
  const consequence = stale
    ? "using a native library that was not made from these sources"
    : "running without the native library";
  return `millrace: ${consequence}, because it could not be built: ${reason}. ` +
    "To have io_uring, memory shared between processes and faster HTTP parsing, install Rust " +
    "(https://rustup.rs) and a C linker (gcc or clang), then run this again";
}

async function runCargo(cargo: string, paths: NativePaths, stale: boolean): Promise<NativeBuild> {
  printError("build_native: building the native library (cargo build --release)");
  const sources = await hashSources(paths.directory);
  // The target directory is named so that CARGO_TARGET_DIR cannot move it.
  const result = await runCommand(
    cargo,
    ["build", "--release", "--locked", "--lib", "--target-dir", "target"],
    { directory: paths.directory, showProgress: true },
  );
  if (!result.success) {
    const reason = missingTool(result.transcript);
    if (reason !== undefined) return { state: "unavailable", reason, stale };
    return { state: "failed", reason: `cargo build ended with code ${result.code}` };
  }
  try {
    await writeStamp(paths, sources);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { state: "failed", reason: `cargo left no library at ${paths.library}` };
  }
  return { state: "built" };
}

const MISSING_TOOLS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/linker `[^`]*` not found/, "the C linker that cargo needs was not found"],
  [/rustup could not choose a version|no (default|override) toolchain/i, "rustup has no toolchain installed"],
  [/could not execute process `[^`]*rustc/, "rustc was not found"],
  [
    /requires rustc|is not supported by the (active|following) |lock file version .* (requires|was found)/,
    "the Rust installed is too old",
  ],
  [
    /failed to (download|fetch|get `|query replaced source)|Could(n't| not) resolve host|attempting to make an HTTP/,
    "the crates it is made from could not be downloaded",
  ],
];

/** Why cargo failed, when the reason is this machine and not the sources. */
export function missingTool(transcript: string): string | undefined {
  return MISSING_TOOLS.find(([pattern]) => pattern.test(transcript))?.[1];
}

async function main(parameters: readonly string[]): Promise<number> {
  const unknown = parameters.find((parameter) => !["--check", "--if-possible"].includes(parameter));
  if (unknown !== undefined) {
    printError(`build_native: unknown argument ${unknown}, expected --check or --if-possible`);
    return 2;
  }
  if (parameters.includes("--check")) return reportState(await readNativeState(nativePaths(projectRoot)));

  const ifPossible = parameters.includes("--if-possible");
  // Whoever names a library, or none, is not waiting for this one.
  if (ifPossible && Deno.env.get("MILLRACE_NATIVE")) return 0;
  const build = await buildNative();
  switch (build.state) {
    case "fresh":
    case "built":
      return 0;
    case "unavailable":
      if (ifPossible) {
        printError(unavailableMessage(build));
        return 0;
      }
      printError(
        `build_native: ${build.reason}: install Rust (https://rustup.rs) and a C linker (gcc or clang)`,
      );
      return 1;
    case "failed":
      printError(`build_native: ${build.reason}`);
      return 1;
  }
}

function reportState(state: NativeState): number {
  if (state === "fresh") return 0;
  printError(`build_native: the native library is ${state}: run \`deno task build\``);
  return 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
