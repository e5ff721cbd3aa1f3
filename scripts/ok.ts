/**
 * `deno task ok [--no-tests]`: every check that a change has to pass, one line each, all of them even when one
 * fails. Exits with 1 when any failed. Where `CI` is set the lock file is frozen and `deno publish` refuses
 * uncommitted files.
 */
import { join } from "node:path";
import { buildNative } from "./build_native.ts";
import { findCargo, runCommand } from "./support/command.ts";
import { exists, lockFlags, projectRoot, readProject } from "./support/project.ts";
import { messageOf, print, printError } from "./support/terminal.ts";

/** How a check ended: `ok`; `fail`, with the output that says why; `skip`, with the reason. */
export type CheckOutcome =
  | { readonly state: "ok" }
  | { readonly state: "fail" | "skip"; readonly detail: string };

/** One line of the report. */
export interface Check {
  readonly name: string;
  run(): Promise<CheckOutcome>;
}

/** The Rust crates of the project. */
const CRATES = ["native", "tests/support/refuse_io_uring"] as const;

/** Runs the checks one after the other, writes a line for each and answers the names of those that failed. */
export async function runChecks(
  checks: readonly Check[],
  write: (line: string) => void = print,
): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of checks) {
    const start = performance.now();
    const outcome = await run().catch((error): CheckOutcome => ({ state: "fail", detail: messageOf(error) }));
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const reason = outcome.state === "skip" ? `: ${outcome.detail}` : "";
    write(`${outcome.state.padEnd(4)}  ${name}  ${seconds} s${reason}`);
    if (outcome.state !== "fail") continue;
    failed.push(name);
    if (outcome.detail !== "") write(outcome.detail.trimEnd().replace(/^/gm, "      "));
  }
  return failed;
}

async function outcomeOf(
  program: string,
  parameters: readonly string[],
  directory: string = projectRoot,
): Promise<CheckOutcome> {
  const result = await runCommand(program, parameters, { directory });
  if (result.success) return { state: "ok" };
  const ending = result.timedOut ? "did not end in time" : `ended with code ${result.code}`;
  return { state: "fail", detail: `${result.transcript.trimEnd()}\n${ending}` };
}

function denoCheck(name: string, ...parameters: readonly string[]): Check {
  return { name, run: () => outcomeOf(Deno.execPath(), parameters) };
}

function scriptCheck(name: string, script: string, ...parameters: readonly string[]): Check {
  return denoCheck(name, "run", "-A", ...lockFlags(), `scripts/${script}`, ...parameters);
}

/** A check in each crate, skipped on a machine without Rust. */
function cargoCheck(name: string, cargo: string | undefined, ...parameters: readonly string[]): Check {
  return {
    name,
    async run(): Promise<CheckOutcome> {
      if (cargo === undefined) return { state: "skip", detail: "cargo was not found" };
      for (const crate of CRATES) {
        const outcome = await outcomeOf(cargo, parameters, join(projectRoot, crate));
        if (outcome.state !== "ok") return outcome;
      }
      return { state: "ok" };
    },
  };
}

function clippyCheck(name: string, cargo: string | undefined, ...features: readonly string[]): Check {
  return cargoCheck(name, cargo, "clippy", "--locked", "--all-targets", ...features, "--", "-D", "warnings");
}

async function checkNative(): Promise<CheckOutcome> {
  const build = await buildNative();
  if (build.state === "failed") return { state: "fail", detail: build.reason };
  return build.state === "unavailable" ? { state: "skip", detail: build.reason } : { state: "ok" };
}

/** The only check whose output is shown while it runs: the tests say how they go. */
async function runTests(): Promise<CheckOutcome> {
  const status = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...lockFlags(), "scripts/test.ts"],
    cwd: projectRoot,
    stdin: "null",
  }).spawn().status;
  return status.success ? { state: "ok" } : { state: "fail", detail: "" };
}

async function listChecks(): Promise<Check[]> {
  const cargo = await findCargo();
  const { exports } = await readProject();
  const folders: string[] = [];
  for (const folder of ["ffi", "src", "tests", "examples", "scripts", "bench"]) {
    if (await exists(join(projectRoot, folder))) folders.push(folder);
  }
  const dirty = Deno.env.get("CI") ? [] : ["--allow-dirty"];
  const bindings = scriptCheck("bindings up to date", "generate_bindings.ts", "--check");
  return [
    { name: "native library", run: checkNative },
    denoCheck("format", "fmt", "--check"),
    denoCheck("lint", "lint"),
    denoCheck("types", "check", ...lockFlags(), ...Object.values(exports), ...folders),
    scriptCheck("layers", "check_layers.ts"),
    scriptCheck("documentation", "check_docs.ts"),
    denoCheck("publish dry run", "publish", "--dry-run", ...dirty),
    cargo === undefined ? cargoCheck(bindings.name, cargo) : bindings,
    cargoCheck("cargo fmt", cargo, "fmt", "--check"),
    clippyCheck("clippy", cargo),
    clippyCheck("clippy with every feature", cargo, "--all-features"),
    cargoCheck("cargo test", cargo, "test", "--locked", "--quiet"),
    scriptCheck("consumer", "test_consumer.ts"),
  ];
}

async function main(parameters: readonly string[]): Promise<number> {
  const unknown = parameters.find((parameter) => parameter !== "--no-tests");
  if (unknown !== undefined) {
    printError(`ok: unknown argument ${unknown}, expected --no-tests or nothing`);
    return 2;
  }
  const checks = await listChecks();
  if (!parameters.includes("--no-tests")) checks.push({ name: "tests", run: runTests });
  const failed = await runChecks(checks);
  print(failed.length === 0 ? "ok: no check failed" : `failed: ${failed.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
