import { BodyPieces } from "./body_pieces.ts";

/** The source of a body: the connection, which can be paused and resumed. */
export interface BodyUpstream {
  /** A reader wants more: resume receiving. */
  resume(): void;
  /** The body has no reader any more: what comes is dropped. */
  dropped(): void;
}

/** Bytes of a request body queued for reading, above which the connection stops receiving. */
export const BODY_BUFFER_BYTES = 65_536;
const DROPPED =
  "read the request's body: it was dropped, because reading had not begun when the response was sent";

/**
 * The body of one request: the connection puts pieces in, the handler takes them out, whole or as a stream.
 *
 * - `open`: pieces may come
 * - `ended`: all pieces have come
 * - `failed`: no more come, because of an error
 * - `discarded`: it has no reader; what comes is dropped
 */
export class RequestBody {
  #state: "open" | "ended" | "failed" | "discarded" = "open";
  #error: unknown;
  readonly #waiting = new BodyPieces();
  #used = false;
  #wake: (() => void) | undefined;
  #stream: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  readonly #upstream: BodyUpstream;

  constructor(upstream: BodyUpstream) {
    this.#upstream = upstream;
  }

  /** Whether no more pieces come. */
  get complete(): boolean {
    return this.#state === "ended" || this.#state === "failed";
  }

  /** Whether a reader has begun. */
  get used(): boolean {
    return this.#used;
  }

  /** Whether more is to come and enough is queued: the connection should pause. */
  get full(): boolean {
    return this.#state === "open" && this.#waiting.byteLength >= BODY_BUFFER_BYTES;
  }

  /** Adds a copy of a piece. */
  push(bytes: Uint8Array, start: number, length: number): void {
    if (this.#state !== "open") return;
    this.#waiting.push(bytes, start, length);
    this.#notify();
  }

  /** Everything has come in. */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#notify();
  }

  /** No more comes. The reader gets `error`. */
  fail(error: unknown): void {
    if (this.complete) return;
    this.#state = "failed";
    this.#error = error;
    this.#waiting.clear();
    this.#notify();
  }

  /** Drops what has come and will come. A reader that begins after this gets an error, not a part of the body. */
  discard(): void {
    this.#waiting.clear();
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
        // A reader that brought its own buffer waits for this response.
        controller.byobRequest?.respond(0);
      },
      cancel: () => {
        this.discard();
        this.#upstream.dropped();
      },
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
    const whole = new BodyPieces();
    for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) whole.give(piece);
    return whole.takeAll();
  }

  async #next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const piece = this.#waiting.take();
      if (piece !== undefined) return piece;
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
