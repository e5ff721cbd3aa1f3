/** Entries of a cache; a power of two. */
const ENTRIES = 512;
/** Longer texts are decoded each time. */
const CACHED_BYTES_MAX = 96;

const decoder = new TextDecoder();

/**
 * Strings for byte sequences that recur, such as request targets and host names: comparing bytes is several times cheaper than
 * decoding them. Bounded: a new entry replaces the one with the same hash.
 */
export class StringCache {
  readonly #keys: (Uint8Array | undefined)[] = new Array(ENTRIES).fill(undefined);
  readonly #texts: string[] = new Array(ENTRIES).fill("");

  /** The text of `length` bytes from `start`, each byte one character. */
  get(bytes: Uint8Array, start: number, length: number): string {
    if (length > CACHED_BYTES_MAX) return decodeLatin1(bytes, start, length);
    let hash = length;
    for (let index = start; index < start + length; index++) hash = (Math.imul(hash, 31) + bytes[index]) | 0;
    const slot = (hash ^ hash >>> 15) & (ENTRIES - 1);
    const key = this.#keys[slot];
    if (key !== undefined && key.byteLength === length && sameBytes(key, bytes, start)) {
      return this.#texts[slot];
    }
    const text = decodeLatin1(bytes, start, length);
    this.#keys[slot] = bytes.slice(start, start + length);
    this.#texts[slot] = text;
    return text;
  }
}

/** Decodes bytes to characters of the same number (ISO 8859-1). */
export function decodeLatin1(bytes: Uint8Array, start: number, length: number): string {
  if (length === 0) return "";
  const end = start + length;
  for (let index = start; index < end; index++) {
    // TextDecoder's "latin1" is Windows-1252, which differs from 0x80 on.
    if (bytes[index] >= 0x80) return decodeHighBytes(bytes, start, end);
  }
  return decoder.decode(bytes.subarray(start, end));
}

/** Bytes passed as arguments of one call; a call cannot have as many as a head may have bytes. */
const ARGUMENTS_MAX = 8192;

function decodeHighBytes(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at += ARGUMENTS_MAX) {
    text += String.fromCharCode(...bytes.subarray(at, Math.min(at + ARGUMENTS_MAX, end)));
  }
  return text;
}

function sameBytes(key: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < key.byteLength; index++) {
    if (key[index] !== bytes[start + index]) return false;
  }
  return true;
}
