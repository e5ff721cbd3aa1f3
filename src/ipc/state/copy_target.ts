import type { StateMemory } from "./state_memory.ts";

/** Values up to this many bytes are copied word by word: a view of the source costs more. */
const WORD_COPY_BYTES_MAX = 256;
const NO_WORDS = new Int32Array(0);
const encoder = new TextEncoder();

/** What a caller wants a value copied into; nothing is kept of what does not fit. */
export class CopyTarget {
  readonly #memory: StateMemory;
  #buffer: Uint8Array = new Uint8Array(0);
  #words = NO_WORDS;

  /** For values of the state in `memory`. */
  constructor(memory: StateMemory) {
    this.#memory = memory;
  }

  /** What is copied into next. */
  set buffer(buffer: Uint8Array) {
    if (buffer === this.#buffer) return;
    this.#buffer = buffer;
    this.#words = buffer.byteOffset % 4 === 0
      ? new Int32Array(buffer.buffer as ArrayBuffer, buffer.byteOffset, buffer.length >> 2)
      : NO_WORDS;
  }

  /** Copies the `byteLength` bytes from `at`, a multiple of 4; how many there are. */
  set(at: number, byteLength: number): number {
    const { bytes, words } = this.#memory;
    const buffer = this.#buffer;
    if (byteLength > buffer.length) return byteLength;
    const to = this.#words;
    if (byteLength > WORD_COPY_BYTES_MAX || to.length < byteLength >> 2) {
      buffer.set(bytes.subarray(at, at + byteLength));
      return byteLength;
    }
    const count = byteLength >> 2;
    for (let index = 0; index < count; index++) to[index] = words[at / 4 + index];
    for (let index = count << 2; index < byteLength; index++) buffer[index] = bytes[at + index];
    return byteLength;
  }

  /** Copies the bytes of a text; how many there are. */
  setText(text: string): number {
    const bytes = encoder.encode(text);
    if (bytes.length <= this.#buffer.length) this.#buffer.set(bytes);
    return bytes.length;
  }
}
