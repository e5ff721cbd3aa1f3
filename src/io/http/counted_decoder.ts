/** Takes a message body whose length is announced (RFC 9112, 6.2) out of what comes in; used like `ChunkedDecoder`. */
export class CountedDecoder {
  /** Where the decoder is: in the data, or behind the message. */
  state: "data" | "done" = "data";
  /** After `next()`: where the data it found begins and how long it is. */
  dataStart = 0;
  dataLength = 0;
  /** Bytes that are still to come. */
  announcedBytes: number;

  /** For a body of `byteLength` bytes, at least one. */
  constructor(byteLength: number) {
    this.announcedBytes = byteLength;
  }

  /** Goes on at `start`, up to `end`; returns the index it came to. */
  next(_bytes: Uint8Array, start: number, end: number): number {
    const length = Math.min(this.announcedBytes, end - start);
    this.dataStart = start;
    this.dataLength = length;
    this.announcedBytes -= length;
    if (this.announcedBytes === 0) this.state = "done";
    return start + length;
  }
}
