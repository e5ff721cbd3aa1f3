import { isAbsolute, resolve } from "node:path";

/**
 * Path of a program: `command` itself when it has a slash in it, taken from `cwd`, else the first of that name in the directories of
 * `searchPath`.
 *
 * @throws {Deno.errors.NotFound} (as a rejection) saying where it was looked for
 * @throws {Deno.errors.PermissionDenied} (as a rejection) when it is there and cannot be run
 * @throws {Deno.errors.NotCapable} (as a rejection) when this process may not look for it
 */
export async function resolveCommand(command: string, cwd: string, searchPath: string): Promise<string> {
  if (command.includes("/")) {
    const path = isAbsolute(command) ? command : resolve(cwd, command);
    if (await isProgram(path)) return path;
    throw notThere(command, `there is no program at ${path}`);
  }
  const directories = searchPath.split(":").map((directory) => directory === "" ? cwd : directory);
  let refusal: Error | undefined;
  for (const directory of directories) {
    const path = resolve(cwd, directory, command);
    try {
      if (await isProgram(path)) return path;
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) refusal ??= error;
    }
  }
  // It may be there: without the permission nobody knows.
  if (refusal !== undefined) {
    throw new Deno.errors.NotCapable(`${JSON.stringify(command)}: look for it in PATH: ${refusal.message}`);
  }
  throw notThere(command, `there is no such program in PATH (${searchPath})`);
}

async function isProgram(path: string): Promise<boolean> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
  if (!info.isFile) return false;
  if (info.mode !== null && (info.mode & 0o111) === 0) {
    throw new Deno.errors.PermissionDenied(
      `${path} is no program: it may not be executed (its mode is ${(info.mode & 0o777).toString(8)})`,
    );
  }
  return true;
}

function notThere(command: string, reason: string): Error {
  return new Deno.errors.NotFound(`${JSON.stringify(command)}: ${reason}`);
}
