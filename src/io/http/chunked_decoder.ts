/** Bytes of chunk extensions and trailers that one message may have. */
export const CHUNK_OVERHEAD_BYTES_MAX = 16_384;
/** Hexadecimal digits of a chunk size at most: 2^48 bytes. */
const SIZE_DIGITS_MAX = 12;

const CR = 13;
const LF = 10;
const COLON = 58;
const SEMICOLON = 59;
/** The characters of a token that are neither letters nor digits. */
const TOKEN_MARKS: readonly number[] = Array.from("!#$%&'*+-.^_`|~", (mark) => mark.charCodeAt(0));

/**
 * Where a decoder is in the message.
 *
 * - `size`: in the digits of a chunk size
 * - `extension`: after them, up to CR
 * - `size-lf`: the LF of that line is due
 * - `data`: in chunk data
 * - `data-cr`: the CR after the data is due
 * - `data-lf`: the LF after the data is due
 * - `trailer-start`: at the start of a trailer line
 * - `trailer-name`: in the name of a trailer
 * - `trailer`: in the value of a trailer
 * - `trailer-lf`: the LF of a trailer line is due
 * - `end-lf`: the LF that ends the message is due
 * - `done`: after the message
 * - `failed`: malformed
 */
export type ChunkedState =
  | "size"
  | "extension"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailer-start"
  | "trailer-name"
  | "trailer"
  | "trailer-lf"
  | "end-lf"
  | "done"
  | "failed";

/**
 * Decodes a chunked message body (RFC 9112, 7.1) piece by piece, strictly: CR LF only, no blanks before the size, bounded
 * extensions and trailers. Extensions and trailers are checked for length and dropped. A trailer line that is no field is
 * refused: a peer for which the body has already ended would read it as the next request.
 */
export class ChunkedDecoder {
  /** Where the decoder is. */
  state: ChunkedState = "size";
  /** After `next()` found data: its start and its length. */
  dataStart = 0;
  dataLength = 0;
  /** Bytes known to be still to come: 0, because only the last chunk shows how many there are. */
  readonly announcedBytes = 0;
  #size = 0;
  #digits = 0;
  #overhead = 0;

  /**
   * Goes on at `start` in `bytes`, up to `end`, until it meets data, the end of the message, an error or the end of the
   * piece; returns the index that it reached. With `dataLength > 0` there is data before that index.
   */
  next(bytes: Uint8Array, start: number, end: number): number {
    this.dataLength = 0;
    let index = start;
    while (index < end && this.dataLength === 0) {
      switch (this.state) {
        case "data":
          index = this.#takeData(index, end);
          break;
        case "done":
        case "failed":
          return index;
        default:
          this.#step(bytes[index++]);
      }
    }
    return index;
  }

  #takeData(index: number, end: number): number {
    const length = Math.min(this.#size, end - index);
    this.dataStart = index;
    this.dataLength = length;
    this.#size -= length;
    if (this.#size === 0) this.state = "data-cr";
    return index + length;
  }

  #step(byte: number): void {
    switch (this.state) {
      case "size":
        this.#sizeByte(byte);
        return;
      case "extension":
        // A quoted string may hold anything but controls. Its content does not matter, so it is not parsed.
        if (byte === CR) this.state = "size-lf";
        else this.#overheadByte(byte);
        return;
      case "size-lf":
        this.#expect(byte, LF, this.#size === 0 ? "trailer-start" : "data");
        this.#digits = 0;
        return;
      case "data-cr":
        this.#expect(byte, CR, "data-lf");
        return;
      case "data-lf":
        this.#expect(byte, LF, "size");
        return;
      case "trailer-start":
        if (byte === CR) this.state = "end-lf";
        else {
          this.state = "trailer-name";
          if (byte === COLON) this.state = "failed";
          else this.#trailerNameByte(byte);
        }
        return;
      case "trailer-name":
        if (byte === COLON) this.state = "trailer";
        else this.#trailerNameByte(byte);
        return;
      case "trailer":
        if (byte === CR) this.state = "trailer-lf";
        else this.#overheadByte(byte);
        return;
      case "trailer-lf":
        this.#expect(byte, LF, "trailer-start");
        return;
      case "end-lf":
        this.#expect(byte, LF, "done");
        return;
      case "data":
      case "done":
      case "failed":
        return;
    }
  }

  #sizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#size = 16 * this.#size + digit;
      if (++this.#digits > SIZE_DIGITS_MAX) this.state = "failed";
    } else if (this.#digits === 0) this.state = "failed";
    else if (byte === CR) this.state = "size-lf";
    else if (byte === SEMICOLON) this.state = "extension";
    else this.state = "failed";
  }

  #trailerNameByte(byte: number): void {
    if (isTokenByte(byte)) this.#overheadByte(byte);
    else this.state = "failed";
  }

  #overheadByte(byte: number): void {
    const control = byte < 32 && byte !== 9 || byte === 127;
    if (control || ++this.#overhead > CHUNK_OVERHEAD_BYTES_MAX) this.state = "failed";
  }

  #expect(byte: number, expected: number, next: ChunkedState): void {
    this.state = byte === expected ? next : "failed";
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Whether a byte may occur in a field name (RFC 9110, 5.6.2). */
function isTokenByte(byte: number): boolean {
  const lower = byte | 32;
  if (lower >= 97 && lower <= 122 || byte >= 48 && byte <= 57) return true;
  return TOKEN_MARKS.includes(byte);
}
