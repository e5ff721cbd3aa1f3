/** Bytes of memory that is taken at once for short messages. One that is kept keeps those beside it. */
export const SLAB_BYTES = 16_384;
/** Messages up to this many bytes lie in slabs. */
const SLAB_MESSAGE_BYTES_MAX = 2048;
/** Messages up to this many bytes are copied word by word: a view of the source costs more. */
const WORD_COPY_BYTES_MAX = 256;

/**
 * Memory for copies of messages. Short ones lie side by side in one `ArrayBuffer`, because an `ArrayBuffer` of its own costs twenty times what
 * copying 64 bytes does.
 */
export class Slab {
  /** What the next short message goes to. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Where in it. */
  at = 0;
  readonly #source: Uint8Array<ArrayBuffer>;
  readonly #sourceWords: Int32Array;
  readonly #roomMin: number;
  #words: Int32Array;

  /** For copies of parts of `source`, which `words` shows as well, mostly of no more than `byteLengthMax` bytes. */
  constructor(source: Uint8Array<ArrayBuffer>, words: Int32Array, byteLengthMax: number) {
    this.#source = source;
    this.#sourceWords = words;
    this.#roomMin = Math.min(byteLengthMax, SLAB_MESSAGE_BYTES_MAX);
    this.bytes = new Uint8Array(SLAB_BYTES);
    this.#words = new Int32Array(this.bytes.buffer);
  }

  /** Sees to it that there is room for one short message. */
  makeRoom(): void {
    if (this.at + this.#roomMin <= SLAB_BYTES) return;
    this.bytes = new Uint8Array(SLAB_BYTES);
    this.#words = new Int32Array(this.bytes.buffer);
    this.at = 0;
  }

  /** The `byteLength` bytes at `at`, which the caller has copied there; what comes next goes behind them. */
  take(at: number, byteLength: number): Uint8Array<ArrayBuffer> {
    this.at = at + byteLength + 7 & ~7;
    return new Uint8Array(this.bytes.buffer, at, byteLength);
  }

  /** A copy of the `byteLength` bytes of the source from `start`, a multiple of 4. */
  copy(start: number, byteLength: number): Uint8Array<ArrayBuffer> {
    if (byteLength > this.#roomMin) return this.#source.slice(start, start + byteLength);
    this.makeRoom();
    const { at } = this;
    if (byteLength > WORD_COPY_BYTES_MAX) {
      this.bytes.set(this.#source.subarray(start, start + byteLength), at);
    } else {
      const [from, to] = [this.#sourceWords, this.#words];
      // What lies behind the message in the source lies behind it in the copy: nobody has that yet.
      const end = byteLength + 3 >> 2;
      for (let index = 0; index < end; index++) to[(at >> 2) + index] = from[start / 4 + index];
    }
    return this.take(at, byteLength);
  }
}
