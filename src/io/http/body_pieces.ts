/** Pieces of at least so many bytes are kept as they came; smaller ones are merged. */
const SMALL_PIECE_BYTES = 4096;
/** Bytes of a merged piece, at most. */
const MERGED_PIECE_BYTES = 16_384;
const MERGED_PIECE_BYTES_INITIAL = 256;

/**
 * Bytes of a body in few pieces, however many they came in: a client that sends chunks of one byte must not cost an object for
 * each.
 *
 * Of any two neighbours one has at least {@linkcode SMALL_PIECE_BYTES}, or both together fill a merged piece. So the number
 * of pieces is bounded by their bytes.
 */
export class BodyPieces {
  /** Complete pieces, in order. They are few, so `shift()` is cheap. */
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  /** After them, merged small pieces, in the first `#tailLength` bytes. */
  #tail: Uint8Array<ArrayBuffer> | undefined;
  #tailLength = 0;
  #byteLength = 0;

  /** Bytes held. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** Adds a copy of `length` bytes from `start`. */
  push(bytes: Uint8Array, start: number, length: number): void {
    if (length === 0) return;
    if (length < SMALL_PIECE_BYTES && this.#tail !== undefined) this.#merge(bytes, start, length, this.#tail);
    else this.#add(bytes.slice(start, start + length) as Uint8Array<ArrayBuffer>);
  }

  /** Adds a piece that belongs to this object from now on. */
  give(piece: Uint8Array<ArrayBuffer>): void {
    const { byteLength } = piece;
    if (byteLength < SMALL_PIECE_BYTES && this.#tail !== undefined) {
      this.#merge(piece, 0, byteLength, this.#tail);
    } else if (byteLength > 0) this.#add(piece);
  }

  /** Takes the first piece out; it has a buffer of its own, of its own length. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#pieces.length === 0) this.#endTail();
    const piece = this.#pieces.shift();
    if (piece !== undefined) this.#byteLength -= piece.byteLength;
    return piece;
  }

  /** Takes everything out as one piece. */
  takeAll(): Uint8Array<ArrayBuffer> {
    this.#endTail();
    const pieces = this.#pieces;
    const byteLength = this.#byteLength;
    this.clear();
    if (pieces.length === 1) return pieces[0];
    const whole = new Uint8Array(byteLength);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.byteLength;
    }
    return whole;
  }

  /** Drops everything. */
  clear(): void {
    this.#pieces = [];
    this.#tail = undefined;
    this.#tailLength = 0;
    this.#byteLength = 0;
  }

  #add(piece: Uint8Array<ArrayBuffer>): void {
    this.#endTail();
    this.#byteLength += piece.byteLength;
    if (piece.byteLength >= SMALL_PIECE_BYTES) {
      this.#pieces.push(piece);
      return;
    }
    // Without spare room: most bodies are one small piece, which is handed out as it is.
    this.#tail = piece;
    this.#tailLength = piece.byteLength;
  }

  #merge(bytes: Uint8Array, start: number, length: number, tail: Uint8Array<ArrayBuffer>): void {
    const end = this.#tailLength + length;
    if (end > MERGED_PIECE_BYTES) {
      this.#add(bytes.slice(start, start + length) as Uint8Array<ArrayBuffer>);
      return;
    }
    let room = tail;
    if (end > tail.byteLength) {
      const grown = Math.max(2 * tail.byteLength, end, MERGED_PIECE_BYTES_INITIAL);
      room = new Uint8Array(Math.min(grown, MERGED_PIECE_BYTES));
      room.set(this.#tailLength === tail.byteLength ? tail : tail.subarray(0, this.#tailLength));
      this.#tail = room;
    }
    if (length === 1) room[this.#tailLength] = bytes[start];
    else room.set(bytes.subarray(start, start + length), this.#tailLength);
    this.#tailLength = end;
    this.#byteLength += length;
  }

  #endTail(): void {
    const tail = this.#tail;
    if (tail === undefined) return;
    const length = this.#tailLength;
    this.#pieces.push(length === tail.byteLength ? tail : tail.slice(0, length));
    this.#tail = undefined;
    this.#tailLength = 0;
  }
}
