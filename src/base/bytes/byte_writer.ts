import { assert } from "../mod.ts";
import { ByteLimitError } from "./errors.ts";
import { encodeUtf8Into, utf8ByteLength } from "./utf8.ts";

const CAPACITY_BYTES_DEFAULT = 256;
const HIGH_WORD_RANGE = 2 ** 32;

/** The highest limit of a writer: what a length in 4 bytes can say. */
export const BYTE_WRITER_LIMIT_BYTES_MAX = 2 ** 31 - 1;

/** Options of {@linkcode ByteWriter}. */
export interface ByteWriterOptions {
  /** @default 256, or `limitBytes` where that is less */
  capacityBytes?: number;
  /** How many bytes it may ever hold; more throw {@linkcode ByteLimitError}. @default 2^31 - 1 */
  limitBytes?: number;
}

/**
 * Writes bytes one after another, big-endian, into memory that doubles as it must, up to a limit.
 *
 * @example
 * ```ts ignore
 * const writer = new ByteWriter({ limitBytes: 1024 });
 * writer.writeInt16(18);
 * socket.write(writer.written());
 * ```
 */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;
  readonly #limitBytes: number;

  /**
   * @throws {RangeError} when a size is no whole number from 0 to 2^31 - 1, or the capacity above the limit
   */
  constructor(options: ByteWriterOptions = {}) {
    const limitBytes = options.limitBytes ?? BYTE_WRITER_LIMIT_BYTES_MAX;
    const capacityBytes = options.capacityBytes ?? Math.min(CAPACITY_BYTES_DEFAULT, limitBytes);
    checkSize("limitBytes", limitBytes, BYTE_WRITER_LIMIT_BYTES_MAX);
    checkSize("capacityBytes", capacityBytes, limitBytes);
    this.#limitBytes = limitBytes;
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** How many bytes are written. */
  get length(): number {
    return this.#length;
  }

  /** What is written until now: a view, good until the next write or {@linkcode ByteWriter.clear}. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins again, in the memory it has. */
  clear(): void {
    this.#length = 0;
  }

  /** 0 or 1, in 1 byte. */
  writeBool(value: boolean): void {
    this.writeInt8(value ? 1 : 0);
  }

  /** A whole number from -2^7 to 2^7 - 1, in 1 byte. */
  writeInt8(value: number): void {
    if (value << 24 >> 24 !== value) throw outOfRange("int8", value);
    const position = this.#grow(1);
    this.#view.setInt8(position, value);
  }

  /** A whole number from 0 to 2^8 - 1, in 1 byte. */
  writeUint8(value: number): void {
    if ((value & 0xff) !== value) throw outOfRange("uint8", value);
    const position = this.#grow(1);
    this.#view.setUint8(position, value);
  }

  /** A whole number from -2^15 to 2^15 - 1, in 2 bytes. */
  writeInt16(value: number): void {
    if (value << 16 >> 16 !== value) throw outOfRange("int16", value);
    const position = this.#grow(2);
    this.#view.setInt16(position, value);
  }

  /** A whole number from 0 to 2^16 - 1, in 2 bytes. */
  writeUint16(value: number): void {
    if ((value & 0xffff) !== value) throw outOfRange("uint16", value);
    const position = this.#grow(2);
    this.#view.setUint16(position, value);
  }

  /** A whole number from -2^31 to 2^31 - 1, in 4 bytes. */
  writeInt32(value: number): void {
    if ((value | 0) !== value) throw outOfRange("int32", value);
    const position = this.#grow(4);
    this.#view.setInt32(position, value);
  }

  /** A whole number from 0 to 2^32 - 1, in 4 bytes. */
  writeUint32(value: number): void {
    if (value >>> 0 !== value) throw outOfRange("uint32", value);
    const position = this.#grow(4);
    this.#view.setUint32(position, value);
  }

  /** A whole number from -2^63 to 2^63 - 1, in 8 bytes. */
  writeInt64(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw outOfRange("int64", value);
    const position = this.#grow(8);
    this.#view.setBigInt64(position, value);
  }

  /** A whole number from -(2^53 - 1) to 2^53 - 1, as an int64 in 8 bytes. */
  writeInt64FromNumber(value: number): void {
    if (!Number.isSafeInteger(value)) throw outOfRange("int64 of a number", value);
    const position = this.#grow(8);
    this.#view.setInt32(position, Math.floor(value / HIGH_WORD_RANGE));
    this.#view.setUint32(position + 4, value >>> 0);
  }

  /** A number of IEEE 754, in 8 bytes. */
  writeFloat64(value: number): void {
    const position = this.#grow(8);
    this.#view.setFloat64(position, value);
  }

  /** A whole number from 0 to 2^32 - 1, seven bits a byte, the lowest first. */
  writeUnsignedVarint(value: number): void {
    if (value >>> 0 !== value) throw outOfRange("unsigned varint", value);
    const count = unsignedVarintBytes(value);
    let position = this.#grow(count);
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[position++] = (rest & 0x7f) | 0x80;
    this.#bytes[position] = rest;
  }

  /** A whole number from -2^31 to 2^31 - 1, zigzag. */
  writeVarint(value: number): void {
    if ((value | 0) !== value) throw outOfRange("varint", value);
    this.writeUnsignedVarint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  /** A whole number from -(2^53 - 1) to 2^53 - 1, zigzag, as a varint of 64 bits. */
  writeVarlong(value: number): void {
    if (!Number.isSafeInteger(value)) throw outOfRange("varlong of a number", value);
    // Zigzag is twice the value or of its complement, and one more below zero; in halves, so that it stays
    // exact.
    const half = value < 0 ? -(value + 1) : value;
    const sign = value < 0 ? 1 : 0;
    let low = ((half % 2 ** 27) * 2 + sign) >>> 0;
    const high = Math.floor(half / 2 ** 27);
    // `low` has 28 bits: four bytes of seven.
    for (let count = 0; count < 4; count++) {
      const last = high === 0 && low < 0x80;
      this.writeUint8((low & 0x7f) | (last ? 0 : 0x80));
      if (last) return;
      low >>>= 7;
    }
    this.writeUnsignedVarint(high);
  }

  /** Copies `bytes`. */
  writeBytes(bytes: Uint8Array): void {
    const position = this.#grow(bytes.length);
    this.#bytes.set(bytes, position);
  }

  /** `text` as UTF-8, `byteLength` bytes of it: what `utf8ByteLength(text)` gave. */
  writeUtf8(text: string, byteLength: number = utf8ByteLength(text)): void {
    const position = this.#grow(byteLength);
    encodeUtf8Into(text, this.#bytes, position, byteLength);
  }

  /** Puts the length of what follows `start` before it, as an unsigned varint; `start` was `length` once. */
  insertUnsignedVarintLength(start: number): void {
    const size = this.#length - start;
    assert(size >= 0 && start >= 0, `ByteWriter: ${start} is past the end, ${this.#length}`);
    const count = unsignedVarintBytes(size);
    this.#grow(count);
    this.#bytes.copyWithin(start + count, start, start + size);
    this.#length = start;
    this.writeUnsignedVarint(size);
    this.#length = start + count + size;
  }

  /** Writes over the 4 bytes at `position`, which are written already. */
  setInt32(position: number, value: number): void {
    if ((value | 0) !== value) throw outOfRange("int32", value);
    assert(
      position >= 0 && position + 4 <= this.#length,
      `ByteWriter: 4 bytes at ${position} are not written`,
    );
    this.#view.setInt32(position, value);
  }

  /** Makes room for `count` more bytes, and gives where they begin; the memory may be another afterwards. */
  #grow(count: number): number {
    const start = this.#length;
    const needed = start + count;
    if (needed > this.#bytes.length) this.#enlarge(needed);
    this.#length = needed;
    return start;
  }

  #enlarge(neededBytes: number): void {
    if (neededBytes > this.#limitBytes) throw new ByteLimitError(this.#limitBytes, neededBytes);
    const bytes = new Uint8Array(Math.min(this.#limitBytes, Math.max(neededBytes, this.#bytes.length * 2)));
    bytes.set(this.written());
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

function unsignedVarintBytes(value: number): number {
  // 32 bits less the leading zeros, seven to a byte; zero takes one.
  return Math.floor((38 - Math.clz32(value | 1)) / 7);
}

function outOfRange(type: string, value: number | bigint): RangeError {
  return new RangeError(`ByteWriter: value is ${value}, expected one of ${type}`);
}

function checkSize(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= max) return;
  throw new RangeError(`ByteWriter: ${name} is ${value}, expected a whole number from 0 to ${max}`);
}
