import { CommandError } from "./exit_codes.ts";

/** Bytes of a frame's length: a number of 32 bits, the most significant byte first. */
export const FRAME_HEADER_BYTES = 4;

const LINE_FEED = 10;

/**
 * The lines of a stream of bytes, without their ends ("\n"); the last one may lack its end. Each is a view that is valid until the next one
 * is requested.
 *
 * @throws {CommandError} for a line of more than `bytesMax`, before it is held in memory
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array> {
  const parts = new Parts(bytesMax);
  let lineNumber = 1;
  const tooLong = (): CommandError =>
    new CommandError(
      `line ${lineNumber}: it has more than ${bytesMax} bytes, which is the most the queue takes`,
    );
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      if (!parts.add(chunk.subarray(start, end))) throw tooLong();
      yield parts.take();
      lineNumber++;
      start = end + 1;
    }
    if (start < chunk.length && !parts.add(chunk.slice(start))) throw tooLong();
  }
  if (parts.count > 0) yield parts.take();
}

/**
 * The frames of a stream of bytes: each a length and that many bytes. Each is a view that is valid until the next one is requested.
 *
 * @throws {CommandError} for a frame of more than `bytesMax`, and for a stream that ends within a frame
 */
export async function* readFrames(
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array> {
  const parts = new Parts(Math.max(bytesMax, FRAME_HEADER_BYTES));
  let frameNumber = 1;
  let wanted = FRAME_HEADER_BYTES;
  let inHeader = true;
  for await (const chunk of chunks) {
    let start = 0;
    while (chunk.length - start >= wanted - parts.byteLength) {
      const end = start + wanted - parts.byteLength;
      parts.add(chunk.subarray(start, end));
      start = end;
      const bytes = parts.take();
      if (inHeader) {
        wanted = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
        if (wanted > bytesMax) {
          throw new CommandError(
            `frame ${frameNumber}: it has ${wanted} bytes, expected at most ${bytesMax}, which is the most the queue takes`,
          );
        }
      } else {
        yield bytes;
        frameNumber++;
        wanted = FRAME_HEADER_BYTES;
      }
      inHeader = !inHeader;
    }
    if (start < chunk.length) parts.add(chunk.slice(start));
  }
  if (parts.count > 0 || !inHeader) {
    throw new CommandError(
      `frame ${frameNumber}: the input ends after ${parts.byteLength} bytes of its ${
        inHeader ? "length" : "content"
      }, expected ${wanted}`,
    );
  }
}

/** Parts of one message that came in several chunks. */
class Parts {
  byteLength = 0;
  readonly #bytesMax: number;
  #parts: Uint8Array[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#parts.length;
  }

  /** False when there would be too many bytes. */
  add(part: Uint8Array): boolean {
    this.byteLength += part.length;
    if (this.byteLength > this.#bytesMax) return false;
    this.#parts.push(part);
    return true;
  }

  /** The added parts, in one piece. */
  take(): Uint8Array {
    let whole = this.#parts[0];
    if (this.#parts.length > 1) {
      whole = new Uint8Array(this.byteLength);
      let at = 0;
      for (const part of this.#parts) {
        whole.set(part, at);
        at += part.length;
      }
    }
    this.#parts = [];
    this.byteLength = 0;
    return whole;
  }
}
