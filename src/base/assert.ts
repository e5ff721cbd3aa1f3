/** A broken invariant: a fault of the program, never of its input or of the operating system. */
export class InvariantError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "InvariantError";
}

/**
 * Stops the program's current path when `condition` does not hold. Operating failures (a refused connection,
 * a full disk) are not invariants: throw the error that callers can catch for those.
 *
 * @throws {InvariantError} with `message` when `condition` is false
 *
 * @example
 * ```ts ignore
 * assert(head <= tail, `ring: head ${head} is past tail ${tail}`);
 * ```
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
