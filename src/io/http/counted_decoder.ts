/** Extracts a message body of known length (RFC 9112, 6.2) from the input; used like `ChunkedDecoder`. */
export class CountedDecoder {
  /** Where the decoder is: in the data, or after the message. */
  state: "data" | "done" = "data";
  /** After `next()`: start and length of the data it found. */
  dataStart = 0;
  dataLength = 0;
  /** Bytes that are still to come. */
  announcedBytes: number;

  /** For a body of `byteLength` bytes, at least one. */
  constructor(byteLength: number) {
    this.announcedBytes = byteLength;
  }

  /** Goes on at `start`, up to `end`; returns the index that it reached. */
  next(_bytes: Uint8Array, start: number, end: number): number {
    const length = Math.min(this.announcedBytes, end - start);
    this.dataStart = start;
    this.dataLength = length;
    this.announcedBytes -= length;
    if (this.announcedBytes === 0) this.state = "done";
    return start + length;
  }
}
