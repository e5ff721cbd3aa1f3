import type { Output } from "./output.ts";
import type { Screen } from "./progress.ts";
import type { SettingName } from "./queue_settings.ts";
import type { Settings } from "./settings.ts";

/** What a command works with. */
export interface CommandContext {
  /** What stands on the command line beside options. */
  readonly positionals: readonly string[];
  readonly settings: Settings;
  /** Aborts, with a `StoppedError`, when the process is told to stop. */
  readonly signal: AbortSignal;
  /** Standard input, in chunks. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Standard output. */
  readonly output: Output;
  /** Where progress may be shown. */
  readonly screen: Screen;
  /** Whether the output goes to a terminal. */
  readonly outputIsTerminal: boolean;
}

/** A subcommand of `millrace queue`. */
export interface QueueCommand {
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** What else its help says. */
  readonly details?: string;
  /** As in a usage line: `<name>`, `[messages...]`. */
  readonly positionals: readonly string[];
  /** Its options, and what each means here. */
  readonly options: Readonly<Partial<Record<SettingName, string>>>;
  /** Does it; throws what `exitCodeOf` makes an exit code of. */
  run(context: CommandContext): Promise<void>;
}
