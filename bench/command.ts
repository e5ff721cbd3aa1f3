import { fileURLToPath } from "node:url";

/** A program and its arguments, run from the root of the checkout. */
export interface Command {
  /** Program on the search path, or relative to the root of the checkout, or absolute. */
  readonly executable: string;
  readonly args: readonly string[];
  /** Variables added to the environment. @default {} */
  readonly env?: Readonly<Record<string, string>>;
}

/** Root of the checkout: the working directory of everything the benchmarks start. */
export const rootDirectory: string = fileURLToPath(new URL("../", import.meta.url));

/** The Deno that runs the benchmarks, so that all contestants on Deno have the same one. */
export function denoExecutable(): string {
  return Deno.execPath();
}

/** Writes a command as it would be typed at the root of the checkout. */
export function commandLine(command: Command): string {
  const executable = command.executable === denoExecutable() ? "deno" : command.executable;
  const variables = Object.entries(command.env ?? {}).map(([name, value]) => `${name}=${value}`);
  return [...variables, executable, ...command.args].map(quoted).join(" ");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./|-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Standard output of a short command, or `undefined` when it is not there or fails. */
export async function outputOf(executable: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(executable, {
      args,
      cwd: rootDirectory,
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    // Not installed, or not executable by us: for a caller that asks which version there is, both mean none.
    return undefined;
  }
}

/** Where Deno puts a `node` that is Deno itself, first on its own search path, on a machine without Node. */
const denoShims = /\/node_compat_bin\/?$/;

/** Whether a program of that name is on the search path. */
export function isOnPath(name: string): boolean {
  const directories = (Deno.env.get("PATH") ?? "").split(":").filter((path) =>
    path !== "" && !denoShims.test(path)
  );
  return directories.some((directory) => {
    const stat = statOrUndefined(`${directory}/${name}`);
    return stat !== undefined && stat.isFile && ((stat.mode ?? 0) & 0o111) !== 0;
  });
}

/** Time of the last change of a file under the root of the checkout, or `undefined` when there is none. */
export function modifiedMs(path: string): number | undefined {
  return statOrUndefined(new URL(`../${path}`, import.meta.url))?.mtime?.getTime();
}

function statOrUndefined(path: string | URL): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) {
      return undefined;
    }
    if (error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}
