import type { Output } from "./output.ts";

/** The option with the supervisor's socket. */
export const SOCKET_VARIABLE = "MILLRACE_SOCKET";

/** The input of a command about processes. */
export interface ProcessContext {
  /** Arguments on the command line besides options. */
  readonly positionals: readonly string[];
  /** The value of each flag that was given; `"true"` for switches. */
  readonly flags: ReadonlyMap<string, string>;
  /** A variable of the environment. */
  readonly variable: (name: string) => string | undefined;
  /** Aborts, with a `StoppedError`, when the process is asked to stop. */
  readonly signal: AbortSignal;
  /** Lets the command itself handle SIGINT and SIGTERM. */
  readonly takeSignals: () => void;
  /** Standard output. */
  readonly output: Output;
  /** Writes to standard error. */
  readonly complain: (text: string) => void;
}

/** A subcommand of `millrace` about processes. */
export interface ProcessCommand {
  readonly name: string;
  /** A short description. */
  readonly summary: string;
  /** More text for its help. */
  readonly details: string;
  /** As in a usage line: `<file>`, `[name]`. */
  readonly positionals: readonly string[];
  /** Its options: syntax and description. */
  readonly options: Readonly<Record<string, string>>;
  /** Runs the command; returns an exit code, or throws an error that `exitCodeOf` maps to one. */
  run(context: ProcessContext): Promise<number>;
}
