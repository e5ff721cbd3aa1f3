import { fnv1a } from "../../base/mod.ts";
import { nativeCrc32c } from "../../../ffi/mod.ts";
import { hashOf, type Key } from "./keys.ts";
import { KIND, RECORD, RECORD_HEADER_BYTES } from "./layout.ts";
import { isSameGeneration } from "./block_word.ts";
import { blockOf, NONE, type StateMemory } from "./state_memory.ts";

/** Keys that a bucket can have; hashes see to it that far fewer ever meet. */
export const CHAIN_MAX = 64;
/** Retries of a read when a participant has changed what it was reading. */
const READ_TRIES_MAX = 1000;
/** Values of more bytes are read again only when they are overwritten, and not when their bucket changes. */
const QUICK_BYTES_MAX = 1024;

/** A key that is in a bucket. */
export interface KeyInBucket {
  readonly text: string;
  readonly block: number;
  readonly version: number;
  readonly expiresMs: number;
}

const decoder = new TextDecoder();

/**
 * The buckets of a state, and the chains of records that they lead to, for reading. Nothing here waits for a writer: a chain is read, and read
 * again where its bucket has changed meanwhile.
 */
export class Table {
  /** Of the bucket that was looked at last: where its lower word is, and what the two were. */
  at = 0;
  low = 0;
  high = 0;
  /** The block that {@linkcode Table.find} has found, or {@linkcode NONE}. */
  block: number = NONE;
  /** Blocks before it in its chain, or before the place where the chain is damaged: the first of `path`. */
  depth = 0;
  readonly path: number[] = [];
  /** What is wrong with the chain behind `path`; `""`: nothing. */
  problem = "";
  readonly #memory: StateMemory;

  constructor(memory: StateMemory) {
    this.#memory = memory;
  }

  /** The record of a key, expired or not, or {@linkcode NONE}. It is so if {@linkcode Table.isUnchanged} is true behind that. */
  find({ hash, byteLength, words: keyWords }: Key): number {
    const memory = this.#memory;
    const { words, blockCount } = memory;
    let block = this.#enter(hash & memory.bucketMask);
    for (let depth = 0; block !== NONE; depth++) {
      if (block >>> 0 >= blockCount || depth > CHAIN_MAX) return this.#leadsAstray(depth);
      const record = memory.recordOf(block);
      if (words[record + RECORD.hash] === hash && words[record + RECORD.keyBytes] === byteLength) {
        const key = memory.keyOf(record);
        let index = 0;
        while (index < keyWords.length && words[key + index] === keyWords[index]) index++;
        if (index === keyWords.length) {
          this.block = block;
          this.depth = depth;
          return record;
        }
      }
      this.path[depth] = block;
      block = words[record + RECORD.next] - 1;
    }
    this.depth = 0;
    return NONE;
  }

  /** The first record in a bucket that is none of its: its key has another hash, or another bucket; as {@linkcode Table.find} does. */
  findDamaged(bucket: number): number {
    const memory = this.#memory;
    let block = this.#enter(bucket);
    for (let depth = 0; block !== NONE; depth++) {
      if (block >>> 0 >= memory.blockCount || depth > CHAIN_MAX) return this.#leadsAstray(depth);
      const record = memory.recordOf(block);
      if (!this.#isIntact(record, bucket)) {
        this.block = block;
        this.depth = depth;
        return record;
      }
      this.path[depth] = block;
      block = memory.words[record + RECORD.next] - 1;
    }
    this.depth = 0;
    return NONE;
  }

  /** Whether the bucket is as it was when it was looked at: then what was read of its chain was there, as it was read. SYNC bucket. */
  isUnchanged(): boolean {
    // The lower word cannot have changed without the upper one, which counts up.
    return Atomics.load(this.#memory.words, this.at + 1) === this.high;
  }

  /**
   * What `take()` makes of the record of a key, and of the length of its value; `undefined` where there is none that has not expired. It may be called
   * more than once, with what is half overwritten, and must bear that.
   *
   * @throws {Deno.errors.InvalidData} when the record, or the way to it, is damaged
   */
  read<T>(key: Key, take: (record: number, valueBytes: number) => T): T | undefined {
    const memory = this.#memory;
    const { words, floats, constants } = memory;
    for (let tries = 0; tries < READ_TRIES_MAX; tries++) {
      const record = this.find(key);
      if (record === NONE) {
        if (!this.isUnchanged()) continue;
        if (this.problem !== "") throw damaged(this.problem);
        return undefined;
      }
      const { block } = this;
      const valueBytes = words[record + RECORD.valueBytes];
      const expiresMs = floats[record + RECORD.expiresMs >> 1];
      const isQuick = valueBytes <= QUICK_BYTES_MAX;
      const word = isQuick ? 0 : memory.load(block);
      if (!isQuick && !this.isUnchanged()) continue;
      const isPossible = valueBytes >>> 0 <= constants.valueBytesMax && expiresMs >= 0;
      const isExpired = expiresMs !== 0 && expiresMs <= Date.now();
      const isWhole = isPossible &&
        (constants.checksums === 0 || this.checksumOf(record) === words[record + RECORD.checksum]);
      const result = isWhole && !isExpired ? take(record, valueBytes) : undefined;
      // SYNC generation: who is to write to the block has changed its word before.
      if (!this.isUnchanged() && (isQuick || !isSameGeneration(word, memory.load(block)))) continue;
      if (!isWhole) throw damaged(isPossible ? "its checksum is wrong" : "its header is impossible");
      return result;
    }
    throw new Deno.errors.Busy(
      `read from the state: ${key.text} was overwritten ${READ_TRIES_MAX} times while it was read`,
    );
  }

  /** The keys of a bucket, expired or not, as they were at one moment; those behind a damaged record are left out. */
  keysOf(bucket: number): KeyInBucket[] {
    const memory = this.#memory;
    const { words, floats } = memory;
    for (let tries = 0; tries < READ_TRIES_MAX; tries++) {
      const keys: KeyInBucket[] = [];
      let block = this.#enter(bucket);
      for (let depth = 0; block >>> 0 < memory.blockCount && depth <= CHAIN_MAX; depth++) {
        const record = memory.recordOf(block);
        const text = this.textOf(record);
        if (text === undefined) break;
        const version = floats[record + RECORD.version >> 1];
        keys.push({ text, block, version, expiresMs: floats[record + RECORD.expiresMs >> 1] });
        block = words[record + RECORD.next] - 1;
      }
      if (this.isUnchanged()) return keys;
    }
    throw new Deno.errors.Busy(`read from the state: a bucket was changed ${READ_TRIES_MAX} times meanwhile`);
  }

  /** Whether a bucket leads to a block; `undefined`: its bucket changes too fast to tell. */
  leadsTo(block: number): boolean | undefined {
    const memory = this.#memory;
    const { words } = memory;
    for (let tries = 0; tries < READ_TRIES_MAX; tries++) {
      let next = this.#enter(words[memory.recordOf(block) + RECORD.hash] & memory.bucketMask);
      let depth = 0;
      while (next !== block && next >>> 0 < memory.blockCount && depth++ <= CHAIN_MAX) {
        next = words[memory.recordOf(next) + RECORD.next] - 1;
      }
      if (this.isUnchanged()) return next === block;
    }
    return undefined;
  }

  /** The key of a record; `undefined` when its length is impossible. */
  textOf(record: number): string | undefined {
    const { words, bytes, constants } = this.#memory;
    const byteLength = words[record + RECORD.keyBytes];
    if (byteLength <= 0 || byteLength > constants.keyBytesMax) return undefined;
    const at = record * 4 + RECORD_HEADER_BYTES;
    return decoder.decode(bytes.subarray(at, at + byteLength));
  }

  /** Byte at which the value of a record begins. */
  valueOf(record: number): number {
    return record * 4 + RECORD_HEADER_BYTES + (this.#memory.words[record + RECORD.keyBytes] + 7 & ~7);
  }

  /** Number of a counter, or `undefined` when the record is none. */
  counterOf(record: number): number | undefined {
    const { words, floats } = this.#memory;
    if (words[record + RECORD.kind] !== KIND.counter) return undefined;
    return floats[this.valueOf(record) / 8];
  }

  /** What a record's checksum should be: after a power cut a file may have the words of one time and the records of another. */
  checksumOf(record: number): number {
    const { words, bytes, constants } = this.#memory;
    const [keyBytes, valueBytes] = [words[record + RECORD.keyBytes], words[record + RECORD.valueBytes]];
    if (keyBytes >>> 0 > constants.keyBytesMax || valueBytes >>> 0 > constants.valueBytesMax) return 0;
    const from = (record + RECORD.hash) * 4;
    const to = record * 4 + RECORD_HEADER_BYTES + (keyBytes + 7 & ~7) + valueBytes;
    return fnv1a([nativeCrc32c(bytes.subarray(from, to))]);
  }

  /** Reads the word of a bucket. Returns the first block of its chain. */
  #enter(bucket: number): number {
    const { words, buckets } = this.#memory;
    const at = this.at = buckets + (bucket << 1);
    this.problem = "";
    this.block = NONE;
    // In this order: see isUnchanged().
    this.high = Atomics.load(words, at + 1);
    this.low = Atomics.load(words, at);
    return blockOf(this.low);
  }

  #leadsAstray(depth: number): number {
    this.problem = "its bucket leads astray";
    // Where it goes round, it is right up to where that begins.
    const again = this.path.findIndex((block, index) => index >= depth || this.path.indexOf(block) < index);
    this.depth = Math.min(depth, again < 0 ? depth : again, CHAIN_MAX);
    return NONE;
  }

  #isIntact(record: number, bucket: number): boolean {
    const memory = this.#memory;
    const { words, constants } = memory;
    const [hash, byteLength] = [words[record + RECORD.hash], words[record + RECORD.keyBytes]];
    if (byteLength <= 0 || byteLength > constants.keyBytesMax) return false;
    const key = memory.keyOf(record);
    const keyWords = words.subarray(key, key + (byteLength + 7 >> 3 << 1));
    return (hash & memory.bucketMask) === bucket && hashOf(keyWords, byteLength, constants.seed) === hash;
  }
}

/** What is thrown for what cannot be read. */
export function damaged(found: string): Error {
  return new Deno.errors.InvalidData(`read from the state: a record is damaged: ${found}`);
}
