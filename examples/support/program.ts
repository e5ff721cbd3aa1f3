// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * How examples of several files read their options, and end. Those of one file do it themselves.
 *
 * @module
 */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

const USAGE_EXIT_CODE = 2;

/** The result of `parseArgs()` for these options. */
type Values<T extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: T }>>["values"];

/** A program with options. */
export class Program {
  readonly #name: string;
  readonly #usage: string;

  /** `synopsis` is what follows its name: `[--count N]`. */
  constructor(name: string, synopsis: string) {
    this.#name = name;
    this.#usage = `usage: ${name} ${synopsis}`;
  }

  /** The result of `read` for the options of the command line; ends the program where it throws, or for `--help`. */
  options<const T extends ParseArgsOptionsConfig, R>(described: T, read: (values: Values<T>) => R): R {
    const help = { type: "boolean", short: "h", default: false } as const;
    try {
      const parsed = parseArgs({ args: Deno.args, options: { ...described, help } });
      const values = parsed.values as Values<T> & { readonly help: boolean };
      if (!values.help) return read(values);
    } catch (error) {
      this.fail(`${messageOf(error)}; ${this.#usage}`, USAGE_EXIT_CODE);
    }
    console.log(this.#usage);
    Deno.exit(0);
  }

  /** Prints what went wrong, and ends the program. */
  fail(error: unknown, exitCode = 1): never {
    console.error(`${this.#name}: ${messageOf(error)}`);
    Deno.exit(exitCode);
  }
}

function messageOf(error: unknown): unknown {
  return error instanceof Error ? error.message : error;
}
