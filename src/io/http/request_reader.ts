import { CountedDecoder } from "./counted_decoder.ts";
import { ChunkedDecoder } from "./chunked_decoder.ts";
import { HttpRequest } from "./http_request.ts";
import { IncomingBody, type IncomingBodyOwner } from "./incoming_body.ts";
import { InputBuffer } from "./input_buffer.ts";
import {
  FLAG,
  HEADER_WORDS,
  METHOD_HEAD,
  RECORD,
  RECORD_WORDS,
  SUMMARY,
  SUMMARY_WORDS,
} from "./request_head.ts";
import type { ServerContext } from "./server_context.ts";

/** Who answers what a reader finds. The reader asks it between any two messages whether to go on. */
export interface RequestReaderOwner extends IncomingBodyOwner {
  /** Whether a request is being answered: the next has to wait, its own body does not. */
  readonly responding: boolean;
  /** Whether no further message is read. */
  readonly closing: boolean;
  /**
   * A head is in, and perhaps some of the body. `bytes` of the request are the reader's until this returns; `flags` are the
   * record's (`FLAG`), `head` says whether the method is HEAD.
   */
  onRequest(request: HttpRequest, flags: number, head: boolean): void;
  /** The next message breaks the rules and is answered with `status`; the owner closes. */
  onRejected(status: number): void;
  /** The body cannot be read to its end; the client is told `status` if it still can be. The owner drops the body. */
  onBodyFailed(error: Error, status: number): void;
  /** There is input that nobody will look at; the owner closes. */
  onSurplus(): void;
}

/**
 * Makes requests and their bodies out of what one client sends, in order.
 *
 * Works on the received bytes in place as long as whole heads come in. What cannot be dealt with yet, the beginning of a head
 * or requests sent ahead of an answer, is copied and waits for more input or for `proceed()`.
 */
export class RequestReader {
  readonly #server: ServerContext;
  readonly #owner: RequestReaderOwner;
  readonly #input = new InputBuffer();
  /** The body that is coming in. */
  #body: IncomingBody | undefined;
  #processing = false;
  /** Bytes behind the head that is being taken. */
  #bytesBehind = 0;

  constructor(server: ServerContext, owner: RequestReaderOwner) {
    this.#server = server;
    this.#owner = owner;
  }

  /** The body that is coming in. */
  get body(): IncomingBody | undefined {
    return this.#body;
  }

  /** Bytes that wait. While the reader is at work these are not up to date. */
  get waitingBytes(): number {
    return this.#input.byteLength;
  }

  /** Whether what waits is the beginning of a head: more than the empty lines that may stand before one. */
  get holdsHalfHead(): boolean {
    return this.#input.hasMoreThanLineEnds;
  }

  /** Whether the reader is at work: the owner is inside a call that the reader made. */
  get processing(): boolean {
    return this.#processing;
  }

  /** Whether nothing has been received behind the request being answered. */
  get atEnd(): boolean {
    return (this.#processing ? this.#bytesBehind : this.#input.byteLength) === 0;
  }

  /** Works through what was received, as far as it goes, and keeps the rest. */
  receive(bytes: Uint8Array<ArrayBuffer>, byteLength: number): void {
    const input = this.#input;
    const before = input.byteLength;
    if (before === 0) {
      const consumed = this.#process(bytes, byteLength);
      if (consumed < byteLength) input.append(bytes, consumed, byteLength);
      return;
    }
    input.append(bytes, 0, byteLength);
    if (this.#owner.responding || this.#body !== undefined || this.#headMayBeComplete(before)) this.proceed();
  }

  /** Goes on with what waits. */
  proceed(): void {
    const input = this.#input;
    if (input.byteLength === 0) return;
    const consumed = this.#process(input.bytes, input.byteLength);
    if (consumed > 0) input.drop(consumed);
  }

  /** Nothing more of the body is wanted; whoever reads it gets `error`. */
  failBody(error: unknown): void {
    const body = this.#body;
    this.#body = undefined;
    body?.body.fail(error);
  }

  /** Forgets what waits and the body, whose readers have been told. */
  clear(): void {
    this.#input.clear();
    this.#body = undefined;
  }

  /** Whether parsing again is worth it: only at the end of a head, or when a limit is reached. */
  #headMayBeComplete(before: number): boolean {
    const { headerBytesMax, targetBytesMax } = this.#server.limits;
    return this.#input.byteLength > Math.min(headerBytesMax, targetBytesMax) ||
      this.#input.hasEmptyLineSince(before);
  }

  /** Works through `bytes`; returns how many are done with. */
  #process(bytes: Uint8Array<ArrayBuffer>, byteLength: number): number {
    const owner = this.#owner;
    let at = 0;
    this.#processing = true;
    while (at < byteLength && !owner.closing) {
      if (this.#body !== undefined) {
        at = this.#takeBody(this.#body, bytes, at, byteLength);
        continue;
      }
      if (owner.responding) break;
      const consumed = this.#takeHeads(at === 0 ? bytes : bytes.subarray(at), byteLength - at);
      if (consumed === 0) break;
      at += consumed;
    }
    this.#processing = false;
    if (!owner.closing) return at;
    if (at < byteLength) owner.onSurplus();
    return byteLength;
  }

  /** Parses and passes on requests at the start of `bytes`; returns how many bytes they took. */
  #takeHeads(bytes: Uint8Array<ArrayBuffer>, byteLength: number): number {
    const owner = this.#owner;
    const { parse, words, limits } = this.#server;
    const count = parse(bytes, byteLength, words, limits.headerBytesMax, limits.targetBytesMax);
    const rejected = words[SUMMARY.rejected];
    const consumed = words[SUMMARY.consumed];
    let base = SUMMARY_WORDS;
    for (let index = 0; index < count; index++) {
      const end = words[base + RECORD.end];
      this.#bytesBehind = byteLength - end;
      this.#takeRequest(bytes, words, base);
      // What follows is parsed again when this request is through: the words may be another connection's by then.
      if (owner.responding || this.#body !== undefined || owner.closing) return end;
      base += RECORD_WORDS + HEADER_WORDS * words[base + RECORD.headerCount];
    }
    if (rejected !== 0) {
      owner.onRejected(rejected);
      return byteLength;
    }
    return consumed;
  }

  #takeRequest(bytes: Uint8Array<ArrayBuffer>, words: Int32Array, base: number): void {
    const server = this.#server;
    const flags = words[base + RECORD.flags];
    const contentLength = (words[base + RECORD.contentLengthLow] >>> 0) +
      0x1_0000_0000 * words[base + RECORD.contentLengthHigh];
    if (contentLength > server.limits.bodyBytesMax) {
      this.#owner.onRejected(413);
      return;
    }
    const chunked = (flags & FLAG.chunked) !== 0;
    if (chunked || contentLength > 0) {
      const decoder = chunked ? new ChunkedDecoder() : new CountedDecoder(contentLength);
      const expectsContinue = (flags & FLAG.expectContinue) !== 0;
      this.#body = new IncomingBody(decoder, expectsContinue, server.limits, this.#owner);
    }
    const request = new HttpRequest(bytes, words, base, server, this.#body?.body);
    this.#owner.onRequest(request, flags, words[base + RECORD.method] === METHOD_HEAD);
  }

  #takeBody(body: IncomingBody, bytes: Uint8Array<ArrayBuffer>, from: number, end: number): number {
    const owner = this.#owner;
    const at = body.take(bytes, from, end, !owner.responding);
    switch (body.state) {
      case "open":
        return at;
      case "ended":
        this.#body = undefined;
        return at;
      case "unwanted":
        owner.onSurplus();
        return end;
      case "too-long":
        owner.onBodyFailed(new RangeError("read the request's body: it is over bodyBytesMax"), 413);
        return end;
      case "malformed":
        owner.onBodyFailed(new TypeError("read the request's body: malformed chunks"), 400);
        return end;
    }
  }
}
