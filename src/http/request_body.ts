/** Where a body comes from: the connection, which can be held up and let go on. */
export interface BodyUpstream {
  /** More is wanted: data may come in. */
  resume(): void;
}

/** Bytes of a request body that wait to be read, above which the connection stops receiving. */
export const BODY_BUFFER_BYTES = 65_536;
const DROPPED =
  "read the request's body: it was dropped, because nobody had begun to read when the response was sent";

/**
 * The body of one request: the connection puts pieces in, the handler takes them out, whole or as a stream.
 *
 * `open`: pieces may come. `ended`: all have come. `failed`: no more will, for a reason. `discarded`: nobody wants them.
 */
export class RequestBody {
  #state: "open" | "ended" | "failed" | "discarded" = "open";
  #error: unknown;
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #buffered = 0;
  #used = false;
  #wake: (() => void) | undefined;
  #stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  readonly #upstream: BodyUpstream;

  constructor(upstream: BodyUpstream) {
    this.#upstream = upstream;
  }

  /** Whether all of it has come in, or no more will. */
  get complete(): boolean {
    return this.#state === "ended" || this.#state === "failed";
  }

  /** Whether somebody has begun to read. */
  get used(): boolean {
    return this.#used;
  }

  /** Adds a copy of a piece; false when enough waits and the connection should hold up. */
  push(bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#state !== "open") return true;
    this.#pieces.push(bytes.slice(start, start + length) as Uint8Array<ArrayBuffer>);
    this.#buffered += length;
    this.#notify();
    return this.#buffered < BODY_BUFFER_BYTES;
  }

  /** Everything has come in. */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#notify();
  }

  /** No more will come. Whoever reads gets `error`. */
  fail(error: unknown): void {
    if (this.complete) return;
    this.#state = "failed";
    this.#error = error;
    this.#pieces = [];
    this.#buffered = 0;
    this.#notify();
  }

  /** Drops what has come and will come; whoever begins to read now is told so, and gets no part for the whole. */
  discard(): void {
    this.#pieces = [];
    this.#buffered = 0;
    if (this.#state === "open") this.#state = "discarded";
  }

  /** The body as a stream; one and the same each time. */
  get stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#stream ??= new ReadableStream({
      type: "bytes",
      pull: async (controller: ReadableByteStreamController) => {
        this.#used = true;
        const piece = await this.#next();
        if (piece !== undefined) {
          controller.enqueue(piece);
          return;
        }
        controller.close();
        // A reader that brought its own buffer waits for this answer.
        controller.byobRequest?.respond(0);
      },
      cancel: () => this.discard(),
    }) as ReadableStream<Uint8Array<ArrayBuffer>>;
  }

  /** Whether what comes is dropped. */
  get discarded(): boolean {
    return this.#state === "discarded";
  }

  /** Whether the stream has been handed out. */
  get streamed(): boolean {
    return this.#stream !== undefined;
  }

  /** All of it. */
  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    this.#used = true;
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) pieces.push(piece);
    if (pieces.length === 1) return pieces[0];
    const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.byteLength;
    }
    return whole;
  }

  async #next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece !== undefined) {
        this.#buffered -= piece.byteLength;
        return piece;
      }
      if (this.#state === "failed") throw this.#error;
      if (this.#state === "discarded") throw new TypeError(DROPPED);
      if (this.#state === "ended") return undefined;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      this.#upstream.resume();
      await promise;
    }
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
