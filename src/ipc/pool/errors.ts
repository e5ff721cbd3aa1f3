/** A block of a pool was used by who no longer has it: it was released, handed over, or given back for one that had died. */
export class StaleBlockError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "StaleBlockError";

  /** For `operation`; `found` says what has become of the block. */
  constructor(operation: string, found: string) {
    super(`${operation}: ${found}`);
  }
}
