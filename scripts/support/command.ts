import { Buffer } from "node:buffer";

/** How {@linkcode runCommand} runs a program. */
export interface CommandOptions {
  /**
   * Working directory.
   * @default the caller's
   */
  readonly directory?: string;
  /** Variables added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Text for the program's standard input, which is empty otherwise. */
  readonly input?: string;
  /**
   * Also copies the program's standard error to ours while it runs.
   * @default false
   */
  readonly showProgress?: boolean;
  /**
   * Milliseconds after which the program is killed.
   * @default 900000
   */
  readonly timeoutMs?: number;
}

/** How a program ended. */
export interface CommandResult {
  readonly success: boolean;
  /** Exit code; 128 plus the signal's number when a signal ended it. */
  readonly code: number;
  /** What it wrote to standard output. */
  readonly output: string;
  /** What it wrote to both standard output and standard error, in the order it arrived. */
  readonly transcript: string;
  readonly timedOut: boolean;
}

const TIMEOUT_MS_DEFAULT = 15 * 60_000;

/**
 * Runs a program to its end and collects what it writes.
 * @throws {Deno.errors.NotFound} when there is no such program
 */
export async function runCommand(
  program: string,
  parameters: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = new Deno.Command(program, {
    args: [...parameters],
    cwd: options.directory,
    env: options.environment,
    stdin: options.input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();

  const outputReader = child.stdout.getReader();
  const errorReader = child.stderr.getReader();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
    // A grandchild may hold the pipes open for ever.
    for (const reader of [outputReader, errorReader]) reader.cancel().catch(() => {});
  }, options.timeoutMs ?? TIMEOUT_MS_DEFAULT);

  const output: Uint8Array[] = [];
  const transcript: Uint8Array[] = [];
  try {
    if (options.input !== undefined) await writeInput(child, options.input);
    const [status] = await Promise.all([
      child.status,
      readChunks(outputReader, (chunk) => {
        output.push(chunk);
        transcript.push(chunk);
      }),
      readChunks(errorReader, (chunk) => {
        transcript.push(chunk);
        if (options.showProgress) Deno.stderr.writeSync(chunk);
      }),
    ]);
    return {
      success: status.success && !timedOut,
      code: status.code,
      output: Buffer.concat(output).toString(),
      transcript: Buffer.concat(transcript).toString(),
      timedOut,
    };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Finds Rust's `cargo`: what `CARGO` names, one on the PATH, or where rustup puts it, which a shell opened
 * before the installation does not yet have on its PATH. `undefined` when none of them runs.
 */
export async function findCargo(): Promise<string | undefined> {
  const cargoHome = Deno.env.get("CARGO_HOME") ?? `${Deno.env.get("HOME") ?? ""}/.cargo`;
  for (const program of [Deno.env.get("CARGO"), "cargo", `${cargoHome}/bin/cargo`]) {
    if (program && await runs(program)) return program;
  }
  return undefined;
}

async function runs(program: string): Promise<boolean> {
  try {
    return (await runCommand(program, ["--version"])).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

async function writeInput(child: Deno.ChildProcess, input: string): Promise<void> {
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
}

async function readChunks(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  use: (chunk: Uint8Array) => void,
): Promise<void> {
  for (let result = await reader.read(); !result.done; result = await reader.read()) use(result.value);
}
