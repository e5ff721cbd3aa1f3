import type { Output } from "./output.ts";

/** The option that names the supervisor's socket. */
export const SOCKET_VARIABLE = "MILLRACE_SOCKET";

/** What a command about processes works with. */
export interface ProcessContext {
  /** What stands on the command line beside options. */
  readonly positionals: readonly string[];
  /** What follows each flag that was given; `"true"` for switches. */
  readonly flags: ReadonlyMap<string, string>;
  /** A variable of the environment. */
  readonly variable: (name: string) => string | undefined;
  /** Aborts, with a `StoppedError`, when the process is told to stop. */
  readonly signal: AbortSignal;
  /** Leaves what SIGINT and SIGTERM mean to the command. */
  readonly takeSignals: () => void;
  /** Standard output. */
  readonly output: Output;
  /** Writes to standard error. */
  readonly complain: (text: string) => void;
}

/** A subcommand of `millrace` about processes. */
export interface ProcessCommand {
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** What else its help says. */
  readonly details: string;
  /** As in a usage line: `<file>`, `[name]`. */
  readonly positionals: readonly string[];
  /** Its options: as in a usage line, and what each means. */
  readonly options: Readonly<Record<string, string>>;
  /** Does it; throws what `exitCodeOf` makes an exit code of, or gives one. */
  run(context: ProcessContext): Promise<number>;
}
