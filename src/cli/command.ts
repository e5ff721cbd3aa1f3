import type { Output } from "./output.ts";
import type { Screen } from "./progress.ts";
import type { SettingName } from "./queue_settings.ts";
import type { Settings } from "./settings.ts";

/** The input of a command. */
export interface CommandContext {
  /** Arguments on the command line besides options. */
  readonly positionals: readonly string[];
  readonly settings: Settings;
  /** Aborts, with a `StoppedError`, when the process is asked to stop. */
  readonly signal: AbortSignal;
  /** Standard input, in chunks. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Standard output. */
  readonly output: Output;
  /** Where to show progress. */
  readonly screen: Screen;
  /** Whether the output is a terminal. */
  readonly outputIsTerminal: boolean;
}

/** A subcommand of `millrace queue`. */
export interface QueueCommand {
  readonly name: string;
  /** A short description. */
  readonly summary: string;
  /** More text for its help. */
  readonly details?: string;
  /** As in a usage line: `<name>`, `[messages...]`. */
  readonly positionals: readonly string[];
  /** Its options, with their descriptions. */
  readonly options: Readonly<Partial<Record<SettingName, string>>>;
  /** Runs the command; throws errors that `exitCodeOf` maps to an exit code. */
  run(context: CommandContext): Promise<void>;
}
