/**
 * Locks on single bytes of a file, which belong to an open file description and not to a process: the kernel drops them when the
 * descriptor is closed, also by the death of the process (`F_OFD_SETLK` in fcntl(2)).
 */
import { check, EAGAIN } from "./errno.ts";
import { native } from "./library.ts";

/** How a lock is held: shared with others, or exclusively. */
export type ByteLockKind = "shared" | "exclusive";

const KIND = { none: 0, shared: 1, exclusive: 2 } as const;
const EACCES = 13;

/**
 * Takes the lock of byte `at` of `fd`, or converts it, atomically; false when another descriptor holds a conflicting lock. Never
 * waits. The byte need not exist.
 */
export function tryLockByte(fd: number, at: number, kind: ByteLockKind): boolean {
  const result = native().millrace_lock(fd, at, KIND[kind]);
  if (result === -EAGAIN || result === -EACCES) return false;
  check(result, "lock a byte");
  return true;
}

/** Releases the lock of byte `at`. */
export function unlockByte(fd: number, at: number): void {
  check(native().millrace_lock(fd, at, KIND.none), "unlock a byte");
}

/**
 * Releases all locks of `fd`, which is about to be closed: while the file is mapped through it, by whichever participant, closing
 * alone does not release them.
 */
export function unlockAllBytes(fd: number): void {
  check(native().millrace_unlock_all(fd), "unlock all bytes");
}

/** Whether another descriptor holds the lock of byte `at`, in either way. */
export function isByteLocked(fd: number, at: number): boolean {
  return check(native().millrace_lock_held(fd, at), "query the lock of a byte") === 1;
}
