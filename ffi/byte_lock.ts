/**
 * Locks on single bytes of a file, which belong to an opened file and not to a process: the kernel drops them when the
 * descriptor is closed, which the death of the process does too (`F_OFD_SETLK` in fcntl(2)).
 */
import { check, EAGAIN } from "./errno.ts";
import { native } from "./library.ts";

/** How a lock is held: by any number of openers, or by one alone. */
export type ByteLockKind = "shared" | "exclusive";

const KIND = { none: 0, shared: 1, exclusive: 2 } as const;
const EACCES = 13;

/**
 * Takes the lock of byte `at` of `fd`, or changes how this opener holds it, in one step; false when another opener's is in the
 * way. Never waits. The byte need not exist.
 */
export function tryLockByte(fd: number, at: number, kind: ByteLockKind): boolean {
  const result = native().millrace_lock(fd, at, KIND[kind]);
  if (result === -EAGAIN || result === -EACCES) return false;
  check(result, "lock a byte");
  return true;
}

/** Gives the lock of byte `at` back. */
export function unlockByte(fd: number, at: number): void {
  check(native().millrace_lock(fd, at, KIND.none), "unlock a byte");
}

/**
 * Gives back all locks of the opener `fd`, which is about to close it: while the file is mapped through it, for whomever, closing
 * alone does not.
 */
export function unlockAllBytes(fd: number): void {
  check(native().millrace_unlock_all(fd), "unlock all bytes");
}

/** Whether another opener holds the lock of byte `at`, in either way. */
export function isByteLocked(fd: number, at: number): boolean {
  return check(native().millrace_lock_held(fd, at), "look at the lock of a byte") === 1;
}
