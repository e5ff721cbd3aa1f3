/**
 * `deno task test [--mode NAME]... [ARGUMENTS OF deno test]`: runs the suite as this machine allows; beside it what differs with
 * io_uring refused in the two ways that containers and kernels do, and without the native library. Ends with what failed, in which mode, and
 * one line, `N passed, N failed`; with code 1 when a test failed or none ran. Who names a file or a folder gets the default mode only.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
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
import { TestRun } from "./support/test_run.ts";

const USAGE = `usage: deno task test [--mode NAME]... [ARGUMENTS OF deno test]

Modes:
${testModes.map(({ name, title }) => `  ${name.padEnd(10)} ${title}`).join("\n")}
Without --mode the suite runs in every mode, or, when files or folders are named, in the default mode.
Other arguments are those of deno test, such as --filter TEXT; its own help: deno test --help.`;

/** The command line, taken apart. */
export interface TestParameters {
  readonly modes: readonly TestMode[];
  /** For `deno test`. */
  readonly rest: readonly string[];
  /** Whether files or folders are among them. */
  readonly namesFiles: boolean;
}

/**
 * Takes `--mode NAME` and `--mode=NAME` out of a command line. Without any, every mode is meant; when it names files, the default mode.
 * @throws {TypeError} on a mode that does not exist
 */
export function readParameters(
  parameters: readonly string[],
  isPath: (parameter: string) => boolean = existsSync,
): TestParameters {
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
  const namesFiles = rest.some((parameter) => !parameter.startsWith("-") && isPath(parameter));
  if (names.length === 0 && namesFiles) names.push("default");
  const modes = names.length === 0 ? testModes : testModes.filter(({ name }) => names.includes(name));
  return { modes, rest, namesFiles };
}

/** What one mode came to. */
interface ModeResult {
  readonly counts: TestCounts;
  readonly failures: readonly TestFailure[];
}

/** How one mode runs. */
interface ModeOrder {
  readonly run: TestRun;
  readonly refusal: RefusalProgram | undefined;
  /** Files that are tested at a time. */
  readonly jobs: number;
  /** Whether other modes run beside it. */
  readonly beside: boolean;
}

/** Runs one mode; the tests' output goes where ours goes, beside other modes with its name before each line. */
async function runMode(mode: TestMode, parameters: TestParameters, order: ModeOrder): Promise<ModeResult> {
  const report = join(order.run.directory, `${mode.name}.xml`);
  // Who names files wants these, whatever the mode would leave out.
  const [ignored, files] = parameters.namesFiles ? [["scripts"], []] : [mode.without, mode.only];
  const command = [
    Deno.execPath(),
    "test",
    "-A",
    "--parallel",
    // The default mode checks the types of all that the others run.
    ...(mode.name === "default" ? [] : ["--no-check"]),
    ...(ignored.length > 0 ? [`--ignore=${ignored.join(",")}`] : []),
    ...lockFlags(),
    `--junit-path=${report}`,
    ...parameters.rest,
    ...files,
  ];
  if (mode.refusal !== undefined && order.refusal?.state === "ready") {
    command.unshift(order.refusal.path, mode.refusal);
  }
  const status = await order.run.run(command, {
    directory: projectRoot,
    environment: {
      DENO_JOBS: Deno.env.get("DENO_JOBS") ?? String(order.jobs),
      ...mode.environment,
      MILLRACE_TEST_MODE: mode.name,
    },
    ...(order.beside ? { onText: lineWriter(`${mode.name.padEnd(9)} | `) } : {}),
  });
  return withEnding(await readReport(report), status);
}

/** Writes text as lines that begin with `prefix`. */
function lineWriter(prefix: string): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) print(prefix + line);
  };
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

/** What all modes came to, the failures with the mode in their names. */
interface SuiteResult {
  counts: TestCounts;
  readonly failed: string[];
}

/**
 * Runs the modes. The default mode is as long as all others together, so that these run one after the other beside it, where there is
 * more than one processor. Most tests wait for something: each row has as many jobs as there are processors, and one more when it is alone.
 */
async function runModes(parameters: TestParameters, run: TestRun): Promise<SuiteResult> {
  const { modes } = parameters;
  const refusal = modes.some((mode) => mode.refusal !== undefined)
    ? await prepareRefusalProgram()
    : undefined;
  const processors = navigator.hardwareConcurrency;
  const beside = modes.length > 1 && modes[0].name === "default" && processors > 1;
  const rows = beside ? [modes.slice(0, 1), modes.slice(1)] : [modes];
  const order: ModeOrder = { run, refusal, beside, jobs: beside ? processors : processors + 1 };
  const result: SuiteResult = { counts: noTests, failed: [] };
  await Promise.all(rows.map((row) => runRow(row, parameters, order, result)));
  const left = await run.leftNames();
  if (left.length > 0 && result.failed.length === 0 && run.interruptedCode === undefined) {
    addFailure(result, "the run", `tests left shared memory behind: ${left.join(", ")}`);
  }
  return result;
}

async function runRow(
  modes: readonly TestMode[],
  parameters: TestParameters,
  order: ModeOrder,
  result: SuiteResult,
): Promise<void> {
  for (const mode of modes) {
    if (order.run.interruptedCode !== undefined) return;
    print(`\n=== ${mode.title} ===`);
    if (mode.refusal !== undefined && order.refusal?.state === "unavailable") {
      print(`skipped: ${order.refusal.reason}`);
      continue;
    }
    const startMs = performance.now();
    const { counts, failures } = await runMode(mode, parameters, order);
    print(`=== ${mode.title}: ${((performance.now() - startMs) / 1000).toFixed(0)} s ===`);
    result.counts = addCounts(result.counts, counts);
    for (const { name, details } of failures) result.failed.push(`[${mode.name}] ${name}\n${details}`);
  }
}

function addFailure(result: SuiteResult, name: string, details: string): void {
  result.counts = addCounts(result.counts, { ...noTests, failed: 1 });
  result.failed.push(`${name}\n${details}`);
}

async function runSuite(parameters: TestParameters): Promise<number> {
  await using run = new TestRun();
  run.endOnSignals();
  const { counts, failed } = await runModes(parameters, run);
  // Once more at the end: the runs print thousands of lines.
  for (const failure of failed) printError(`\nfailed: ${failure}`);
  if (counts.passed + counts.failed === 0) printError("test: no test ran");
  print("");
  print(closingLine(counts));
  return run.interruptedCode ?? (counts.failed > 0 || counts.passed === 0 ? 1 : 0);
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
  const build = await buildNative();
  if (build.state === "unavailable") printError(unavailableMessage(build));
  if (build.state === "failed") {
    printError(`test: the native library was not built: ${build.reason}`);
    print(closingLine({ ...noTests, failed: 1 }));
    return 1;
  }
  return await runSuite(parameters);
}

if (import.meta.main) Deno.exit(await main());
