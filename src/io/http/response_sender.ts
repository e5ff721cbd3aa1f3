import type { SendQueue } from "../reactor/mod.ts";
import type { LightResponse } from "./http_response.ts";
import type { BodyFraming, ResponseContext } from "./response_writer.ts";
import type { ServerContext } from "./server_context.ts";

const encoder = new TextEncoder();
const CRLF = encoder.encode("\r\n");
const LAST_CHUNK = encoder.encode("0\r\n\r\n");
/** Turns of the microtask queue within which a complete body reports its end. */
const WHOLE_BODY_TURNS = 6;

/** Turns of the microtask queue within which the first piece of an available body comes. */
const FIRST_PIECE_TURNS = 16;

/** What a sender needs right before it writes the head. */
export interface ResponseSenderOwner {
  /** Decides whether another request may follow on the connection. */
  decideKeepAlive(): boolean;
  /** Whether the client waits for `100 Continue` before it sends the body, from which the response may be made. */
  readonly awaitsContinue: boolean;
}

/** Sends a response that does not fit into the queue at once, or whose body comes in pieces, at the client's pace. */
export class ResponseSender {
  /** Whether something has been written, so that no other response can take its place. */
  headWritten = false;
  /** Whether the end of the connection marks the end of the body. */
  mustClose = false;
  readonly #queue: SendQueue;
  readonly #server: ServerContext;
  readonly #context: ResponseContext;
  readonly #owner: ResponseSenderOwner;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #wake: (() => void) | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(queue: SendQueue, server: ServerContext, context: ResponseContext, owner: ResponseSenderOwner) {
    this.#owner = owner;
    this.#queue = queue;
    this.#server = server;
    this.#context = context;
  }

  /** Resolves when everything is in the queue; rejects when the body fails or the connection is gone. */
  async send(response: Response, light: LightResponse | undefined): Promise<void> {
    if (response.status < 200) {
      throw new RangeError(`send the response: its status is ${response.status}, expected 200 to 599`);
    }
    if (light !== undefined) await this.#sendAtHand(light);
    else if (response.bodyUsed) throw new TypeError("send the response: its body has been read already");
    else if (response.body === null) await this.#sendEmpty(response);
    else await this.#sendStream(response, response.body);
  }

  /** There may be room in the queue again. */
  onRoom(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Ends sending: the connection is gone. */
  abort(reason: unknown): void {
    this.#aborted = { reason };
    this.#reader?.cancel(reason).catch(() => {});
    this.onRoom();
  }

  async #sendAtHand(light: LightResponse): Promise<void> {
    const { status, statusText, body } = light;
    const bytes = typeof body === "string" ? encoder.encode(body) : body;
    const headers = new Headers(light.headers);
    if (typeof body === "string" && !headers.has("content-type")) {
      headers.set("content-type", "text/plain;charset=UTF-8");
    }
    const declared = this.#context.head && bytes === null ? declaredLength(headers) : undefined;
    const byteLength = bytes?.byteLength ?? 0;
    const framing = lengthFraming(status, declared ?? byteLength);
    await this.#writeHead(status, statusText, headers, framing);
    if (bytes !== null && !this.#context.head) await this.#append(bytes, byteLength);
    this.#queue.flush();
  }

  async #sendEmpty(response: Response): Promise<void> {
    const declared = this.#context.head ? declaredLength(response.headers) : undefined;
    const framing = lengthFraming(response.status, declared ?? 0);
    await this.#writeHead(response.status, response.statusText, response.headers, framing);
    this.#queue.flush();
  }

  async #sendStream(response: Response, body: ReadableStream<Uint8Array>): Promise<void> {
    const { status, statusText, headers } = response;
    const declared = declaredLength(headers);
    if (this.#context.head) {
      // When the cancellation ends, if ever, is up to the handler.
      body.cancel().catch(() => {});
      const framing: BodyFraming = declared === undefined
        ? { kind: "none" }
        : lengthFraming(status, declared);
      await this.#writeHead(status, statusText, headers, framing);
      this.#queue.flush();
      return;
    }
    const reader = this.#reader = body.getReader();
    try {
      await this.#sendPieces(response, reader, declared);
    } catch (error) {
      reader.cancel(error).catch(() => {});
      throw error;
    }
  }

  async #sendPieces(
    response: Response,
    reader: ReadableStreamDefaultReader<Uint8Array>,
    declared: number | undefined,
  ): Promise<void> {
    const { status, statusText, headers } = response;
    const first = reader.read();
    first.catch(() => {});
    let framing = await this.#headAhead(response, first, declared);
    let piece = await first;
    if (framing === undefined && piece.done) {
      await this.#writeHead(status, statusText, headers, lengthFraming(status, 0));
      this.#queue.flush();
      return;
    }
    let byteLength = piece.done ? 0 : checkPiece(piece.value).byteLength;
    let next = piece.done ? first : reader.read();
    // An error of the second piece goes to the call that awaits it.
    next.catch(() => {});
    if (framing === undefined) {
      const whole = declared === undefined && await endsAtOnce(next);
      framing = this.#streamFraming(whole ? byteLength : declared);
      await this.#writeHead(status, statusText, headers, framing);
    }
    let sent = 0;
    while (!piece.done) {
      sent += byteLength;
      if (framing.kind === "length" && sent > framing.byteLength) break;
      await this.#appendPiece(piece.value, byteLength, framing);
      piece = await next;
      if (piece.done) break;
      byteLength = checkPiece(piece.value).byteLength;
      next = reader.read();
      next.catch(() => {});
    }
    if (framing.kind === "length" && sent !== framing.byteLength) {
      throw new RangeError(
        `send the response: its body has ${sent} bytes or more, its content-length says ${framing.byteLength}`,
      );
    }
    if (framing.kind === "chunked") await this.#append(LAST_CHUNK, LAST_CHUNK.byteLength);
    this.#queue.flush();
  }

  /** Sends the head before a first piece that is slow to come: the client may need the head meanwhile. */
  async #headAhead(
    { status, statusText, headers }: Response,
    first: Promise<unknown>,
    declared: number | undefined,
  ): Promise<BodyFraming | undefined> {
    // A client that waits for `100 Continue` could take the head for a refusal.
    if (await settlesSoon(first, FIRST_PIECE_TURNS) || this.#owner.awaitsContinue) return undefined;
    const framing = this.#streamFraming(declared);
    await this.#writeHead(status, statusText, headers, framing);
    this.#queue.flush();
    return framing;
  }

  #streamFraming(byteLength: number | undefined): BodyFraming {
    if (byteLength !== undefined) return { kind: "length", byteLength };
    if (this.#context.http11) return { kind: "chunked" };
    this.mustClose = true;
    return { kind: "close" };
  }

  async #appendPiece(bytes: Uint8Array, byteLength: number, framing: BodyFraming): Promise<void> {
    if (byteLength === 0) return;
    if (framing.kind === "chunked") {
      const size = encoder.encode(`${byteLength.toString(16)}\r\n`);
      await this.#append(size, size.byteLength);
      await this.#append(bytes, byteLength);
      await this.#append(CRLF, CRLF.byteLength);
    } else await this.#append(bytes, byteLength);
    this.#queue.flush();
  }

  async #writeHead(status: number, reason: string, headers: Headers, framing: BodyFraming): Promise<void> {
    const { writer } = this.#server;
    const keepAlive = framing.kind !== "close" && this.#owner.decideKeepAlive();
    const context = { ...this.#context, keepAlive };
    this.#throwIfAborted();
    while (
      !writer.tryWriteHead(this.#queue, status, reason, headers, framing, context, this.#server.nowMs())
    ) {
      await this.#room();
    }
    this.headWritten = true;
  }

  /**
   * Adds `bytes`, of which `byteLength` have been announced. The handler can transfer or resize its memory while there is no
   * room, and what follows must not be taken for the rest.
   */
  async #append(bytes: Uint8Array, byteLength: number): Promise<void> {
    this.#throwIfAborted();
    let at = 0;
    for (;;) {
      if (bytes.byteLength !== byteLength) {
        throw new TypeError(
          `send the response: a piece of its body has ${bytes.byteLength} bytes now, it had ${byteLength}`,
        );
      }
      at += this.#queue.append(bytes, at);
      if (at >= byteLength) return;
      await this.#room();
    }
  }

  /** Waits until the queue may have room: something was sent, or the pool has a buffer again. */
  async #room(): Promise<void> {
    this.#queue.flush();
    const { promise, resolve } = Promise.withResolvers<void>();
    const { buffers } = this.#server;
    this.#wake = resolve;
    if (buffers.exhausted) buffers.whenAvailable(resolve);
    await promise;
    buffers.forget(resolve);
    this.#throwIfAborted();
  }

  #throwIfAborted(): void {
    if (this.#aborted !== undefined) throw this.#aborted.reason;
  }
}

function lengthFraming(status: number, byteLength: number): BodyFraming {
  // RFC 9110, 8.6: 204 never announces a length, and 304 not that of an empty body.
  if (status === 204 || status === 304 && byteLength === 0) return { kind: "none" };
  return { kind: "length", byteLength };
}

/** The length that the handler has announced itself, if it is valid. */
function declaredLength(headers: Headers): number | undefined {
  const text = headers.get("content-length");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function checkPiece(piece: Uint8Array | undefined): Uint8Array {
  if (piece instanceof Uint8Array) return piece;
  throw new TypeError("send the response: its body yields something that is not a Uint8Array");
}

/** Whether a promise settles within so many turns of the microtask queue. */
async function settlesSoon(promise: Promise<unknown>, turns: number): Promise<boolean> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; turn < turns && !settled; turn++) await null;
  return settled;
}

/** Whether a pending read ends the stream without waiting for anything. */
async function endsAtOnce(next: Promise<ReadableStreamReadResult<Uint8Array>>): Promise<boolean> {
  let ended = false;
  next.then(({ done }) => ended = done, () => {});
  for (let turn = 0; turn < WHOLE_BODY_TURNS && !ended; turn++) await null;
  return ended;
}
