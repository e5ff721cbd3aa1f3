import { assert } from "../../base/mod.ts";
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

/** Takes what a reader finds. The reader asks it between any two messages whether to go on. */
export interface RequestReaderOwner extends IncomingBodyOwner {
  /** Whether a response is in progress: the next request has to wait, the body of this one does not. */
  readonly responding: boolean;
  /** Whether no further message is read. */
  readonly closing: boolean;
  /**
   * A head has come, and perhaps some of the body. `bytes` of the request belong to the reader until this returns; `flags` are the
   * record's (`FLAG`), `head` says whether the method is HEAD.
   */
  onRequest(request: HttpRequest, flags: number, head: boolean): void;
  /** The next message breaks the rules and is rejected with `status`; the owner closes. */
  onRejected(status: number): void;
  /** The body cannot be read to its end; the client gets `status` if it still can. The owner drops the body. */
  onBodyFailed(error: Error, status: number): void;
  /** There is input that will not be parsed; the owner closes. */
  onSurplus(): void;
}

/**
 * Parses the input of one client into requests and their bodies, in order.
 *
 * Works on the received bytes in place as long as whole heads come in. What cannot be processed yet, the beginning of a head or
 * requests sent ahead of a response, is copied and waits for more input or for `proceed()`.
 */
export class RequestReader {
  readonly #server: ServerContext;
  readonly #owner: RequestReaderOwner;
  readonly #input = new InputBuffer();
  /** The body that is coming in. */
  #body: IncomingBody | undefined;
  #processing = false;
  /** Bytes after the head that is being parsed. */
  #bytesBehind = 0;

  constructor(server: ServerContext, owner: RequestReaderOwner) {
    this.#server = server;
    this.#owner = owner;
  }

  /** The body that is coming in. */
  get body(): IncomingBody | undefined {
    return this.#body;
  }

  /** Bytes that wait to be parsed. Not up to date while the reader runs. */
  get waitingBytes(): number {
    return this.#input.byteLength;
  }

  /** Whether these are the beginning of a head: more than the empty lines that may precede one. */
  get holdsHalfHead(): boolean {
    return this.#input.hasMoreThanLineEnds;
  }

  /** Whether the reader runs: the owner is inside a call that the reader made. */
  get processing(): boolean {
    return this.#processing;
  }

  /** Whether nothing has been received after the request in progress. */
  get atEnd(): boolean {
    return (this.#processing ? this.#bytesBehind : this.#input.byteLength) === 0;
  }

  /** Processes received bytes, as far as possible, and keeps the rest. */
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

  /** Goes on with the kept bytes. */
  proceed(): void {
    const input = this.#input;
    if (input.byteLength === 0) return;
    const consumed = this.#process(input.bytes, input.byteLength);
    if (consumed > 0) input.drop(consumed);
  }

  /** The rest of the body is not wanted; its reader gets `error`. */
  failBody(error: unknown): void {
    const body = this.#body;
    this.#body = undefined;
    body?.body.fail(error);
  }

  /** Forgets the kept bytes and the body, whose readers have been notified. */
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

  /** Processes `bytes`; returns how many are done. */
  #process(bytes: Uint8Array<ArrayBuffer>, byteLength: number): number {
    assert(!this.#processing, "RequestReader: it runs already");
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
      // What follows is parsed again after this request: by then the words may describe another connection's requests.
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
