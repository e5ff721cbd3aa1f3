import type { Abortable } from "../../../base/mod.ts";
import {
  closeDescriptor,
  errno,
  type PinnedMemory,
  systemError,
  type Uring,
  uringLayout,
  writeVector,
} from "../../../../ffi/mod.ts";
import { type PooledBuffer, waitForBuffer } from "../buffer_pool.ts";
import type { DriverFile, OpenFileOptions } from "../driver.ts";
import { runOperation } from "./single_operation.ts";
import type { UringShared } from "./uring_shared.ts";

const O_RDONLY = 0;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_TRUNC = 0o1000;
const O_CLOEXEC = 0o2000000;
const MODE = 0o666;
const { IOVEC_BYTES } = uringLayout;
/** Characters of a bad path that an error shows. */
const PATH_SHOWN_MAX = 80;
/** Buffers that one read or write uses at most; a longer one becomes short. */
export const FILE_BUFFERS_MAX = 64;
/** Bytes at the start of the first buffer for the table of that many vectors. */
const tableBytes = (count: number): number => IOVEC_BYTES * count;

const encoder = new TextEncoder();

/** Opens a file through the ring. */
export async function openUringFile(
  shared: UringShared,
  path: string,
  options: OpenFileOptions,
): Promise<UringFile> {
  const flags = flagsOf(options);
  const name = encoder.encode(path);
  if (name.includes(0) || name.byteLength >= shared.buffers.bufferByteLength) {
    throw new TypeError(`open: the path has a zero byte or is too long: "${path.slice(0, PATH_SHOWN_MAX)}"`);
  }
  const buffer = await waitForBuffer(shared.buffers, options.signal);
  buffer.bytes.set(name);
  buffer.bytes[name.byteLength] = 0;
  const fd = await runOperation(shared.table, {
    operation: "open",
    detail: `"${path}"`,
    signal: options.signal,
    givesDescriptor: true,
    prepare: (ring, id) => ring.prepareOpen(id, buffer.slab, buffer.offset, flags, options.mode ?? MODE),
    release(result) {
      shared.buffers.release(buffer);
      // Opened all the same although the caller has given up.
      if (result >= 0 && options.signal?.aborted) closeDescriptor(result);
    },
  });
  return new UringFile(shared, fd);
}

function flagsOf(options: OpenFileOptions): number {
  const { read = false, write = false, create = false, createNew = false, truncate = false } = options;
  if (!read && !write) throw new TypeError("open: neither `read` nor `write` is set");
  const access = read && write ? O_RDWR : write ? O_WRONLY : O_RDONLY;
  return access | O_CLOEXEC | (create || createNew ? O_CREAT : 0) | (createNew ? O_EXCL : 0) |
    (truncate ? O_TRUNC : 0);
}

type Pinned = PooledBuffer<PinnedMemory>;

/**
 * A file whose reads and writes go through pinned buffers, so that the kernel never sees the caller's memory.
 *
 * The first buffer of a transfer begins with the table of vectors, and data follows it. Further buffers are taken only when they
 * are free, without waiting, so that two transfers cannot wait for each other.
 */
export class UringFile implements DriverFile {
  readonly #shared: UringShared;
  readonly #fd: number;
  #underWay = 0;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(shared: UringShared, fd: number) {
    this.#shared = shared;
    this.#fd = fd;
    shared.sockets.add(this);
  }

  readAt(
    into: Uint8Array | readonly Uint8Array[],
    position: number,
    options: Abortable = {},
  ): Promise<number> {
    return this.#transfer("read", into, position, options);
  }

  writeAt(
    from: Uint8Array | readonly Uint8Array[],
    position: number,
    options: Abortable = {},
  ): Promise<number> {
    return this.#transfer("write", from, position, options);
  }

  async sync(options: Abortable = {}): Promise<void> {
    await this.#run("fsync", options, (ring, id) => ring.prepareSync(id, this.#fd, false));
  }

  async syncData(options: Abortable = {}): Promise<void> {
    await this.#run("fdatasync", options, (ring, id) => ring.prepareSync(id, this.#fd, true));
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers();
      this.#shared.sockets.delete(this);
      if (this.#underWay === 0) this.#closeNow();
    }
    return this.#closing.promise;
  }

  #closeNow(): void {
    this.#shared.closeDescriptor(this.#fd, () => this.#closing?.resolve());
  }

  async #transfer(
    kind: "read" | "write",
    data: Uint8Array | readonly Uint8Array[],
    position: number,
    options: Abortable,
  ): Promise<number> {
    if (!(Number.isSafeInteger(position) && position >= 0)) {
      throw new RangeError(`${kind}: position is ${position}, expected a whole number from 0`);
    }
    const views: readonly Uint8Array[] = data instanceof Uint8Array ? [data] : data;
    const byteLength = views.reduce((sum, view) => sum + view.byteLength, 0);
    this.#checkOpen(kind);
    options.signal?.throwIfAborted();
    if (byteLength === 0) return 0;
    const buffers = await this.#acquire(byteLength, options.signal);
    if (this.#closing !== undefined) {
      // Closed while it waited, perhaps with the driver and its memory.
      for (const buffer of buffers) this.#shared.buffers.release(buffer);
      this.#checkOpen(kind);
    }
    const room = buffers.length * this.#shared.buffers.bufferByteLength - tableBytes(buffers.length);
    const length = Math.min(byteLength, room);
    if (kind === "write") copyIn(buffers, views, length);
    const { slab, offset } = buffers[0];
    const count = writeVectors(buffers, length);
    return await this.#run(kind, options, (ring, id) => {
      return kind === "read"
        ? ring.prepareRead(id, this.#fd, slab, offset, count, position)
        : ring.prepareWrite(id, this.#fd, slab, offset, count, position);
    }, (result) => {
      if (kind === "read" && result > 0 && !options.signal?.aborted) copyOut(buffers, views, result);
      for (const buffer of buffers) this.#shared.buffers.release(buffer);
    });
  }

  async #acquire(byteLength: number, signal: AbortSignal | undefined): Promise<Pinned[]> {
    const pool = this.#shared.buffers;
    const needed = Math.ceil((byteLength + tableBytes(FILE_BUFFERS_MAX)) / pool.bufferByteLength);
    const wanted = Math.min(needed, FILE_BUFFERS_MAX);
    const buffers = [await waitForBuffer(pool, signal)];
    while (buffers.length < wanted) {
      const more = pool.acquire();
      if (more === undefined) break;
      buffers.push(more);
    }
    return buffers;
  }

  async #run(
    operation: string,
    options: Abortable,
    prepare: (ring: Uring, id: number) => boolean,
    release?: (result: number) => void,
  ): Promise<number> {
    const { signal } = options;
    try {
      this.#checkOpen(operation);
      signal?.throwIfAborted();
    } catch (error) {
      release?.(0);
      throw error;
    }
    this.#underWay++;
    return await runOperation(this.#shared.table, {
      operation,
      signal,
      prepare,
      release: (result) => {
        release?.(result);
        if (--this.#underWay === 0 && this.#closing !== undefined) this.#closeNow();
      },
    });
  }

  #checkOpen(operation: string): void {
    if (this.#closing !== undefined) throw systemError(operation, errno.EBADF);
  }
}

/** The part of each buffer that carries data: all of it, except for the table of vectors in the first. */
function dataOf(buffers: readonly Pinned[], index: number): Uint8Array<ArrayBuffer> {
  const { bytes } = buffers[index];
  return index === 0 ? bytes.subarray(tableBytes(buffers.length)) : bytes;
}

/** Writes the table that covers the first `byteLength` bytes of data; returns how many vectors it has. */
function writeVectors(buffers: readonly Pinned[], byteLength: number): number {
  const [{ slab: table, offset: at }] = buffers;
  let left = byteLength;
  let count = 0;
  for (const [index, buffer] of buffers.entries()) {
    if (left === 0) break;
    const start = index === 0 ? tableBytes(buffers.length) : 0;
    const length = Math.min(left, buffer.bytes.byteLength - start);
    writeVector(table, at + IOVEC_BYTES * index, buffer.slab, buffer.offset + start, length);
    left -= length;
    count++;
  }
  return count;
}

function copyIn(buffers: readonly Pinned[], views: readonly Uint8Array[], byteLength: number): void {
  copyBetween(buffers, views, byteLength, (pinned, own) => pinned.set(own));
}

function copyOut(buffers: readonly Pinned[], views: readonly Uint8Array[], byteLength: number): void {
  copyBetween(buffers, views, byteLength, (pinned, own) => own.set(pinned));
}

/** Walks both lists in parallel, in pieces that lie in one buffer and one view. */
function copyBetween(
  buffers: readonly Pinned[],
  views: readonly Uint8Array[],
  byteLength: number,
  copy: (pinned: Uint8Array, own: Uint8Array) => void,
): void {
  let [bufferIndex, bufferAt, viewIndex, viewAt, left] = [0, 0, 0, 0, byteLength];
  while (left > 0) {
    const data = dataOf(buffers, bufferIndex);
    const view = views[viewIndex];
    const length = Math.min(left, data.byteLength - bufferAt, view.byteLength - viewAt);
    copy(data.subarray(bufferAt, bufferAt + length), view.subarray(viewAt, viewAt + length));
    left -= length;
    bufferAt += length;
    viewAt += length;
    if (bufferAt === data.byteLength) [bufferIndex, bufferAt] = [bufferIndex + 1, 0];
    if (viewAt === view.byteLength) [viewIndex, viewAt] = [viewIndex + 1, 0];
  }
}
