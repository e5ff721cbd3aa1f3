import { callOf, FRAME_BYTES_MAX, FRAME_HEADER_BYTES } from "./frame.ts";

/** Puts the frames of one sender together that come in parts. */
export class FrameParts {
  #frame: Uint8Array<ArrayBuffer> | undefined;
  #filledBytes = 0;

  /**
   * Takes the part of `byteLength` bytes at byte `at`; returns the frame when this was the last.
   *
   * @throws {Error} when it is no part of the frame that was begun, or of none that may be
   */
  take(view: DataView, at: number, byteLength: number): DataView | undefined {
    const length = callOf(view, at);
    if (!(length > FRAME_HEADER_BYTES && length <= FRAME_BYTES_MAX)) {
      throw new Error(
        `read a part: it is of a frame of ${length} bytes, expected ${FRAME_BYTES_MAX} at most`,
      );
    }
    const frame = this.#frame ??= new Uint8Array(length);
    const pieceBytes = byteLength - FRAME_HEADER_BYTES;
    if (frame.length !== length || this.#filledBytes + pieceBytes > length) {
      throw new Error(
        `read a part: ${pieceBytes} bytes of a frame of ${length}, expected more of one of ${frame.length}`,
      );
    }
    frame.set(
      new Uint8Array(view.buffer, view.byteOffset + at + FRAME_HEADER_BYTES, pieceBytes),
      this.#filledBytes,
    );
    this.#filledBytes += pieceBytes;
    if (this.#filledBytes < length) return undefined;
    this.#frame = undefined;
    this.#filledBytes = 0;
    return new DataView(frame.buffer);
  }
}
