import {
  closeDescriptor,
  openSharedObject,
  readAt,
  statSharedObject,
  tryLockByte,
  unlinkSharedObject,
} from "../../../ffi/mod.ts";
import { HEADER_USED_BYTES, inspect, type Inspection, LOCK_AT } from "./layout.ts";

/** What is waited at most for another process that makes, opens or removes the same region: moments, unless it is stopped. */
export const SHARED_MEMORY_WAIT_MS_MAX = 100;
/**
 * What `SharedMemory.open()` waits at most for others that make or remove the same region: taking gigabytes from the system, or filling them,
 * takes its time.
 */
export const SHARED_MEMORY_OPEN_WAIT_MS_MAX = 2000;
const PAUSE_MS = 2;
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/**
 * The first result of `attempt` that is not `undefined`. Holds up the thread for {@linkcode SHARED_MEMORY_WAIT_MS_MAX} at most, and tells the
 * last attempt that it is the last.
 *
 * @throws {Deno.errors.Busy} when the last attempt gave none either
 */
export function attemptRepeatedly<T>(operation: string, attempt: (last: boolean) => T | undefined): T {
  const endMs = performance.now() + SHARED_MEMORY_WAIT_MS_MAX;
  for (;;) {
    const last = performance.now() >= endMs;
    const result = attempt(last);
    if (result !== undefined) return result;
    if (last) {
      throw new Deno.errors.Busy(
        `${operation}: another process has been making or removing it for ${SHARED_MEMORY_WAIT_MS_MAX} ms`,
      );
    }
    Atomics.wait(NEVER, 0, 0, PAUSE_MS);
  }
}

/**
 * What `connect` gives, or what `create` makes where there is nothing. Holds up the thread for about {@linkcode SHARED_MEMORY_OPEN_WAIT_MS_MAX} at
 * most while others make or remove the same.
 *
 * @throws {Deno.errors.Busy} when they still do then
 */
export function connectOrCreate<T>(operation: string, connect: () => T, create: () => T): T {
  const endMs = performance.now() + SHARED_MEMORY_OPEN_WAIT_MS_MAX;
  const { AlreadyExists, Busy, NotFound } = Deno.errors;
  let last: unknown;
  do {
    try {
      return connect();
    } catch (error) {
      if (!(error instanceof NotFound || error instanceof Busy)) throw error;
      last = error;
    }
    if (last instanceof Busy) continue;
    try {
      return create();
    } catch (error) {
      if (!(error instanceof AlreadyExists || error instanceof Busy)) throw error;
      last = error;
    }
  } while (performance.now() < endMs);
  throw new Busy(
    `${operation}: others have been making or removing it for ${SHARED_MEMORY_OPEN_WAIT_MS_MAX} ms`,
    { cause: last },
  );
}

/** Runs `body` on the opened object, and closes it, unless `keep()` passes it on. */
export function withOpened<T>(fd: number, body: (fd: number, keep: () => void) => T): T {
  let kept = false;
  try {
    return body(fd, () => kept = true);
  } finally {
    if (!kept) closeDescriptor(fd);
  }
}

/** What the file is. */
export function inspectFile(fd: number): Inspection {
  const { byteLength, isRegular } = statSharedObject(fd);
  if (!isRegular) return { state: "foreign", found: "it is no memory, and no region of Millrace's" };
  const bytes = new Uint8Array(HEADER_USED_BYTES);
  return inspect(bytes.subarray(0, readAt(fd, bytes, 0)), byteLength);
}

/**
 * Takes the name `object` away if it is that of `fd`; false when it is not, or when another process works on it. The lock, which
 * everybody takes who removes a name, makes sure that between the look and the removal the name does not become that of a
 * new region.
 */
export function removeName(fd: number, object: string): boolean {
  if (!tryLockByte(fd, LOCK_AT.remove, "exclusive")) return false;
  if (statSharedObject(fd).nameCount === 0) return false;
  unlinkSharedObject(object);
  return true;
}

/** Opens an object; `undefined` when it has gone, or is not to be opened by this process. */
export function openIfPossible(object: string): number | undefined {
  try {
    return openSharedObject(object);
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
      error instanceof Deno.errors.IsADirectory || error instanceof Deno.errors.FilesystemLoop ||
      error instanceof Deno.errors.NotSupported
    ) return undefined;
    throw error;
  }
}
