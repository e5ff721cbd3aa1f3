/**
 * `deno task test [--mode NAME]... [ARGUMENTS OF deno test]`: runs the suite as this machine allows, then what knows of io_uring
 * with io_uring refused in the two ways that containers and kernels do, then the suite without the native library. Ends with
 * what failed, in which mode, and one line, `N passed, N failed`; with code 1 when a test failed or none ran.
 */
import { join } from "node:path";
import { constants as osConstants } from "node:os";
import { buildNative, unavailableMessage } from "./build_native.ts";
import {
  addCounts,
  closingLine,
  countTests,
  failuresIn,
  noTests,
  type TestCounts,
  type TestFailure,
} from "./support/junit_report.ts";
import { lockFlags, projectRoot } from "./support/project.ts";
import { messageOf, print, printError } from "./support/terminal.ts";
import {
  prepareRefusalProgram,
  type RefusalProgram,
  type TestMode,
  testModes,
} from "./support/test_modes.ts";

const USAGE = `usage: deno task test [--mode NAME]... [ARGUMENTS OF deno test]

Without --mode the suite runs in every mode, one after the other:
${testModes.map(({ name, title }) => `  ${name.padEnd(10)} ${title}`).join("\n")}
Arguments of deno test are files, and options such as --filter TEXT; its own help: deno test --help.`;

/** The command line, taken apart. */
export interface TestParameters {
  readonly modes: readonly TestMode[];
  /** For `deno test`. */
  readonly rest: readonly string[];
}

/**
 * Takes `--mode NAME` and `--mode=NAME` out of a command line; without any, every mode is meant.
 * @throws {TypeError} on a mode that does not exist
 */
export function readParameters(parameters: readonly string[]): TestParameters {
  const names: string[] = [];
  const rest: string[] = [];
  for (let index = 0; index < parameters.length; index++) {
    const parameter = parameters[index];
    if (parameter === "--mode") names.push(parameters[++index] ?? "");
    else if (parameter.startsWith("--mode=")) names.push(parameter.slice("--mode=".length));
    else rest.push(parameter);
  }
  const unknown = names.find((name) => !testModes.some((mode) => mode.name === name));
  if (unknown !== undefined) {
    const known = testModes.map(({ name }) => name).join(", ");
    throw new TypeError(`unknown mode "${unknown}", expected one of ${known}`);
  }
  const modes = names.length === 0 ? testModes : testModes.filter(({ name }) => names.includes(name));
  return { modes, rest };
}

/** What one mode came to. */
interface ModeResult {
  readonly counts: TestCounts;
  readonly failures: readonly TestFailure[];
}

/** Runs one mode; the tests' output goes where ours goes. */
async function runMode(
  mode: TestMode,
  rest: readonly string[],
  refusal: RefusalProgram | undefined,
  directory: string,
): Promise<ModeResult> {
  const report = join(directory, `${mode.name}.xml`);
  // Who names files wants these.
  const ignored = rest.length > 0 ? ["scripts"] : mode.without;
  const command = [
    Deno.execPath(),
    "test",
    "-A",
    "--parallel",
    `--ignore=${ignored.join(",")}`,
    ...lockFlags(),
    `--junit-path=${report}`,
    ...rest,
  ];
  if (mode.refusal !== undefined && refusal?.state === "ready") command.unshift(refusal.path, mode.refusal);
  const [program, ...args] = command;
  const child = new Deno.Command(program, {
    args,
    cwd: projectRoot,
    env: { DENO_JOBS: fileJobs(), ...mode.environment, MILLRACE_TEST_MODE: mode.name },
    stdin: "null",
  }).spawn();
  running = child;
  const status = await child.status;
  running = undefined;
  return withEnding(await readReport(report), status);
}

/** How many files are tested at a time: one more than there are processors, because most tests wait for something. */
function fileJobs(): string {
  return Deno.env.get("DENO_JOBS") ?? String(navigator.hardwareConcurrency + 1);
}

/** A run that failed without naming a test (a module that does not load, a crash) counts as one failure. */
function withEnding(result: ModeResult | undefined, status: Deno.CommandStatus): ModeResult {
  const ending = status.signal === null ? `with code ${status.code}` : `by ${status.signal}`;
  if (result === undefined) return unnamedFailure(noTests, `the run ended ${ending} before it could report`);
  if (status.success || result.counts.failed > 0) return result;
  return unnamedFailure(result.counts, `the run ended ${ending} though no test of it failed`);
}

function unnamedFailure(counts: TestCounts, details: string): ModeResult {
  return { counts: addCounts(counts, { ...noTests, failed: 1 }), failures: [{ name: "the run", details }] };
}

async function readReport(path: string): Promise<ModeResult | undefined> {
  try {
    const report = await Deno.readTextFile(path);
    return { counts: countTests(report), failures: failuresIn(report) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

let running: Deno.ChildProcess | undefined;
let interruptedBy: Deno.Signal | undefined;

/** Passes the signal on, so that the run ends early and what it made on disk is still removed. */
function endOnSignal(signal: Deno.Signal): void {
  Deno.addSignalListener(signal, () => {
    interruptedBy = signal;
    try {
      running?.kill(signal);
    } catch {
      // It has ended: a Ctrl-C reaches it from the terminal too, and may do so first.
    }
  });
}

async function runModes({ modes, rest }: TestParameters): Promise<TestCounts> {
  const refusal = modes.some((mode) => mode.refusal !== undefined)
    ? await prepareRefusalProgram()
    : undefined;
  const directory = await Deno.makeTempDir({ prefix: "millrace_test_" });
  let counts = noTests;
  const failed: string[] = [];
  try {
    for (const mode of modes) {
      if (interruptedBy !== undefined) break;
      print(`\n=== ${mode.title} ===`);
      if (mode.refusal !== undefined && refusal?.state === "unavailable") {
        print(`skipped: ${refusal.reason}`);
        continue;
      }
      const result = await runMode(mode, rest, refusal, directory);
      counts = addCounts(counts, result.counts);
      for (const { name, details } of result.failures) failed.push(`[${mode.name}] ${name}\n${details}`);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  // Once more at the end: the runs print thousands of lines.
  for (const failure of failed) printError(`\nfailed: ${failure}`);
  return counts;
}

async function main(): Promise<number> {
  if (Deno.args.includes("--help") || Deno.args.includes("-h")) {
    print(USAGE);
    return 0;
  }
  let parameters: TestParameters;
  try {
    parameters = readParameters(Deno.args);
  } catch (error) {
    printError(`test: ${messageOf(error)}`);
    return 2;
  }
  endOnSignal("SIGINT");
  endOnSignal("SIGTERM");

  const build = await buildNative();
  if (build.state === "unavailable") printError(unavailableMessage(build));
  const counts = build.state === "failed" ? { ...noTests, failed: 1 } : await runModes(parameters);
  if (build.state === "failed") printError(`test: the native library was not built: ${build.reason}`);
  if (counts.passed + counts.failed === 0) printError("test: no test ran");
  print("");
  print(closingLine(counts));
  if (interruptedBy !== undefined) return 128 + osConstants.signals[interruptedBy as "SIGINT" | "SIGTERM"];
  return counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
