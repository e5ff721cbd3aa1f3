/**
 * Buffers lent to the kernel, which picks one for each piece of data it receives.
 *
 * ```text
 * ring entry, 16 bytes: | address: u64 | length: u32 | buffer id: u16 | (entry 0 only: the ring's tail: u16) |
 * ```
 * The program writes entries and the tail; the kernel does not publish its head.
 */
import { PinnedMemory } from "./pinned_memory.ts";
import type { Uring } from "./uring.ts";
import { BUFFER_ENTRY_BYTES } from "./uring_layout.ts";

/** Most buffers of one ring (the kernel's limit). */
export const PROVIDED_BUFFERS_MAX = 32_768;
/** Buffers start this far apart beyond their length, so that their first lines fall into different cache sets. */
const COLOUR_BYTES = 128;
const TAIL_INDEX = 7;

/** Size and number of buffers. */
export interface ProvidedBuffersOptions {
  /** A power of two up to {@linkcode PROVIDED_BUFFERS_MAX}. */
  readonly bufferCount: number;
  readonly bufferByteLength: number;
  /** Number of the group that operations name. */
  readonly group: number;
}

/** A ring of provided buffers, registered with one {@linkcode Uring}. */
export class ProvidedBuffers implements Disposable {
  readonly group: number;
  readonly #ring: PinnedMemory;
  readonly #slab: PinnedMemory;
  readonly #views: Uint8Array<ArrayBuffer>[] = [];
  readonly #words: Int32Array;
  readonly #halfWords: Uint16Array;
  readonly #mask: number;
  readonly #stride: number;
  readonly #bufferByteLength: number;
  #tail = 0;
  #lent = 0;

  constructor(uring: Uring, options: ProvidedBuffersOptions) {
    const { bufferCount, bufferByteLength, group } = options;
    this.group = group;
    this.#mask = bufferCount - 1;
    this.#bufferByteLength = bufferByteLength;
    this.#stride = bufferByteLength + COLOUR_BYTES;
    this.#ring = PinnedMemory.allocate(BUFFER_ENTRY_BYTES * bufferCount);
    this.#slab = PinnedMemory.allocate(this.#stride * bufferCount);
    this.#words = new Int32Array(this.#ring.bytes.buffer);
    this.#halfWords = new Uint16Array(this.#ring.bytes.buffer);
    uring.registerBufferRing(this.#ring, bufferCount, group);
    for (let id = 0; id < bufferCount; id++) {
      const start = id * this.#stride;
      this.#views.push(this.#slab.bytes.subarray(start, start + bufferByteLength));
      this.giveBack(id);
    }
    this.publish();
  }

  /** Buffers that are with the kernel. */
  get lentCount(): number {
    return this.#lent;
  }

  /** The bytes of a buffer that the kernel filled; valid until `giveBack()`. */
  take(bufferId: number): Uint8Array<ArrayBuffer> {
    this.#lent--;
    return this.#views[bufferId];
  }

  /** Returns a buffer; the kernel sees it after `publish()`. */
  giveBack(bufferId: number): void {
    const at = (this.#tail & this.#mask) * (BUFFER_ENTRY_BYTES / 4);
    const address = PinnedMemory.addressOf(this.#slab, bufferId * this.#stride);
    const words = this.#words;
    words[at] = address;
    words[at + 1] = address / 0x1_0000_0000;
    words[at + 2] = this.#bufferByteLength;
    // The upper half of this word is the ring's tail in entry 0, so only the half with the id is written.
    this.#halfWords[at * 2 + 6] = bufferId;
    this.#tail = (this.#tail + 1) & 0xffff;
    this.#lent++;
  }

  /** Shows the kernel every buffer given back so far. */
  publish(): void {
    // SYNC buffers.tail: the entries below become the kernel's.
    Atomics.store(this.#halfWords, TAIL_INDEX, this.#tail);
  }

  /** Frees the memory. The ring must be closed. */
  close(): void {
    this.#ring.close();
    this.#slab.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
