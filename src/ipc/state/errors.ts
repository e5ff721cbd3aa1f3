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
