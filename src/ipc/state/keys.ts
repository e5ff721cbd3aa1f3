const encoder = new TextEncoder();

/** Keys that are remembered with their hashes; when there are more, all are forgotten. */
export const KEYS_REMEMBERED_MAX = 8192;

/** A key, with what finding it needs. */
export interface Key {
  readonly text: string;
  readonly byteLength: number;
  /** Its bytes of UTF-8, and zeroes up to a multiple of 8. */
  readonly words: Int32Array<ArrayBuffer>;
  readonly hash: number;
}

/** Remembers the keys that were used lately: their bytes and hashes cost more than looking them up. */
export class Keys {
  readonly #remembered = new Map<string, Key>();
  readonly #seed: number;
  readonly #byteLengthMax: number;

  /** For keys of 1 to `byteLengthMax` bytes; `seed` is what their hashes begin with. */
  constructor(seed: number, byteLengthMax: number) {
    this.#seed = seed;
    this.#byteLengthMax = byteLengthMax;
  }

  /**
   * The key `text`.
   *
   * @throws {RangeError} when it is too long, or empty
   * @throws {TypeError} when it is no text, or has half a surrogate pair, which UTF-8 cannot say
   */
  of(text: string): Key {
    return this.#remembered.get(text) ?? this.#make(text);
  }

  #make(text: string): Key {
    if (typeof text !== "string") throw new TypeError(`key: it is ${typeof text}, expected a string`);
    if (!text.isWellFormed()) {
      throw new TypeError(`key ${JSON.stringify(text.slice(0, 100))}: it has half a surrogate pair`);
    }
    // Each of its units takes a byte at least, and 3 at most: a long one is not even encoded.
    const byteLength = text.length > this.#byteLengthMax ? text.length : encoder.encode(text).length;
    if (byteLength === 0 || byteLength > this.#byteLengthMax) {
      const shown = text.length > 100 ? `${text.slice(0, 100)}…` : text;
      const found = text.length > this.#byteLengthMax ? `${byteLength} bytes or more` : `${byteLength} bytes`;
      throw new RangeError(
        `key ${JSON.stringify(shown)}: it has ${found}, expected 1 to ${this.#byteLengthMax}`,
      );
    }
    const words = new Int32Array(byteLength + 7 >> 3 << 1);
    encoder.encodeInto(text, new Uint8Array(words.buffer));
    const key: Key = { text, byteLength, words, hash: hashOf(words, byteLength, this.#seed) };
    if (this.#remembered.size >= KEYS_REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.set(text, key);
    return key;
  }
}

/** A hash of a key (MurmurHash3 for 32 bits, by Austin Appleby, in the public domain, over whole words). */
export function hashOf(words: Int32Array, byteLength: number, seed: number): number {
  let hash = seed;
  for (let index = 0; index < words.length; index++) {
    let word = Math.imul(words[index], 0xcc9e2d51);
    word = Math.imul(word << 15 | word >>> 17, 0x1b873593);
    hash ^= word;
    hash = Math.imul(hash << 13 | hash >>> 19, 5) + 0xe6546b64 | 0;
  }
  hash ^= byteLength;
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return hash ^ hash >>> 16;
}
