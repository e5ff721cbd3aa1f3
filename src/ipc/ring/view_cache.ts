import { assert } from "../../base/mod.ts";

/** Views kept at most: with the shortest messages, those of 128 KiB of a ring. About 100 bytes each. */
const VIEW_COUNT_MAX = 16_384;

/**
 * Views of parts of one memory, made once for each part where they repeat, as they do in a ring from its second lap on: a
 * view costs ten times what looking for it does.
 */
export class ViewCache {
  readonly #bytes: Uint8Array;
  readonly #mask: number;
  readonly #starts: Int32Array;
  readonly #views: Uint8Array[];

  /** For parts of `bytes`, whose length is a power of two, that begin at multiples of 8. */
  constructor(bytes: Uint8Array) {
    const count = Math.min(bytes.byteLength >> 3, VIEW_COUNT_MAX);
    assert(
      count > 0 && (count & count - 1) === 0,
      `views: ${bytes.byteLength} bytes, expected a power of two`,
    );
    this.#bytes = bytes;
    this.#mask = count - 1;
    this.#starts = new Int32Array(count).fill(-1);
    this.#views = new Array(count).fill(bytes);
  }

  /** The `byteLength` bytes from `start`. */
  get(start: number, byteLength: number): Uint8Array {
    const slot = start >> 3 & this.#mask;
    const view = this.#views[slot];
    if (this.#starts[slot] === start && view.length === byteLength) return view;
    return this.#make(slot, start, byteLength);
  }

  #make(slot: number, start: number, byteLength: number): Uint8Array {
    const view = this.#bytes.subarray(start, start + byteLength);
    this.#starts[slot] = start;
    this.#views[slot] = view;
    return view;
  }
}
