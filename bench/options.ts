import { parseArgs } from "node:util";

/** What one call of `deno task bench` asks for. */
export interface BenchOptions {
  /** Benchmarks to run, in the order they were named. */
  readonly names: readonly string[];
  /** One JSON document on standard output in place of tables. @default false */
  readonly json: boolean;
  /** Rounds per load; each contestant runs once in each. @default 3 */
  readonly rounds: number;
  /** Seconds of load per contestant and round, after one second that is not counted. @default 4 */
  readonly seconds: number;
  /** Identifiers of the only contestants to run, or `undefined` for all. */
  readonly only: ReadonlySet<string> | undefined;
  /** Explains the options and ends. @default false */
  readonly help: boolean;
}

/** An argument that means nothing here; its message is one line for whoever typed it. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const roundsMax = 1000;
const secondsMax = 3600;
const optionNames = "--rounds N, --seconds N, --only ID,…, --json, --help";

/**
 * Reads the command line of the benchmarks.
 *
 * @param args arguments after the task's name
 * @param names every benchmark there is; naming none means all of them
 * @param ids every contestant there is
 * @throws {UsageError} naming the argument that is not understood
 */
export function parseOptions(
  args: readonly string[],
  names: readonly string[],
  ids: readonly string[],
): BenchOptions {
  const { values, positionals } = parseStrictly(args, names);
  for (const name of positionals) expectKnown("benchmark", name, names);
  const only = values.only?.split(",");
  for (const id of only ?? []) expectKnown("contestant", id, ids);
  return {
    names: positionals.length === 0 ? names : [...new Set(positionals)],
    json: values.json ?? false,
    rounds: wholeNumber("--rounds", values.rounds ?? "3", roundsMax),
    seconds: wholeNumber("--seconds", values.seconds ?? "4", secondsMax),
    only: only === undefined ? undefined : new Set(only),
    help: values.help ?? false,
  };
}

interface ParsedArguments {
  values: { json?: boolean; rounds?: string; seconds?: string; only?: string; help?: boolean };
  positionals: string[];
}

function parseStrictly(args: readonly string[], names: readonly string[]): ParsedArguments {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        rounds: { type: "string" },
        seconds: { type: "string" },
        only: { type: "string" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    // The parser's message goes on to explain positional arguments: its first sentence names the mistake.
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(
      `${message.split(/\.\s|\n/)[0]}: options are ${optionNames}; benchmarks are ${names.join(", ")}`,
    );
  }
}

function expectKnown(what: string, name: string, known: readonly string[]): void {
  if (!known.includes(name)) {
    throw new UsageError(`unknown ${what} \`${name}\`: expected one of ${known.join(", ")}`);
  }
}

function wholeNumber(option: string, text: string, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most) {
    throw new UsageError(`${option} \`${text}\`: expected a whole number from 1 to ${most}`);
  }
  return value;
}
