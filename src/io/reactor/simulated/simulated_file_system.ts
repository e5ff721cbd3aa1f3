import { systemError } from "../../../../ffi/mod.ts";
import { SeededRandom } from "../../../base/mod.ts";
import type { OpenFileOptions } from "../driver.ts";
import { StoredFile } from "./stored_file.ts";

const ENOENT = 2;
const EEXIST = 17;
const ENOTDIR = 20;
const EISDIR = 21;

/** Options of {@linkcode SimulatedFileSystem}. */
export interface SimulatedFileSystemOptions {
  /**
   * Seed of what a crash leaves, from 0 to 2^32 - 1.
   *
   * @default {0}
   */
  seed?: number;
}

/** The result of {@linkcode SimulatedFileSystem.open}. */
export type OpenedNode = StoredFile | "directory";

/**
 * Files in memory, each with a visible and a durable content, and crashes that leave something between the two.
 *
 * Paths are absolute; `.` and `..` have no meaning. It outlives the drivers that use it.
 *
 * @example
 * ```ts
 * import { SimulatedDriver, SimulatedFileSystem } from "@millrace/millrace/reactor";
 *
 * const fileSystem = new SimulatedFileSystem({ seed: 3 });
 * fileSystem.makeDirectory("/data");
 * fileSystem.writeFile("/data/a", new Uint8Array([1, 2, 3]));
 * const driver = new SimulatedDriver({ fileSystem });
 * driver.close();
 * fileSystem.crash();
 * if (fileSystem.readFile("/data/a").length !== 3) throw new Error("it was durable");
 * ```
 */
export class SimulatedFileSystem {
  readonly #random: SeededRandom;
  readonly #nodes = new Map<string, OpenedNode>([["/", "directory"]]);
  #crashCount = 0;

  /** An empty file system. */
  constructor(options: SimulatedFileSystemOptions = {}) {
    this.#random = new SeededRandom(options.seed ?? 0);
  }

  /** How often it crashed: files that were opened before a crash cannot be used after it. */
  get crashCount(): number {
    return this.#crashCount;
  }

  /**
   * Creates a directory, durable at once.
   *
   * @throws {Deno.errors.NotFound | Deno.errors.AlreadyExists}
   */
  makeDirectory(path: string): void {
    const at = normal(path);
    if (this.#nodes.has(at)) throw systemError("mkdir", EEXIST, `"${path}"`);
    this.#checkParent("mkdir", at, path);
    this.#nodes.set(at, "directory");
  }

  /**
   * Names of the entries of a directory, sorted.
   *
   * @throws {Deno.errors.NotFound}
   */
  list(path: string): string[] {
    const at = normal(path);
    if (this.#nodes.get(at) !== "directory") throw systemError("readdir", ENOENT, `"${path}"`);
    const start = at === "/" ? at : `${at}/`;
    return [...this.#nodes.keys()].filter((key) => key !== at && key.startsWith(start))
      .map((key) => key.slice(start.length)).filter((name) => !name.includes("/")).sort();
  }

  /**
   * The visible content of a file.
   *
   * @throws {Deno.errors.NotFound}
   */
  readFile(path: string): Uint8Array<ArrayBuffer> {
    return this.#file("read", path).content;
  }

  /**
   * The durable content of a file: the least that a crash leaves.
   *
   * @throws {Deno.errors.NotFound}
   */
  readDurable(path: string): Uint8Array<ArrayBuffer> {
    return this.#file("read", path).durableContent;
  }

  /**
   * Creates or replaces a file, durable at once.
   *
   * @throws {Deno.errors.NotFound} when its directory does not exist
   */
  writeFile(path: string, bytes: Uint8Array): void {
    const at = normal(path);
    this.#checkParent("open", at, path);
    if (this.#nodes.get(at) === "directory") throw systemError("open", EISDIR, `"${path}"`);
    const file = new StoredFile();
    file.write(0, bytes);
    file.sync();
    this.#nodes.set(at, file);
  }

  /**
   * Removes a file, durable at once; programs that have it open keep it.
   *
   * @throws {Deno.errors.NotFound}
   */
  removeFile(path: string): void {
    this.#file("unlink", path);
    this.#nodes.delete(normal(path));
  }

  /**
   * Loses power: each change that was not synced is kept, lost, or kept in part, in any order. A file that was never synced may
   * not exist any more.
   */
  crash(): void {
    this.#crashCount++;
    for (const [path, node] of this.#nodes) {
      if (node === "directory") continue;
      if (!node.nameIsDurable && this.#random.below(2) === 0) {
        this.#nodes.delete(path);
        continue;
      }
      node.nameIsDurable = true;
      node.crash(this.#random);
    }
  }

  /**
   * Opens or creates a file; -errno when that fails.
   *
   * @internal
   */
  open(path: string, options: OpenFileOptions): OpenedNode | number {
    const at = normal(path);
    const found = this.#nodes.get(at);
    if (found === undefined) {
      const parent = this.#nodes.get(parentOf(at));
      if (parent !== undefined && parent !== "directory") return -ENOTDIR;
      if (parent === undefined || !(options.create || options.createNew)) return -ENOENT;
      const file = new StoredFile();
      this.#nodes.set(at, file);
      return file;
    }
    if (options.createNew) return -EEXIST;
    if (found === "directory") return options.write || options.create ? -EISDIR : found;
    if (options.truncate) found.empty();
    return found;
  }

  /**
   * A sync of `file` fails.
   *
   * @internal
   */
  failSync(file: StoredFile): void {
    file.failSync(this.#random);
  }

  #file(operation: string, path: string): StoredFile {
    const node = this.#nodes.get(normal(path));
    if (node === undefined) throw systemError(operation, ENOENT, `"${path}"`);
    if (node === "directory") throw systemError(operation, EISDIR, `"${path}"`);
    return node;
  }

  #checkParent(operation: string, at: string, path: string): void {
    if (this.#nodes.get(parentOf(at)) !== "directory") throw systemError(operation, ENOENT, `"${path}"`);
  }
}

/**
 * One slash between names, none at the end.
 *
 * @throws {TypeError} when the path is not absolute
 */
function normal(path: string): string {
  if (!path.startsWith("/")) throw new TypeError(`path "${path}": expected an absolute one`);
  return `/${path.split("/").filter((name) => name !== "").join("/")}`;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}
