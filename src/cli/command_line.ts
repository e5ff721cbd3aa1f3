import { Command, CommanderError, Option } from "npm:commander@15.1.0";
import type { QueueCommand } from "./command.ts";
import { EXIT_CODE, EXIT_CODES_HELP, UsageError } from "./exit_codes.ts";
import { QUEUE_SETTINGS, type SettingName } from "./queue_settings.ts";
import type { ProcessCommand } from "./process_command.ts";
import type { SettingKind } from "./setting_kinds.ts";
import { VERSION } from "./version.ts";

/** What a command line requests. */
export type CommandLine =
  | {
    /** To run a command. */
    readonly kind: "run";
    readonly command: QueueCommand;
    readonly positionals: readonly string[];
    /** The value of each flag that was given; `"true"` and `"false"` for switches. */
    readonly flags: ReadonlyMap<string, string>;
    /** The configuration file that was given. */
    readonly config: string | undefined;
  }
  | {
    /** To run a command about processes. */
    readonly kind: "process";
    readonly command: ProcessCommand;
    readonly positionals: readonly string[];
    /** The value of each flag that was given; `"true"` for switches. */
    readonly flags: ReadonlyMap<string, string>;
  }
  | {
    /** To print a text: help, or the version. */
    readonly kind: "text";
    readonly text: string;
    readonly exitCode: number;
  };

const HELP_COLUMNS = 100;

const CONFIGURATION_HELP =
  `Each option can come from its flag, from MILLRACE_QUEUE_<OPTION> in the environment, or from
the table [queue] of the file; the first of these that says something counts.`;

/**
 * The request in `parameters`, everything after the program's name.
 *
 * @throws {UsageError} when they are wrong
 */
export function parseCommandLine(
  parameters: readonly string[],
  commands: readonly QueueCommand[],
  processCommands: readonly ProcessCommand[] = [],
): CommandLine {
  let text = "";
  let asked: CommandLine | undefined;
  const write = (piece: string): void => void (text += piece);
  const program = configure(new Command("millrace"), write)
    .description("Processes and queues between them, at the command line.")
    .version(VERSION, "-V, --version", "output the version")
    .addHelpText("after", `\n${EXIT_CODES_HELP}`);
  const queue = configure(program.command("queue"), write)
    .description("Create queues, send to them, receive from them, inspect them.")
    .addHelpText("after", `\n${CONFIGURATION_HELP}\n\n${EXIT_CODES_HELP}`);
  let usage = "millrace --help";
  for (const command of commands) {
    const subcommand = configure(queue.command(command.name), write)
      .summary(command.summary)
      .description([`${command.summary}.`, command.details].join(" ").trimEnd())
      .addHelpText("after", `\n${CONFIGURATION_HELP}\n\n${EXIT_CODES_HELP}`);
    for (const positional of command.positionals) subcommand.argument(positional);
    for (const option of optionsOf(command)) subcommand.addOption(option);
    subcommand.option(
      "--config <file>",
      "configuration file (default: millrace.toml, if it exists)",
    );
    subcommand.action(() => {
      const { config, ...values } = subcommand.opts<Record<string, unknown>>();
      asked = {
        kind: "run",
        command,
        positionals: subcommand.args,
        flags: flagsOf(command, values),
        config: config as string | undefined,
      };
    });
    if (parameters[0] === "queue" && parameters[1] === command.name) {
      usage = `millrace queue ${command.name} --help`;
    }
  }
  for (const command of processCommands) {
    const subcommand = configure(program.command(command.name), write)
      .summary(command.summary)
      .description(`${command.summary}. ${command.details}`.trimEnd())
      .addHelpText("after", `\n${EXIT_CODES_HELP}`);
    for (const positional of command.positionals) subcommand.argument(positional);
    for (const [option, description] of Object.entries(command.options)) {
      subcommand.option(option, description);
    }
    subcommand.action(() => {
      const values = Object.entries(subcommand.opts<Record<string, unknown>>());
      const flags = new Map(values.map(([name, value]) => [name, String(value)]));
      asked = { kind: "process", command, positionals: subcommand.args, flags };
    });
    if (parameters[0] === command.name) usage = `millrace ${command.name} --help`;
  }
  try {
    program.parse(parameters, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return textOf(error, text, usage);
  }
  return asked ?? { kind: "text", text, exitCode: EXIT_CODE.usage };
}

function configure(command: Command, write: (piece: string) => void): Command {
  return command
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: write,
      writeErr: write,
      outputError: () => {},
      getOutHelpWidth: () => HELP_COLUMNS,
      getErrHelpWidth: () => HELP_COLUMNS,
      // Commander would read the environment to choose colours, for which the program has no permission.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

function optionsOf({ options }: QueueCommand): Option[] {
  return Object.entries(options).flatMap(([name, description]) => {
    const { placeholder }: SettingKind<unknown> = QUEUE_SETTINGS[name as SettingName];
    if (placeholder !== undefined) return [new Option(`--${name} <${placeholder}>`, description)];
    // The second form switches off what a file switches on.
    return [new Option(`--${name}`, description), new Option(`--no-${name}`).hideHelp()];
  });
}

function flagsOf(command: QueueCommand, values: Record<string, unknown>): Map<string, string> {
  const flags = new Map<string, string>();
  for (const name of Object.keys(command.options)) {
    const value = values[name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    if (value !== undefined) flags.set(name, String(value));
  }
  return flags;
}

/** Commander ends by throwing, also without an error. */
function textOf({ code, message }: CommanderError, text: string, usage: string): CommandLine {
  switch (code) {
    case "commander.help":
      return { kind: "text", text, exitCode: EXIT_CODE.usage };
    case "commander.helpDisplayed":
    case "commander.version":
      return { kind: "text", text, exitCode: EXIT_CODE.done };
    default:
      throw new UsageError(
        `${message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ")}; see ${usage}`,
      );
  }
}
