import { assert } from "@std/assert";

// What only a system of its own shows: a small disk, and a user who may not do everything.

const decoder = new TextDecoder();

/** The user who owns nothing. */
export const NOBODY = 65534;

/** Arguments of `setpriv` with which root may do no more than others. */
export const NO_CAPABILITIES = ["--bounding-set=-all", "--inh-caps=-all"] as const;

/** Runs a command; what it said when it could not be run or failed, else `undefined`. */
export function commandFailure(command: string, args: readonly string[]): string | undefined {
  try {
    const { success, stderr } = new Deno.Command(command, { args: [...args] }).outputSync();
    return success ? undefined : decoder.decode(stderr).trim();
  } catch (error) {
    return String(error);
  }
}

/** Why this process cannot take capabilities from a child. */
export function otherUserFailure(): string | undefined {
  return Deno.uid() === 0
    ? commandFailure("setpriv", [...NO_CAPABILITIES, "true"])
    : "this is not root, who can make such files";
}

/** A command line that gives what follows a file system of `size` of its own in `directory`. */
export function smallDisk(directory: string, size: string): readonly string[] {
  return ["-m", "sh", "-c", `mount -t tmpfs -o size=${size} none ${directory} && exec "$0" "$@"`];
}

/** Runs a program behind `command`, and gives what it printed as JSON. `failureOf(body)` in it is `[name, code, message]` of what is thrown. */
export async function reportOf(command: string, args: readonly string[], program: string): Promise<unknown> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      path,
      `const failureOf = (body) => {
        try { body(); return "none"; } catch (error) { return [error.name, error.code ?? "", error.message]; }
      };
      ${program}`,
    );
    const run = [Deno.execPath(), "run", "--quiet", "--no-lock", "--no-check", "-A", path];
    const child = new Deno.Command(command, {
      args: [...args, ...run],
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      signal: AbortSignal.timeout(50_000),
    });
    const { stdout, stderr, success } = await child.output();
    assert(success, decoder.decode(stderr));
    return JSON.parse(decoder.decode(stdout));
  } finally {
    await Deno.remove(path);
  }
}
