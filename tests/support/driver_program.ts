/** Milliseconds after which a program that does not end is killed. */
const PROGRAM_MS_MAX = 60_000;

/** How a program is run. */
export interface ProgramOptions {
  /** Flags for `deno run`. @default {["-A"]} */
  readonly flags?: readonly string[];
  /** Added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Milliseconds after which it is killed. @default {60000} */
  readonly timeoutMs?: number;
  /** Files that it may have open at most. @default {the limit of this process} */
  readonly openFilesMax?: number;
}

/** How it ended; `code` is 143 when it was killed. */
export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of TypeScript in a process of its own; it imports the project by the package's name. */
export async function runProgram(source: string, options: ProgramOptions = {}): Promise<ProgramResult> {
  const { flags = ["-A"], environment = {}, timeoutMs = PROGRAM_MS_MAX, openFilesMax } = options;
  const path = await Deno.makeTempFile({ prefix: "millrace_program_", suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, source);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const run = ["run", "--quiet", "--no-lock", "--no-check", "--config", config, ...flags, path];
    // Deno raises the soft limit as far as it may, so the hard one is what counts.
    const limited = ["-c", `ulimit -n ${openFilesMax} && exec "$0" "$@"`, Deno.execPath(), ...run];
    const child = new Deno.Command(openFilesMax === undefined ? Deno.execPath() : "sh", {
      args: openFilesMax === undefined ? run : limited,
      // Deno looks for a newer version of itself now and then, over sockets of its own.
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...environment },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(path);
  }
}
