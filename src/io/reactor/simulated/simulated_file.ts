import type { Abortable } from "../../../base/mod.ts";
import { errno, systemError } from "../../../../ffi/mod.ts";
import type { DriverFile, OpenFileOptions } from "../driver.ts";
import type { Shared } from "./shared.ts";
import { runOperation } from "./single_operation.ts";
import type { StoredFile } from "./stored_file.ts";
import type { SimulatedOperationKind } from "./simulated_faults.ts";
import type { OpenedNode, SimulatedFileSystem } from "./simulated_file_system.ts";

const EISDIR = 21;

/** Opens a file of a simulated file system. */
export async function openSimulatedFile(
  shared: Shared,
  fileSystem: SimulatedFileSystem,
  path: string,
  options: OpenFileOptions,
): Promise<SimulatedFile> {
  const { read = false, write = false, signal } = options;
  if (!read && !write) throw new TypeError("open: neither `read` nor `write` is set");
  if (path.includes("\0")) throw new TypeError(`open: the path has a zero byte: "${path}"`);
  signal?.throwIfAborted();
  let node: OpenedNode | undefined;
  await runOperation(shared.operations, {
    kind: "open",
    operation: "open",
    detail: `"${path}"`,
    signal,
    attempt() {
      const opened = fileSystem.open(path, options);
      if (typeof opened === "number") return opened;
      node = opened;
      return 0;
    },
  }).promise;
  return new SimulatedFile(shared, fileSystem, node ?? "directory", { read, write });
}

/** An open file. */
export class SimulatedFile implements DriverFile {
  readonly #shared: Shared;
  readonly #fileSystem: SimulatedFileSystem;
  readonly #node: OpenedNode;
  readonly #access: { readonly read: boolean; readonly write: boolean };
  readonly #openedAtCrashCount: number;
  #underWay = 0;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor(
    shared: Shared,
    fileSystem: SimulatedFileSystem,
    node: OpenedNode,
    access: { readonly read: boolean; readonly write: boolean },
  ) {
    this.#shared = shared;
    this.#fileSystem = fileSystem;
    this.#node = node;
    this.#access = access;
    this.#openedAtCrashCount = fileSystem.crashCount;
    shared.open.add(this);
  }

  async readAt(
    into: Uint8Array | readonly Uint8Array[],
    position: number,
    options: Abortable = {},
  ): Promise<number> {
    const views = viewsOf("read", into, position);
    const wanted = byteLengthOf(views);
    if (wanted === 0) return this.#nothing("read", options);
    let bytes = new Uint8Array();
    const attempt = (file: StoredFile, short: boolean) => {
      if (!this.#access.read) return -errno.EBADF;
      const room = new Uint8Array(short ? this.#fewer(wanted) : wanted);
      bytes = room.subarray(0, file.read(position, room));
      return bytes.byteLength;
    };
    return await this.#run("read", options, attempt, () => {
      if (!options.signal?.aborted) copyOut(bytes, views);
    });
  }

  async writeAt(
    from: Uint8Array | readonly Uint8Array[],
    position: number,
    options: Abortable = {},
  ): Promise<number> {
    const bytes = joined(viewsOf("write", from, position));
    if (bytes.byteLength === 0) return this.#nothing("write", options);
    return await this.#run("write", options, (file, short) => {
      if (!this.#access.write) return -errno.EBADF;
      const { faults } = this.#shared;
      const length = short ? this.#fewer(bytes.byteLength) : bytes.byteLength;
      const written = Math.min(length, faults.settings.enospcAfterBytes);
      if (written === 0) return -errno.ENOSPC;
      faults.settings.enospcAfterBytes -= written;
      file.write(position, bytes.subarray(0, written));
      return written;
    });
  }

  async sync(options: Abortable = {}): Promise<void> {
    await this.#sync("fsync", options);
  }

  async syncData(options: Abortable = {}): Promise<void> {
    await this.#sync("fdatasync", options);
  }

  close(): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = Promise.withResolvers();
      this.#shared.open.delete(this);
      if (this.#underWay === 0) this.#closing.resolve();
    }
    return this.#closing.promise;
  }

  #sync(kind: "fsync" | "fdatasync", options: Abortable): Promise<number> {
    const node = this.#node;
    this.#check(kind, options);
    return this.#request(kind, options, {
      attempt: () => {
        if (node !== "directory") node.sync();
        return 0;
      },
      strike: (number) => {
        if (number === errno.EIO && node !== "directory") this.#fileSystem.failSync(node);
      },
    });
  }

  #run(
    kind: "read" | "write",
    options: Abortable,
    attempt: (file: StoredFile, short: boolean) => number,
    release?: () => void,
  ): Promise<number> {
    const node = this.#node;
    this.#check(kind, options);
    return this.#request(kind, options, {
      attempt: (short) => node === "directory" ? -EISDIR : attempt(node, short),
      release,
    });
  }

  #request(kind: SimulatedOperationKind, { signal }: Abortable, parts: {
    attempt: (short: boolean) => number;
    strike?: (number: number) => void;
    release?: (() => void) | undefined;
  }): Promise<number> {
    this.#underWay++;
    return runOperation(this.#shared.operations, {
      kind,
      operation: kind,
      signal,
      attempt: (short) => this.#isStale ? -errno.EBADF : parts.attempt(short),
      strike: parts.strike,
      release: (result) => {
        if (result > 0) parts.release?.();
        if (--this.#underWay === 0) this.#closing?.resolve();
      },
    }).promise;
  }

  /** Whether the machine has crashed since the file was opened. */
  get #isStale(): boolean {
    return this.#openedAtCrashCount !== this.#fileSystem.crashCount;
  }

  #nothing(operation: string, options: Abortable): number {
    this.#check(operation, options);
    return 0;
  }

  #check(operation: string, { signal }: Abortable): void {
    if (this.#closing !== undefined) throw systemError(operation, errno.EBADF);
    signal?.throwIfAborted();
  }

  #fewer(byteLength: number): number {
    return byteLength === 1 ? 1 : 1 + this.#shared.scheduler.random.below(byteLength - 1);
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

function byteLengthOf(views: readonly Uint8Array[]): number {
  return views.reduce((sum, view) => sum + view.byteLength, 0);
}

function joined(views: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteLengthOf(views));
  let at = 0;
  for (const view of views) {
    bytes.set(view, at);
    at += view.byteLength;
  }
  return bytes;
}

function copyOut(bytes: Uint8Array, views: readonly Uint8Array[]): void {
  let at = 0;
  for (const view of views) {
    const part = bytes.subarray(at, at + view.byteLength);
    view.set(part);
    at += part.byteLength;
  }
}
