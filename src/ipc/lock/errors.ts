/** A lock, or the last permit of a semaphore, was asked for by an opener that has it: waiting for it might never end. */
export class SharedLockReentryError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "SharedLockReentryError";

  /** For `operation`, which would wait for its own opener; `found` says why. */
  constructor(operation: string, found: string) {
    super(`${operation}: ${found}`);
  }
}
