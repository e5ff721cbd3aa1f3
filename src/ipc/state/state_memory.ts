import { assert } from "../../base/mod.ts";
import { floatsOf, type SharedRegion, wordsOf } from "../sharing/mod.ts";
import {
  BLOCK_BITS,
  geometryOf,
  RECORD_HEADER_BYTES,
  type StateConstants,
  type StateGeometry,
} from "./layout.ts";

/** No block, record or bucket. */
export const NONE = -1;

/** Bits of a bucket's lower word that name a block; those above are the upper ones of the tag. */
export const BLOCK_MASK: number = 2 ** BLOCK_BITS - 1;

/** The memory of one state, as words and bytes, and where in it things are. */
export class StateMemory {
  readonly region: SharedRegion;
  readonly constants: StateConstants;
  readonly geometry: StateGeometry;
  readonly words: Int32Array<ArrayBuffer>;
  readonly floats: Float64Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly blockCount: number;
  readonly bucketMask: number;
  /** Index of the lower word of bucket 0; the upper one is behind it, and the next bucket behind that. */
  readonly buckets: number;
  readonly #longs: BigInt64Array<ArrayBuffer>;
  readonly #blocks: number;
  readonly #records: number;
  readonly #recordWords: number;
  readonly #pair = new Int32Array(4);
  readonly #pairLongs = new BigInt64Array(this.#pair.buffer);

  constructor(region: SharedRegion, constants: StateConstants) {
    const { buffer, byteOffset, byteLength } = region.bytes;
    this.region = region;
    this.constants = constants;
    this.geometry = geometryOf(constants);
    assert(
      byteLength === this.geometry.byteLength,
      `StateMemory: ${byteLength} bytes are not those of its constants`,
    );
    this.words = wordsOf(region.bytes);
    this.floats = floatsOf(region.bytes);
    this.bytes = region.bytes;
    this.#longs = new BigInt64Array(buffer, byteOffset, Math.floor(byteLength / 8));
    this.blockCount = this.geometry.blockCount;
    this.bucketMask = this.geometry.bucketCount - 1;
    this.buckets = this.geometry.bucketsAt >> 2;
    this.#blocks = this.geometry.blocksAt >> 2;
    this.#records = this.geometry.recordsAt / 4;
    this.#recordWords = this.geometry.recordBytes >> 2;
  }

  /** Index of the first word of a block's record. */
  recordOf(block: number): number {
    return this.#records + block * this.#recordWords;
  }

  /** Index of the first word of a record's key. */
  keyOf(record: number): number {
    return record + (RECORD_HEADER_BYTES >> 2);
  }

  /** The word of a block. */
  load(block: number): number {
    return Atomics.load(this.words, this.#blocks + block);
  }

  /** Changes the word of a block; false when it was not `from`. */
  move(block: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.words, this.#blocks + block, from, to) === from;
  }

  /**
   * Has the bucket whose lower word is at `at` lead to `block`, or to {@linkcode NONE}, with the next tag; false when its word was not `low`
   * and `high`.
   *
   * SYNC bucket: the records that it leads to are visible to who finds them there.
   */
  lead(at: number, low: number, high: number, block: number): boolean {
    const pair = this.#pair;
    pair[0] = low;
    pair[1] = high;
    pair[2] = (low & ~BLOCK_MASK) + (high === -1 ? BLOCK_MASK + 1 : 0) | block + 1;
    pair[3] = high + 1;
    const from = this.#pairLongs[0];
    return Atomics.compareExchange(this.#longs, at >> 1, from, this.#pairLongs[1]) === from;
  }
}

/** The block that the lower word of a bucket leads to, or {@linkcode NONE}. */
export function blockOf(low: number): number {
  return (low & BLOCK_MASK) - 1;
}

/** The tag that a bucket has after its next change: the version of what that brings. */
export function nextVersion(low: number, high: number): number {
  return (low >>> BLOCK_BITS) * 2 ** 32 + (high >>> 0) + 1;
}
