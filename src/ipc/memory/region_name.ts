import { nameProblem } from "../../base/mod.ts";

/** The longest name of a region, in characters. */
export const SHARED_MEMORY_NAME_LENGTH_MAX = 200;

/** What the names of Millrace's regions begin with among the system's shared memory objects, or in their directory. */
export const OBJECT_PREFIX = "millrace.";

/** Where regions are. */
export interface SharedMemoryPlace {
  /**
   * A directory that is there, on a local file system. A region in it is the file `DIRECTORY/millrace.NAME` and outlives the
   * system. Permissions of Deno's for files are not asked for.
   *
   * @default {the system's shared memory, which ends with the system}
   */
  directory?: string;
}

/** Where a region is, and what errors call it. */
export interface SharedMemoryTarget extends SharedMemoryPlace {
  /**
   * What errors call the region, for what is built on regions.
   *
   * @default {"shared memory NAME"}
   */
  subject?: string;
}

/**
 * The shared memory object of a region, or its file.
 *
 * @throws {RangeError} for what is no name of a region, or no directory
 */
export function objectOf(name: string, place: SharedMemoryPlace): string {
  const problem = nameProblem(name, SHARED_MEMORY_NAME_LENGTH_MAX);
  if (problem === undefined) return objectPrefixOf(place) + name;
  throw new RangeError(`name of shared memory: ${problem}`);
}

/** What all objects of regions begin with in a place. */
export function objectPrefixOf({ directory }: SharedMemoryPlace): string {
  return `${pathOf(directory)}/${OBJECT_PREFIX}`;
}

/** What errors call a region. */
export function subjectOf(name: string, { directory, subject }: SharedMemoryTarget): string {
  const called = subject ?? `shared memory ${name}`;
  return directory === undefined ? called : `${called} in ${directory}`;
}

function pathOf(directory: string | undefined): string {
  if (directory === undefined) return "";
  if (directory !== "" && !directory.includes("\0")) return directory;
  throw new RangeError(`directory of shared memory: ${JSON.stringify(directory)}, expected a path`);
}
