/**
 * `deno task soak NAME [--seconds N] [--seed N]`: runs tests that are long by nature again and again, by another seed each time, until the time is
 * over or one fails; without a name it lists them. Results so far are in docs/reliability.md.
 */
import { parseArgs } from "node:util";
import { buildNative } from "./build_native.ts";
import { lockFlags, projectRoot } from "./support/project.ts";
import { type Soak, soaks } from "./support/soaks.ts";
import { messageOf, print, printError } from "./support/terminal.ts";
import { TestRun } from "./support/test_run.ts";

const USAGE = `usage: deno task soak NAME [--seconds N] [--seed N]

Runs NAME by one seed after the other, from N or a random one, for 60 seconds or N, at least once.
${soaks.map(({ name, title }) => `  ${name.padEnd(13)} ${title}`).join("\n")}`;
const SECONDS_DEFAULT = 60;
const SEED_RANGE = 2 ** 32;

/** What is to be done. */
export interface SoakOrder {
  readonly soak: Soak;
  readonly seconds: number;
  readonly seed: number;
}

/**
 * Reads a command line.
 * @throws {TypeError | RangeError} on what there is not
 */
export function readOrder(parameters: readonly string[]): SoakOrder {
  const { values, positionals } = parseArgs({
    args: [...parameters],
    allowPositionals: true,
    options: { seconds: { type: "string" }, seed: { type: "string" } },
  });
  const soak = soaks.find(({ name }) => name === positionals[0]);
  if (soak === undefined || positionals.length > 1) {
    throw new TypeError(
      `"${positionals.join(" ")}", expected one of ${soaks.map(({ name }) => name).join(", ")}`,
    );
  }
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  return {
    soak,
    seconds: wholeNumber("seconds", values.seconds, SECONDS_DEFAULT),
    seed: wholeNumber("seed", values.seed, random) % SEED_RANGE,
  };
}

function wholeNumber(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0 && text !== "") return number;
  throw new RangeError(`--${name} is "${text}", expected a whole number`);
}

/** Runs the tests by one seed; what they wrote, when they failed. */
async function runOnce(run: TestRun, soak: Soak, seed: number): Promise<string | undefined> {
  const filter = soak.filter === undefined ? [] : [`--filter=${soak.filter}`];
  let text = "";
  const command = [
    Deno.execPath(),
    "test",
    "-A",
    "--no-check",
    "--parallel",
    ...lockFlags(),
    ...filter,
    ...soak.files,
  ];
  const status = await run.run(command, {
    directory: projectRoot,
    environment: { ...soak.environment, MILLRACE_TEST_SEED: String(seed), NO_COLOR: "1" },
    onText: (piece) => text += piece,
  });
  if (status.success && !/\b[1-9]\d* passed/.test(text)) return `${text}\nno test ran`;
  return status.success ? undefined : text;
}

/** Runs until the time is over, a run fails, or a signal comes; the exit code. */
async function runSoak({ soak, seconds, seed }: SoakOrder): Promise<number> {
  await using run = new TestRun();
  run.endOnSignals();
  const startMs = performance.now();
  const elapsedSeconds = () => (performance.now() - startMs) / 1000;
  let count = 0;
  do {
    const now = (seed + count) % SEED_RANGE;
    const failure = await runOnce(run, soak, now);
    if (run.interruptedCode !== undefined) break;
    count++;
    if (failure !== undefined) {
      printError(failure);
      printError(`soak: ${soak.name} failed; again: deno task soak ${soak.name} --seed ${now} --seconds 0`);
      return 1;
    }
    print(`${soak.name}: seed ${now}, ${elapsedSeconds().toFixed(0)} s`);
  } while (elapsedSeconds() < seconds);
  print(`${soak.name}: ${count} runs in ${elapsedSeconds().toFixed(0)} s, from seed ${seed}, none failed`);
  return run.interruptedCode ?? 0;
}

async function main(parameters: readonly string[]): Promise<number> {
  if (parameters.length === 0 || parameters.includes("--help") || parameters.includes("-h")) {
    print(USAGE);
    return 0;
  }
  let order: SoakOrder;
  try {
    order = readOrder(parameters);
  } catch (error) {
    printError(`soak: ${messageOf(error)}`);
    return 2;
  }
  // What needs the library is skipped where it cannot be built, and says so.
  const build = await buildNative();
  if (build.state === "failed") {
    printError(`soak: the native library was not built: ${build.reason}`);
    return 1;
  }
  return await runSoak(order);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
