import { HEADER_WORDS, HEADERS_MAX, RECORD_WORDS } from "./request_head.ts";

/** Bytes of a copy that is kept for reuse; longer heads get one of their own. */
const COPY_BYTES = 2048;
/** Copies kept for reuse: with their words, 4 MiB at most. */
const COPIES_KEPT_MAX = 1024;

/** Room for one request's head and its record. */
export interface HeadCopy {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Int32Array<ArrayBuffer>;
}

/** Heads of requests with asynchronous responses. Allocating a typed array costs more than filling it, so they are reused. */
export class HeadCopies {
  readonly #free: HeadCopy[] = [];

  /** Room for a head of `byteLength` bytes and the longest record. */
  acquire(byteLength: number): HeadCopy {
    const kept = byteLength <= COPY_BYTES ? this.#free.pop() : undefined;
    return kept ?? {
      bytes: new Uint8Array(Math.max(byteLength, COPY_BYTES)),
      words: new Int32Array(RECORD_WORDS + HEADER_WORDS * HEADERS_MAX),
    };
  }

  /** Takes a copy back for reuse. */
  release(copy: HeadCopy): void {
    if (copy.bytes.byteLength === COPY_BYTES && this.#free.length < COPIES_KEPT_MAX) this.#free.push(copy);
  }
}
