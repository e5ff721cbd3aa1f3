/**
 * Named memory that processes share: files. A name with a directory, such as `/var/lib/shop/millrace.a`, is that of a file
 * there. A name without one, such as `/millrace.a`, is that of a POSIX shared memory object, a file without a disk.
 */
import { check, ENOSPC, systemError } from "./errno.ts";
import { native } from "./library.ts";

const ERANGE = 34;
const FILE_KIND_MASK = 0o170000;
const REGULAR_FILE = 0o100000;
const PERMISSIONS_MASK = 0o7777;
/** Bytes of names that `listSharedObjects()` returns at most: more names in a directory are a mistake. */
const NAMES_BYTES_MAX = 2 ** 26;

const encoder = new TextEncoder();

/** Metadata of an object. */
export interface SharedObjectStat {
  readonly byteLength: number;
  /** Permissions, e.g. `0o600`. */
  readonly mode: number;
  /** Whether it is a regular file, and not a directory, pipe or device. */
  readonly isRegular: boolean;
  /** How many names it has: 0 when it was unlinked. */
  readonly nameCount: number;
}

/**
 * Creates a shared memory object, exclusively, with exactly the permissions `mode`; returns its descriptor. By then the name is
 * durable in its directory. Errors call it `subject`.
 *
 * @throws {Deno.errors.AlreadyExists}
 */
export function createSharedObject(name: string, mode = 0o600, subject = `shared memory ${name}`): number {
  const bytes = encoder.encode(name);
  return checkNamed(native().millrace_shm_create(bytes, bytes.byteLength, mode), "create", subject);
}

/**
 * Opens a shared memory object for reading and writing; returns its descriptor. Errors call it `subject`, and the operation `action`.
 *
 * @throws {Deno.errors.NotFound}
 */
export function openSharedObject(name: string, subject = `shared memory ${name}`, action = "open"): number {
  const bytes = encoder.encode(name);
  return checkNamed(native().millrace_shm_open(bytes, bytes.byteLength), action, subject);
}

/**
 * Removes the name of a shared memory object; mappings live on. Errors call it `subject`.
 *
 * @throws {Deno.errors.NotFound}
 */
export function unlinkSharedObject(name: string, subject = `shared memory ${name}`): void {
  const bytes = encoder.encode(name);
  checkNamed(native().millrace_shm_unlink(bytes, bytes.byteLength), "unlink", subject);
}

function checkNamed(result: number, action: string, subject: string): number {
  if (result >= 0) return result;
  throw systemError(`${action} shared memory`, -result, "", `${action} ${subject}`);
}

/** Names of shared memory objects that begin with `prefix`, in no order, without the prefix's slash or directory. */
export function listSharedObjects(prefix: string): string[] {
  const wanted = encoder.encode(prefix);
  for (let byteLength = 4096; byteLength <= NAMES_BYTES_MAX; byteLength *= 4) {
    const out = new Uint8Array(byteLength);
    const length = native().millrace_shm_list(wanted, wanted.byteLength, out, byteLength);
    if (length === -ERANGE) continue;
    check(length, "list shared memory", prefix);
    return new TextDecoder().decode(out.subarray(0, length)).split("\0").slice(0, -1);
  }
  throw new RangeError(`list shared memory: the names have more than ${NAMES_BYTES_MAX} bytes`);
}

/** Metadata of the object `fd`. */
export function statSharedObject(fd: number): SharedObjectStat {
  const out = new BigUint64Array(3);
  check(native().millrace_shm_stat(fd, out), "fstat");
  const mode = Number(out[1]);
  return {
    byteLength: Number(out[0]),
    mode: mode & PERMISSIONS_MASK,
    isRegular: (mode & FILE_KIND_MASK) === REGULAR_FILE,
    nameCount: Number(out[2]),
  };
}

/**
 * Makes the object `fd` at least so large, and allocates all of its memory now.
 *
 * @throws {Error} with the code `ENOSPC` when there is not enough
 */
export function reserveSharedObject(fd: number, byteLength: number): void {
  check(
    native().millrace_shm_reserve(fd, BigInt(byteLength)),
    "reserve shared memory",
    `of ${byteLength} bytes`,
  );
}

/**
 * Allocates the missing memory of the object `fd` of `byteLength` bytes: a copy of a file may have holes.
 *
 * @throws {Error} with the code `ENOSPC` when there is not enough
 */
export function fillHolesOfSharedObject(fd: number, byteLength: number, subject: string): void {
  check(native().millrace_shm_fill_holes(fd, BigInt(byteLength)), "connect to shared memory", subject);
}

/**
 * Flushes the content of the object `fd` to its disk, whichever process wrote it; blocks the thread. Does nothing for memory
 * without a disk.
 *
 * @throws {Error} with the code `EIO` or `ENOSPC`
 */
export function syncSharedObject(fd: number): void {
  check(native().millrace_shm_sync(fd), "sync shared memory");
}

/** Fills `out` from byte `offset` of `fd`; returns how many bytes it read. */
export function readAt(fd: number, out: Uint8Array<ArrayBuffer>, offset: number): number {
  return check(native().millrace_read_at(fd, out, out.byteLength, offset), "read shared memory");
}

/**
 * Writes all of `bytes` at byte `offset` of `fd`.
 *
 * @throws {Error} with the code `ENOSPC` when there was no room for all of them
 */
export function writeAt(fd: number, bytes: Uint8Array<ArrayBuffer>, offset: number): void {
  const written = check(
    native().millrace_write_at(fd, bytes, bytes.byteLength, offset),
    "write shared memory",
  );
  if (written !== bytes.byteLength) throw systemError("write shared memory", ENOSPC);
}
