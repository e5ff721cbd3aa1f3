import { assert } from "../mod.ts";
import { MalformedBytesError } from "./errors.ts";
import { decodeUtf8 } from "./utf8.ts";

const HIGH_WORD_RANGE = 2 ** 32;
const VARINT_BYTES_MAX = 5;
const VARLONG_BYTES_MAX = 10;

/**
 * Reads a range of bytes from its start to its end, big-endian. Whatever the bytes are, it throws
 * {@linkcode MalformedBytesError} or gives a value from inside the range, and allocates nothing by a length
 * that is not there.
 *
 * An int64 is a `bigint` by {@linkcode ByteReader.readInt64}, which takes every one; where the meaning of a
 * field keeps it below 2^53, `readInt64AsNumber()` and `readVarlong()` give a number, and refuse what is
 * beyond.
 *
 * @example
 * ```ts ignore
 * const reader = new ByteReader(frame);
 * const key = reader.readInt16();
 * ```
 */
export class ByteReader {
  #bytes: Uint8Array;
  #view: DataView;
  #position: number;
  #end: number;

  /** Reads `bytes` from `start` up to `end`; the bytes are not copied. */
  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    checkRange(bytes, start, end);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = start;
    this.#end = end;
  }

  /** Reads another range from now on, as a new reader would; one reader serves a connection. */
  reset(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    checkRange(bytes, start, end);
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.#position = start;
    this.#end = end;
  }

  /** Where the next byte is read, counted from the first byte of the array. */
  get position(): number {
    return this.#position;
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  /** One of the bytes 0 and 1; like Kafka, every other byte counts as 1. */
  readBool(): boolean {
    return this.readInt8() !== 0;
  }

  /** A whole number from -2^7 to 2^7 - 1, in 1 byte. */
  readInt8(): number {
    return this.#view.getInt8(this.#take(1, "int8"));
  }

  /** A whole number from 0 to 2^8 - 1, in 1 byte. */
  readUint8(): number {
    return this.#view.getUint8(this.#take(1, "uint8"));
  }

  /** A whole number from -2^15 to 2^15 - 1, in 2 bytes. */
  readInt16(): number {
    return this.#view.getInt16(this.#take(2, "int16"));
  }

  /** A whole number from 0 to 2^16 - 1, in 2 bytes. */
  readUint16(): number {
    return this.#view.getUint16(this.#take(2, "uint16"));
  }

  /** A whole number from -2^31 to 2^31 - 1, in 4 bytes. */
  readInt32(): number {
    return this.#view.getInt32(this.#take(4, "int32"));
  }

  /** A whole number from 0 to 2^32 - 1, in 4 bytes. */
  readUint32(): number {
    return this.#view.getUint32(this.#take(4, "uint32"));
  }

  /** A whole number from -2^63 to 2^63 - 1, in 8 bytes. */
  readInt64(): bigint {
    return this.#view.getBigInt64(this.#take(8, "int64"));
  }

  /** An int64 that a number holds exactly: from -(2^53 - 1) to 2^53 - 1. */
  readInt64AsNumber(): number {
    const position = this.#take(8, "int64");
    const value = this.#view.getInt32(position) * HIGH_WORD_RANGE + this.#view.getUint32(position + 4);
    if (!Number.isSafeInteger(value)) {
      throw new MalformedBytesError(position, "an int64 beyond 2^53 - 1", "one that a number holds");
    }
    return value;
  }

  /** A number of IEEE 754, in 8 bytes. */
  readFloat64(): number {
    return this.#view.getFloat64(this.#take(8, "float64"));
  }

  /** A whole number from 0 to 2^32 - 1, seven bits a byte, the lowest first, in at most 5 bytes. */
  readUnsignedVarint(): number {
    const start = this.#position;
    let position = start;
    let value = 0;
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      if (position === this.#end) throw this.#truncated("unsigned varint");
      const byte = this.#bytes[position++];
      // The fifth byte has room for four bits.
      if (count === VARINT_BYTES_MAX - 1 && byte > 0x0f) break;
      value |= (byte & 0x7f) << (7 * count);
      if (byte < 0x80) {
        this.#position = position;
        return value >>> 0;
      }
    }
    throw new MalformedBytesError(start, "a varint beyond 32 bits", "unsigned varint");
  }

  /** A whole number from -2^31 to 2^31 - 1, zigzag: 0, -1, 1, -2 as 0, 1, 2, 3, in at most 5 bytes. */
  readVarint(): number {
    const zigzag = this.readUnsignedVarint();
    return (zigzag >>> 1) ^ -(zigzag & 1);
  }

  /** A whole number from -(2^53 - 1) to 2^53 - 1 out of a zigzag varint of 64 bits, in at most 10 bytes. */
  readVarlong(): number {
    const start = this.#position;
    let position = start;
    // Four bytes hold 28 bits, so that low and middle words need no sign; the last two bytes hold 8 bits.
    let low = 0;
    let middle = 0;
    let high = 0;
    for (let count = 0; count < VARLONG_BYTES_MAX; count++) {
      if (position === this.#end) throw this.#truncated("varlong");
      const byte = this.#bytes[position++];
      if (count === VARLONG_BYTES_MAX - 1 && byte > 0x01) break;
      const bits = byte & 0x7f;
      if (count < 4) low |= bits << (7 * count);
      else if (count < 8) middle |= bits << (7 * (count - 4));
      else high |= bits << (7 * (count - 8));
      if (byte >= 0x80) continue;
      // The halves without the sign bit: at most 2^63 - 1, exact where the result is.
      const half = high * 2 ** 55 + middle * 2 ** 27 + (low >>> 1);
      const value = (low & 1) === 0 ? half : -half - 1;
      if (!Number.isSafeInteger(value)) break;
      this.#position = position;
      return value;
    }
    throw new MalformedBytesError(start, "a varint beyond what a number holds", "varlong");
  }

  /** The next `length` bytes, as a view: nothing is copied. */
  readBytes(length: number): Uint8Array {
    const position = this.#takeLength(length, "bytes");
    return this.#bytes.subarray(position, position + length);
  }

  /** The next `byteLength` bytes as UTF-8; invalid sequences become U+FFFD, as in Java. */
  readUtf8(byteLength: number): string {
    const position = this.#takeLength(byteLength, "bytes of text");
    return decodeUtf8(this.#bytes, position, position + byteLength);
  }

  /** Passes over `length` bytes. */
  skip(length: number): void {
    this.#takeLength(length, "bytes to pass over");
  }

  /** Goes back to `position`, where the reader was before, to read it again. */
  rewind(position: number): void {
    assert(position >= 0 && position <= this.#position, `ByteReader: ${position} was not read`);
    this.#position = position;
  }

  /**
   * Ends the range after `length` more bytes, for what must not read past its own; gives the end until now,
   * to be given to {@linkcode ByteReader.widen} afterwards.
   */
  narrow(length: number): number {
    if (!(length <= this.remaining) || length < 0) throw this.#tooLong(length, "bytes of a part");
    const end = this.#end;
    this.#end = this.#position + length;
    return end;
  }

  /** Undoes {@linkcode ByteReader.narrow}: `end` is what that gave. */
  widen(end: number): void {
    assert(end >= this.#end && end <= this.#bytes.length, "ByteReader.widen: no end that narrow() gave");
    this.#end = end;
  }

  /** Refuses bytes that are left where a value should have taken all: `what` names it. */
  expectEnd(what: string): void {
    if (this.remaining === 0) return;
    throw new MalformedBytesError(this.#position, `${this.remaining} bytes after the end`, what);
  }

  /** An error at the present position, for who gives the bytes a meaning. */
  malformed(found: string, expected: string): MalformedBytesError {
    return new MalformedBytesError(this.#position, found, expected);
  }

  #take(count: number, expected: string): number {
    const position = this.#position;
    if (count > this.#end - position) throw this.#truncated(expected);
    this.#position = position + count;
    return position;
  }

  #takeLength(length: number, what: string): number {
    const position = this.#position;
    // A length that is no number fails the comparison, too.
    if (!(length <= this.#end - position) || length < 0) throw this.#tooLong(length, what);
    this.#position = position + length;
    return position;
  }

  #truncated(expected: string): MalformedBytesError {
    return new MalformedBytesError(this.#position, `the end after ${this.remaining} bytes`, expected);
  }

  #tooLong(length: number, what: string): MalformedBytesError {
    return new MalformedBytesError(
      this.#position,
      `a length of ${length}`,
      `at most ${this.remaining} ${what}`,
    );
  }
}

function checkRange(bytes: Uint8Array, start: number, end: number): void {
  if (Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end <= bytes.length) {
    return;
  }
  throw new RangeError(`ByteReader: range is ${start} to ${end}, expected one inside ${bytes.length} bytes`);
}
