/** A state had no room for another key. */
export class SharedStateFullError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "SharedStateFullError";
  /** Keys that the state can hold. */
  readonly capacity: number;

  /** For `operation`, which found the state full. */
  constructor(operation: string, capacity: number) {
    super(`${operation}: the state is full: it holds ${capacity} keys`);
    this.capacity = capacity;
  }
}

/** A lock, or the last permit of a semaphore, was asked for by an opener that has it: waiting for it might never end. */
export class SharedLockReentryError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "SharedLockReentryError";

  /** For `operation`, which would wait for its own opener; `found` says why. */
  constructor(operation: string, found: string) {
    super(`${operation}: ${found}`);
  }
}

/** A block of a pool was used by who no longer has it: it was released, handed over, or given back for one that had died. */
export class StaleBlockError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "StaleBlockError";

  /** For `operation`; `found` says what has become of the block. */
  constructor(operation: string, found: string) {
    super(`${operation}: ${found}`);
  }
}
