const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);
/** The least that is allocated: most of what is kept is part of a head. */
const BYTES_MIN = 512;
const LF = 10;
const CR = 13;

/**
 * Bytes received and not yet parsed: the beginning of a head, or requests sent ahead of a response. Uses no memory while it is
 * empty. It has no limit of its own: its owner stops receiving in time.
 */
export class InputBuffer {
  #bytes: Uint8Array<ArrayBuffer> = EMPTY;
  #byteLength = 0;

  /** The bytes, at the start of an array that may be longer; valid until the next call that changes them. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** How many there are. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Adds a copy of `bytes` from `start` up to `end`. */
  append(bytes: Uint8Array, start: number, end: number): void {
    const byteLength = this.#byteLength + end - start;
    if (this.#bytes.byteLength < byteLength) {
      const larger = new Uint8Array(Math.max(BYTES_MIN, 2 * byteLength));
      larger.set(this.#bytes.subarray(0, this.#byteLength));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes.subarray(start, end), this.#byteLength);
    this.#byteLength = byteLength;
  }

  /** Takes the first `count` bytes out; all of them when there are fewer. */
  drop(count: number): void {
    if (count >= this.#byteLength) {
      this.clear();
      return;
    }
    this.#bytes.copyWithin(0, count, this.#byteLength);
    this.#byteLength -= count;
  }

  /** Forgets everything. */
  clear(): void {
    this.#bytes = EMPTY;
    this.#byteLength = 0;
  }

  /** Whether there is anything but line ends. */
  get hasMoreThanLineEnds(): boolean {
    for (let index = 0; index < this.#byteLength; index++) {
      if (this.#bytes[index] !== LF && this.#bytes[index] !== CR) return true;
    }
    return false;
  }

  /** Whether the empty line that ends a head has become complete after the first `from` bytes, or none can come. */
  hasEmptyLineSince(from: number): boolean {
    const bytes = this.#bytes;
    for (let index = Math.max(from, 1); index < this.#byteLength; index++) {
      if (bytes[index] === LF && (bytes[index - 1] === LF || index >= 2 && bytes[index - 2] === LF)) {
        return true;
      }
      // A CR without LF makes the head malformed, and its end may never come.
      if (bytes[index - 1] === CR && bytes[index] !== LF) return true;
    }
    return false;
  }
}
