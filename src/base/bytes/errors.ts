/** Bytes that end too soon or mean nothing: the fault of who wrote them, never of who reads them. */
export class MalformedBytesError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "MalformedBytesError";
  /** Where reading stopped, counted from the first byte of the reader's array. */
  readonly position: number;
  /** What the bytes were to be: `int32`, `varint`, `a length of at most 12`. */
  readonly expected: string;

  /** Says `found` at `position` where `expected` should have been. */
  constructor(position: number, found: string, expected: string) {
    super(`ByteReader: ${found} at position ${position}, expected ${expected}`);
    this.position = position;
    this.expected = expected;
  }
}

/** More bytes than a {@linkcode ByteWriter} was allowed. */
export class ByteLimitError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "ByteLimitError";
  /** The writer's limit. */
  readonly limitBytes: number;
  /** How many bytes there would have been. */
  readonly neededBytes: number;

  /** Says that `neededBytes` do not fit into `limitBytes`. */
  constructor(limitBytes: number, neededBytes: number) {
    super(`ByteWriter: ${neededBytes} bytes are needed, expected at most ${limitBytes}`);
    this.limitBytes = limitBytes;
    this.neededBytes = neededBytes;
  }
}
