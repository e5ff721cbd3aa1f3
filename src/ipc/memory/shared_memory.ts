import { isByteLocked, tryLockByte, unlockByte } from "../../../ffi/mod.ts";
import { closeRegion, connectRegion, createRegion, type OpenedRegion } from "./open_region.ts";
import {
  listRegions,
  removeAbandonedRegions,
  type SharedMemoryFilter,
  type SharedMemoryInfo,
  type SharedMemoryUnlinkOptions,
  unlinkRegion,
} from "./region_list.ts";
import { connectOrCreate } from "./region_file.ts";
import { type SharedMemoryTarget, subjectOf } from "./region_name.ts";
import { LOCK_AT, SHARED_MEMORY_BYTES_MAX, SHARED_MEMORY_LOCK_COUNT } from "./layout.ts";

/** Options of {@linkcode SharedMemory.create}, and of {@linkcode SharedMemory.open} where there is no region. */
export interface SharedMemoryOptions extends SharedMemoryTarget {
  /** Bytes that the region has: from 1 to {@linkcode SHARED_MEMORY_BYTES_MAX}. */
  byteLength: number;
  /**
   * Who may open it, as permissions of a file, the umask notwithstanding; the owner may always.
   *
   * @default {0o600}
   */
  mode?: number;
  /**
   * Fills the region before anybody can open it; until it returns, `connect()` and `create()` of the name throw `Busy` and
   * `AlreadyExists`. When it throws, there is no region. It may neither keep `bytes` nor go on after it has returned.
   *
   * @default {leaves it full of zeroes}
   */
  initialize?: (bytes: Uint8Array<ArrayBuffer>) => void;
}

/** Options of {@linkcode SharedMemory.open}. */
export interface SharedMemoryOpenOptions extends SharedMemoryOptions {
  /**
   * Looks at a region that exists, whether it is what is wanted; what it throws, `open()` throws.
   *
   * @default {whether it has byteLength bytes}
   */
  check?: (region: SharedMemory) => void;
}

/**
 * A named region of memory that processes share. It outlives those who have it open, until its name is taken away.
 *
 * Who opens it has a descriptor of its own, which its locks belong to: the kernel drops them when it closes or dies.
 * Needs the native library, and `--allow-ffi`.
 *
 * ```ts
 * import { SharedMemory } from "@millrace/millrace/memory";
 *
 * const name = `example-${Deno.pid}`;
 * using region = SharedMemory.create(name, { byteLength: 4096 });
 * try {
 *   // In another process:
 *   using same = SharedMemory.connect(name);
 *   Atomics.store(new Int32Array(same.bytes.buffer), 0, 42);
 *   console.log(Atomics.load(new Int32Array(region.bytes.buffer), 0)); // 42
 * } finally {
 *   SharedMemory.unlink(name);
 * }
 * ```
 */
export class SharedMemory implements Disposable {
  /** Its name, without what the system knows it by. */
  readonly name: string;
  /** The directory that its file is in, as it was given; `undefined` in the system's shared memory. */
  readonly directory: string | undefined;
  /** Bytes that it has. */
  readonly byteLength: number;
  /** Who may open it, as permissions of a file: as they were when this opened it. */
  readonly mode: number;
  /**
   * The region, zeroed when it is made, at the start of a page; of length 0 once closed. What others may change meanwhile is to
   * be read and written through `Atomics`. Its buffer must not be transferred.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #region: OpenedRegion;
  readonly #locks = new Set<number>();
  #closed = false;

  /**
   * Makes a region that must not exist yet. All of its memory is taken from the system at once. One that is half-made, as its
   * creator has died, is removed and made anew.
   *
   * @throws {RangeError} when the name or an option is out of range
   * @throws {TypeError} when `initialize` is asynchronous
   * @throws {Deno.errors.AlreadyExists} when there is something of that name, be it no region or still being made
   * @throws {Error} with the code `ENOSPC` when the system, or the disk, has not that much; nothing is left behind then
   * @throws {Deno.errors.NotFound} when the directory is not there; `NotADirectory` and `PermissionDenied` likewise
   * @throws {Deno.errors.NotSupported} without the native library, or on a file system without shared mappings or locks
   */
  static create(name: string, options: SharedMemoryOptions): SharedMemory {
    const { byteLength, mode = 0o600, initialize, directory, subject } = options;
    const called = subject ?? "shared memory";
    if (!(Number.isInteger(byteLength) && byteLength >= 1 && byteLength <= SHARED_MEMORY_BYTES_MAX)) {
      throw new RangeError(
        `create ${called}: byteLength is ${byteLength}, expected 1 to ${SHARED_MEMORY_BYTES_MAX}`,
      );
    }
    if (!(Number.isInteger(mode) && mode >= 0 && mode <= 0o777 && (mode & 0o600) === 0o600)) {
      throw new RangeError(`create ${called}: mode is 0o${mode.toString(8)}, expected 0o600 to 0o777`);
    }
    return new SharedMemory(
      name,
      directory,
      createRegion(name, { directory, subject }, { byteLength, mode, initialize }),
    );
  }

  /**
   * Opens an existing region.
   *
   * @throws {RangeError} for what is no name
   * @throws {Deno.errors.NotFound} when there is none, also where one is half-made and its creator has died, or no such directory
   * @throws {Deno.errors.FilesystemLoop} when it is a symbolic link
   * @throws {Deno.errors.PermissionDenied} when this process may not read and write it
   * @throws {Deno.errors.InvalidData} when it is not Millrace's, damaged, or of another version; says which
   * @throws {Deno.errors.Busy} when its creator, or who removes it, does not get done in {@linkcode SHARED_MEMORY_WAIT_MS_MAX}
   * @throws {Deno.errors.NotSupported} without the native library
   */
  static connect(name: string, target: SharedMemoryTarget = {}): SharedMemory {
    return new SharedMemory(name, target.directory, connectRegion(name, target));
  }

  /**
   * Opens a region, and makes it where there is none. Who waits for another process that makes it waits for
   * {@linkcode SHARED_MEMORY_OPEN_WAIT_MS_MAX} at most. Throws what `connect()` and `create()` do, and:
   *
   * @throws {Deno.errors.AlreadyExists} when there is one that has another length or mode; says which
   */
  static open(name: string, options: SharedMemoryOpenOptions): SharedMemory {
    const operation = `open ${subjectOf(name, options)}`;
    const connect = () => ({ region: this.connect(name, options), isMade: false });
    const create = () => ({ region: this.create(name, options), isMade: true });
    const { region, isMade } = connectOrCreate(operation, connect, create);
    try {
      if (!isMade) checkFound(operation, region, options);
      return region;
    } catch (error) {
      region.close();
      throw error;
    }
  }

  /**
   * Removes the name of a region: it cannot be opened any more, and a new one can take the name. Participants that have it open keep it.
   *
   * @throws {RangeError} for what is no name
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.InvalidData} when it is no region of Millrace's, or of another kind than it should be
   * @throws {Deno.errors.PermissionDenied} when it is another user's
   */
  static unlink(name: string, options: SharedMemoryUnlinkOptions = {}): void {
    unlinkRegion(name, options);
  }

  /**
   * The regions that this process may open, by name; nothing else that is in the system's shared memory, or the directory.
   *
   * @throws {RangeError} for what is no directory
   * @throws {Deno.errors.NotFound} when the directory is not there
   */
  static list(filter: SharedMemoryFilter = {}): SharedMemoryInfo[] {
    return listRegions(filter);
  }

  /**
   * Takes the names of regions away that no living process has open, half-made and damaged ones included, and returns them.
   * Leaves alone what this process may not open or remove, and regions of other versions of Millrace.
   * Name a `prefix` of your own: without one it takes what other programs have left for later, too. In a directory what is kept for
   * later is the rule.
   */
  static removeAbandoned(filter: SharedMemoryFilter = {}): string[] {
    return removeAbandonedRegions(filter);
  }

  private constructor(name: string, directory: string | undefined, region: OpenedRegion) {
    this.name = name;
    this.directory = directory;
    this.#region = region;
    this.bytes = region.mapping.bytes;
    this.byteLength = this.bytes.byteLength;
    this.mode = region.mode;
  }

  /**
   * Takes lock `index`, from 0 to {@linkcode SHARED_MEMORY_LOCK_COUNT} less 1, for this opener, until it unlocks, closes or dies;
   * false when it is held, by this opener or another.
   *
   * @throws {RangeError} when there is no such lock
   * @throws {Deno.errors.BadResource} when the region is closed
   */
  tryLock(index: number): boolean {
    const at = this.#lockAt(index);
    this.#throwIfClosed("lock");
    if (this.#locks.has(index) || !tryLockByte(this.#region.fd, at, "exclusive")) return false;
    this.#locks.add(index);
    return true;
  }

  /**
   * Whether lock `index` is held, by this opener or another.
   *
   * @throws {RangeError} when there is no such lock
   * @throws {Deno.errors.BadResource} when the region is closed
   */
  isLocked(index: number): boolean {
    const at = this.#lockAt(index);
    this.#throwIfClosed("look at a lock of");
    return this.#locks.has(index) || isByteLocked(this.#region.fd, at);
  }

  /**
   * What native code needs to look at locks itself: the descriptor of this opener's, which it keeps, and the byte of lock 0.
   *
   * @internal
   */
  get file(): { readonly fd: number; readonly locksAt: number } {
    return { fd: this.#region.fd, locksAt: LOCK_AT.first };
  }

  /**
   * Gives lock `index` back. Does nothing when this opener does not have it.
   *
   * @throws {RangeError} when there is no such lock
   */
  unlock(index: number): void {
    const at = this.#lockAt(index);
    if (this.#locks.delete(index)) unlockByte(this.#region.fd, at);
  }

  /**
   * Resolves when all that anybody had written to a region in a directory before the call is on the disk, without holding up this
   * thread; the region may be closed meanwhile. For the system's memory it resolves at once.
   *
   * What was not synced may be lost with the power, page by page and in any order. A process that dies loses nothing.
   *
   * @throws {Error} with the code `EIO` or `ENOSPC` (as a rejection); what was written since the last sync may be lost then
   * @throws {Deno.errors.BadResource} (as a rejection) when the region is closed
   */
  async sync(): Promise<void> {
    this.#throwIfClosed("sync");
    if (this.directory !== undefined) await this.#region.mapping.sync(this.#region.fd);
  }

  /** Gives back the locks and the memory: all views of it have length 0 afterwards. Closing twice does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#locks.clear();
    closeRegion(this.#region);
  }

  /** The same as {@linkcode SharedMemory.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #lockAt(index: number): number {
    if (Number.isInteger(index) && index >= 0 && index < SHARED_MEMORY_LOCK_COUNT) {
      return LOCK_AT.first + index;
    }
    throw new RangeError(`lock of shared memory: ${index}, expected 0 to ${SHARED_MEMORY_LOCK_COUNT - 1}`);
  }

  #throwIfClosed(operation: string): void {
    if (this.#closed) {
      throw new Deno.errors.BadResource(`${operation} shared memory ${this.name}: it is closed`);
    }
  }
}

/** Whether a region that exists is what is wanted. */
function checkFound(operation: string, region: SharedMemory, options: SharedMemoryOpenOptions): void {
  const { mode = region.mode, byteLength, check } = options;
  if (mode !== region.mode) {
    throw new Deno.errors.AlreadyExists(
      `${operation}: mode is 0o${region.mode.toString(8)}, expected 0o${mode.toString(8)}`,
    );
  }
  if (check !== undefined) check(region);
  else if (byteLength !== region.byteLength) {
    throw new Deno.errors.AlreadyExists(
      `${operation}: byteLength is ${region.byteLength}, expected ${byteLength}`,
    );
  }
}
