import { abortable, SIGNAL_ECHO_MS } from "../io/reactor/mod.ts";
import type { CommandContext } from "./command.ts";
import { type CommandLine, parseCommandLine } from "./command_line.ts";
import { readConfigFile } from "./config_file.ts";
import {
  CommandError,
  EXIT_CODE,
  exitCodeOf,
  lineOf,
  OutputClosedError,
  StoppedError,
} from "./exit_codes.ts";
import { type ByteSink, Output } from "./output.ts";
import type { SettingName } from "./queue_settings.ts";
import { processCommands } from "./process/mod.ts";
import { queueCommands } from "./queue/mod.ts";
import { resolveSettings } from "./settings.ts";

/** The environment variable with the path of the configuration file. */
const CONFIG_VARIABLE = "MILLRACE_CONFIG";

const encoder = new TextEncoder();

/** What the program uses of its process, as `Deno` provides it. */
export interface MillraceHost {
  readonly stdin: { readonly readable: ReadableStream<Uint8Array> };
  readonly stdout: ByteSink & { isTerminal(): boolean };
  readonly stderr: { writeSync(bytes: Uint8Array): number; isTerminal(): boolean };
  readonly env: { get(name: string): string | undefined };
}

/**
 * Runs `millrace` with `parameters`, everything after its name, and resolves to its exit code. SIGINT and SIGTERM end it while it runs; the
 * second one ends the process.
 */
export async function runMillrace(
  parameters: readonly string[],
  host: MillraceHost = Deno,
): Promise<number> {
  const stopping = stopOnSignals();
  const output = new Output(host.stdout, stopping.signal);
  const complain = (text: string): void => {
    try {
      host.stderr.writeSync(encoder.encode(text));
    } catch {
      // The output is closed, or the disk is full: the exit code is enough.
    }
  };
  try {
    const asked = parseCommandLine(parameters, queueCommands, processCommands);
    if (asked.kind === "text") {
      if (asked.exitCode === EXIT_CODE.done) await output.write(encoder.encode(asked.text));
      else complain(asked.text);
      return asked.exitCode;
    }
    if (asked.kind === "process") {
      return await asked.command.run({
        ...asked,
        variable: (name) => host.env.get(name),
        signal: stopping.signal,
        takeSignals: stopping.end,
        output,
        complain,
      });
    }
    await run(asked, { host, output, signal: stopping.signal, complain });
    return EXIT_CODE.done;
  } catch (error) {
    if (!(error instanceof OutputClosedError)) complain(`millrace: ${lineOf(error)}\n`);
    return exitCodeOf(error);
  } finally {
    stopping.end();
  }
}

interface Surroundings {
  readonly host: MillraceHost;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly complain: (text: string) => void;
}

async function run(
  { command, positionals, flags, config }: CommandLine & { kind: "run" },
  { host, output, signal, complain }: Surroundings,
): Promise<void> {
  const variable = (name: string): string | undefined => host.env.get(name);
  const named = config ?? (variable(CONFIG_VARIABLE) || undefined);
  const file = await readConfigFile(named, config === undefined ? CONFIG_VARIABLE : "--config");
  const settings = resolveSettings(Object.keys(command.options) as SettingName[], { flags, variable, file });
  const context: CommandContext = {
    positionals,
    settings,
    signal,
    input: chunksOf(host.stdin.readable, signal),
    output,
    screen: { isTerminal: host.stderr.isTerminal(), write: complain },
    outputIsTerminal: host.stdout.isTerminal(),
  };
  await command.run(context);
}

/** The chunks of a stream, until `signal` aborts: a read of standard input cannot be cancelled, and stays pending. */
async function* chunksOf(
  stream: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  const fail = (error: unknown): never => {
    throw new CommandError(`read standard input: ${lineOf(error)}`, { cause: error });
  };
  for (;;) {
    const { done, value } = await abortable(reader.read().catch(fail), signal);
    if (done) return;
    yield value;
  }
}

function stopOnSignals(): { signal: AbortSignal; end: () => void } {
  const controller = new AbortController();
  let firstMs = 0;
  const listeners = (["SIGINT", "SIGTERM"] as const).map((name) => {
    const listener = (): void => {
      const reason = new StoppedError(name);
      if (!controller.signal.aborted) {
        firstMs = performance.now();
        controller.abort(reason);
      } else if (performance.now() - firstMs > SIGNAL_ECHO_MS) Deno.exit(exitCodeOf(reason));
    };
    Deno.addSignalListener(name, listener);
    return [name, listener] as const;
  });
  const end = (): void => {
    for (const [name, listener] of listeners) Deno.removeSignalListener(name, listener);
  };
  return { signal: controller.signal, end };
}
