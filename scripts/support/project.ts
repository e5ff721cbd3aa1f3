import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The directory that holds deno.json, ending in a separator. */
export const projectRoot: string = fileURLToPath(new URL("../../", import.meta.url));

/** What the commands need to know from deno.json. */
export interface Project {
  readonly name: string;
  readonly version: string;
  /** Entry points: "." or "./timer" to a path relative to the project. */
  readonly exports: Readonly<Record<string, string>>;
  readonly tasks: Readonly<Record<string, unknown>>;
}

/**
 * Reads deno.json of the project at `root`.
 * @throws {Deno.errors.NotFound} when there is none
 */
export async function readProject(root: string = projectRoot): Promise<Project> {
  const project = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  return { ...project, exports: project.exports ?? {}, tasks: project.tasks ?? {} };
}

/** The name by which a user imports an entry point: "./timer" becomes "@millrace/millrace/timer". */
export function entryPointName(project: Project, entryPoint: string): string {
  return project.name + entryPoint.slice(1);
}

/** An import map from every entry point's name to its file in the checkout at `root`. */
export function entryPointImports(project: Project, root: string): Record<string, string> {
  const imports = Object.entries(project.exports).map(([entryPoint, path]) => [
    entryPointName(project, entryPoint),
    pathToFileURL(join(root, path)).href,
  ]);
  return Object.fromEntries(imports);
}

/**
 * `--frozen` on a continuous integration machine (where `CI` is set), so that a run never rewrites the lock
 * file it should be judged by; nothing elsewhere.
 */
export function lockFlags(): string[] {
  return Deno.env.get("CI") ? ["--frozen"] : [];
}

/** Whether a file or folder of this name exists. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Every file under `directory`, as sorted paths relative to it; folders for which `enter` answers false are
 * left out. A directory that does not exist has no files.
 */
export async function listFiles(
  directory: string,
  enter: (relativePath: string) => boolean = () => true,
): Promise<string[]> {
  const files: string[] = [];
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of await readDirectory(join(directory, folder))) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory && enter(path)) pending.push(path);
      if (entry.isFile) files.push(path);
    }
  }
  return files.sort();
}

async function readDirectory(path: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
