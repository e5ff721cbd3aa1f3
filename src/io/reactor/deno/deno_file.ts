import type { Abortable } from "../../../base/mod.ts";
import { type FileHandle, open } from "node:fs/promises";
import { constants } from "node:fs";
import { asSystemError, errno, systemError } from "../../../../ffi/mod.ts";
import { abortable } from "../abortable.ts";
import type { DriverFile, OpenFileOptions } from "../driver.ts";
import type { DenoShared } from "./deno_socket.ts";

const MODE = 0o666;

/** Opens a file over `node:fs`, which unlike `Deno.FsFile` reads and writes at positions. */
export async function openDenoFile(
  shared: DenoShared,
  path: string,
  options: OpenFileOptions,
): Promise<DenoFile> {
  const { read = false, write = false, create = false, createNew = false, truncate = false, signal } =
    options;
  if (!read && !write) throw new TypeError("open: neither `read` nor `write` is set");
  if (path.includes("\0")) throw new TypeError("open: the path has a zero byte");
  signal?.throwIfAborted();
  const access = read && write ? constants.O_RDWR : write ? constants.O_WRONLY : constants.O_RDONLY;
  const flags = access | (create || createNew ? constants.O_CREAT : 0) | (createNew ? constants.O_EXCL : 0) |
    (truncate ? constants.O_TRUNC : 0);
  const opening = open(path, flags, options.mode ?? MODE);
  try {
    return new DenoFile(shared, await abortable(opening, signal));
  } catch (error) {
    // Opened all the same although the caller has given up.
    opening.then((handle) => handle.close(), () => {});
    if (signal?.aborted) throw error;
    throw asSystemError("open", error, `"${path}"`);
  }
}

/** A file over `node:fs`. */
export class DenoFile implements DriverFile {
  readonly #shared: DenoShared;
  readonly #handle: FileHandle;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(shared: DenoShared, handle: FileHandle) {
    this.#shared = shared;
    this.#handle = handle;
    shared.open.add(this);
  }

  async readAt(
    into: Uint8Array | readonly Uint8Array[],
    position: number,
    options: Abortable = {},
  ): Promise<number> {
    const views = viewsOf("read", into, position);
    // An aborted read still ends in the memory it was given, so that must not be the caller's.
    const own = options.signal === undefined ? views : views.map((view) => new Uint8Array(view.byteLength));
    const { bytesRead } = await this.#run("read", options, () => this.#handle.readv(own, position));
    if (own !== views) copyBack(own, views, bytesRead);
    return bytesRead;
  }

  async writeAt(
    from: Uint8Array | readonly Uint8Array[],
    position: number,
    options: Abortable = {},
  ): Promise<number> {
    // The caller may change or transfer its views while the write is under way.
    const own = viewsOf("write", from, position).map((view) => view.slice());
    const { bytesWritten } = await this.#run("write", options, () => this.#handle.writev(own, position));
    return bytesWritten;
  }

  async sync(options: Abortable = {}): Promise<void> {
    await this.#run("fsync", options, () => this.#handle.sync());
  }

  async syncData(options: Abortable = {}): Promise<void> {
    await this.#run("fdatasync", options, () => this.#handle.datasync());
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#shared.open.delete(this);
      this.#closing = Promise.allSettled(this.#underWay).then(() => this.#handle.close());
    }
    return this.#closing;
  }

  async #run<T>(operation: string, { signal }: Abortable, call: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw systemError(operation, errno.EBADF);
    signal?.throwIfAborted();
    const running = call();
    this.#underWay.add(running);
    const done = () => this.#underWay.delete(running);
    running.then(done, done);
    try {
      return await abortable(running, signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw asSystemError(operation, error);
    }
  }
}

function viewsOf(
  kind: string,
  data: Uint8Array | readonly Uint8Array[],
  position: number,
): readonly Uint8Array[] {
  if (!(Number.isSafeInteger(position) && position >= 0)) {
    throw new RangeError(`${kind}: position is ${position}, expected a whole number from 0`);
  }
  return data instanceof Uint8Array ? [data] : data;
}

function copyBack(own: readonly Uint8Array[], views: readonly Uint8Array[], byteLength: number): void {
  let left = byteLength;
  for (const [index, view] of views.entries()) {
    const length = Math.min(left, view.byteLength);
    view.set(own[index].subarray(0, length));
    left -= length;
  }
}
