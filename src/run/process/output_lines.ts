import { assert } from "../../base/mod.ts";

/** Bytes of a line that is passed on in one piece; a longer one is cut. */
export const OUTPUT_LINE_BYTES_MAX = 16_384;

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** Cuts a stream of bytes into lines, without their ends. Holds {@linkcode OUTPUT_LINE_BYTES_MAX} bytes at most. */
export class OutputLines {
  readonly #onLine: (line: Uint8Array<ArrayBuffer>) => void;
  readonly #bytesMax: number;
  #held: Uint8Array<ArrayBuffer>;
  #heldLength = 0;

  /** Calls `onLine` with each line, a view that is valid during the call. */
  constructor(onLine: (line: Uint8Array<ArrayBuffer>) => void, bytesMax: number = OUTPUT_LINE_BYTES_MAX) {
    this.#onLine = onLine;
    this.#bytesMax = bytesMax;
    this.#held = new Uint8Array(Math.min(256, bytesMax));
  }

  /** The next bytes of the stream. */
  add(bytes: Uint8Array): void {
    let start = 0;
    while (start < bytes.byteLength) {
      const feed = bytes.indexOf(LINE_FEED, start);
      const end = feed < 0 ? bytes.byteLength : feed;
      const room = this.#bytesMax - this.#heldLength;
      const piece = bytes.subarray(start, Math.min(end, start + room));
      this.#hold(piece);
      start += piece.byteLength;
      if (start === feed) {
        this.#emit();
        start++;
      } else if (this.#heldLength === this.#bytesMax && start < end) this.#emit();
    }
  }

  /** The stream has ended: what is left is a line too. */
  end(): void {
    if (this.#heldLength > 0) this.#emit();
  }

  #hold(piece: Uint8Array): void {
    const needed = this.#heldLength + piece.byteLength;
    if (needed > this.#held.byteLength) {
      const larger = new Uint8Array(Math.min(this.#bytesMax, Math.max(needed, 2 * this.#held.byteLength)));
      larger.set(this.#held.subarray(0, this.#heldLength));
      this.#held = larger;
    }
    assert(needed <= this.#bytesMax, "output: a line is held that is longer than may be");
    this.#held.set(piece, this.#heldLength);
    this.#heldLength = needed;
  }

  #emit(): void {
    let length = this.#heldLength;
    if (length > 0 && this.#held[length - 1] === CARRIAGE_RETURN) length--;
    this.#heldLength = 0;
    this.#onLine(this.#held.subarray(0, length));
  }
}
