import { type DriverSocket, SendQueue, type SocketHandler } from "../reactor/mod.ts";
import { ChunkedDecoder } from "./chunked_decoder.ts";
import { HttpRequest } from "./http_request.ts";
import { HttpResponse, type LightResponse } from "./http_response.ts";
import {
  FLAG,
  HEADER_WORDS,
  METHOD_HEAD,
  RECORD,
  RECORD_WORDS,
  SUMMARY,
  SUMMARY_WORDS,
} from "./request_head.ts";
import { RequestBody } from "./request_body.ts";
import { ResponseSender } from "./response_sender.ts";
import { ConnectionInfo } from "./connection_info.ts";
import type { ServedConnection, ServerContext } from "./server_context.ts";
import type { ResponseContext } from "./response_writer.ts";
import { statusText } from "./status_text.ts";

/** Bytes that a client may send ahead while its request is being answered, before the connection stops receiving. */
export const PIPELINE_BYTES_MAX = 16_384;
/** Bytes read and dropped after an error answer, so that the client gets to read it. */
const LINGER_BYTES_MAX = 1024 * 1024;
/** Time for that. */
const LINGER_MS_MAX = 2000;
const CONTINUE = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");
const GONE = "the client closed the connection";
const LF = 10;
/** Responses to one request that may fail to be sent and are replaced: the handler's, and what `onError` says of that. */
const FAILURES_ANSWERED_MAX = 2;

/**
 * What a connection waits for, and therefore which deadline runs.
 *
 * - `idle`: for the first byte of a request. - `head`: for the rest of a head. - `body`: for the rest of a body.
 * - `handler`: for the handler, which has no deadline. - `linger`: for the client to stop sending after an error answer.
 * - `closed`.
 */
export type ConnectionState = "idle" | "head" | "body" | "handler" | "linger" | "closed";

/** How one request is to be answered. */
interface AnswerContext extends ResponseContext {
  keepAlive: boolean;
  /** Responses to it that could not be sent. */
  failureCount: number;
}

/** One client: its requests in, its responses out, one at a time and in order. */
export class HttpConnection implements ServedConnection, SocketHandler {
  readonly #server: ServerContext;
  readonly #socket: DriverSocket;
  readonly #queue: SendQueue;
  readonly #info: ConnectionInfo;
  #state: ConnectionState = "idle";
  #deadlineMs: number;
  #writeDeadlineMs = Infinity;
  /** Bytes received and not looked at yet: the beginning of a head, or what was sent ahead. */
  #input: Uint8Array<ArrayBuffer> | undefined;
  #inputLength = 0;
  #paused = false;
  /** The other side has ended its direction. */
  #inputEnded = false;
  /** The request whose answer is not complete. */
  #request: HttpRequest | undefined;
  #responding = false;
  #processing = false;
  /** The body that is coming in. */
  #body: RequestBody | undefined;
  #bodyLeft = 0;
  #bodyReceived = 0;
  #decoder: ChunkedDecoder | undefined;
  #expectsContinue = false;
  /** Waits for a buffer to ask for the body in. */
  #continueLater: (() => void) | undefined;
  #keepAlive = true;
  /** Bytes behind the head that is being taken. */
  #bytesBehind = 0;
  /** The server stops, and everything received before has been answered, but for this request. */
  #lastRequest = false;
  /** No further request is read; closes when everything has been sent. */
  #closing = false;
  #lingered = 0;
  #sendEnded = false;
  #sender: ResponseSender | undefined;

  constructor(server: ServerContext, socket: DriverSocket) {
    this.#server = server;
    this.#socket = socket;
    this.#queue = new SendQueue(socket, server.buffers);
    this.#info = new ConnectionInfo(socket, server.transport);
    this.#deadlineMs = server.nowMs() + server.limits.idleTimeoutMs;
    socket.attach(this);
    socket.startReceiving();
  }

  // ───── what the socket tells ─────

  onReceive(bytes: Uint8Array<ArrayBuffer>, byteLength: number): void {
    if (this.#state === "linger") {
      this.#linger(byteLength);
      return;
    }
    if (this.#closing) {
      this.#beginLinger();
      return;
    }
    if (this.#inputLength === 0) {
      const consumed = this.#process(bytes, byteLength);
      if (consumed < byteLength) this.#keep(bytes, consumed, byteLength);
    } else {
      const before = this.#inputLength;
      this.#keep(bytes, 0, byteLength);
      if (this.#responding || this.#body !== undefined || this.#headMayBeComplete(before)) {
        this.#processInput();
      }
    }
    this.#afterInput();
  }

  onReceiveEnd(error: Error | undefined): void {
    if (this.#state === "linger" || error !== undefined) {
      this.#abandon(error ?? new Deno.errors.ConnectionReset(GONE));
      return;
    }
    this.#inputEnded = true;
    // Half a body will never be whole; but a client that has sent all of its request may wait for the answer.
    if (this.#body !== undefined) {
      this.#abandon(new Deno.errors.UnexpectedEof(`read the request's body: ${GONE}`));
    } else if (!this.#responding) this.#closeWhenSent();
  }

  onSent(): void {
    this.#queue.sent();
    this.#writeDeadlineMs = this.#queue.sending
      ? this.#server.nowMs() + this.#server.limits.writeTimeoutMs
      : Infinity;
    this.#sender?.onRoom();
    if (this.#queue.idle) this.#info.sent();
    if (this.#closing && this.#queue.idle && !this.#responding) this.#finishClosing();
  }

  onSendFailed(error: Error): void {
    this.#abandon(error);
  }

  // ───── what the server tells ─────

  /** Ends the connection when its time is over; called now and then. */
  checkDeadlines(nowMs: number): void {
    if (this.#state === "closed") return;
    // What a streamed response sends between two pieces of input has no deadline yet.
    if (this.#queue.sending && this.#writeDeadlineMs === Infinity) {
      this.#writeDeadlineMs = nowMs + this.#server.limits.writeTimeoutMs;
    }
    if (nowMs >= this.#writeDeadlineMs) {
      this.#server.statistics.timeoutCount++;
      this.#abandon(new Deno.errors.TimedOut("send the response: the client takes nothing"));
      return;
    }
    if (nowMs < this.#deadlineMs) return;
    switch (this.#state) {
      case "head":
        this.#server.statistics.timeoutCount++;
        this.#reject(408);
        return;
      case "body":
        this.#server.statistics.timeoutCount++;
        this.#failBody(new Deno.errors.TimedOut("read the request's body: it did not come in time"), 408);
        return;
      case "idle":
      case "linger":
        if (this.#queue.idle) this.#close();
        return;
      case "handler":
        return;
    }
  }

  /** Answers what has been received and closes. */
  drain(): void {
    if (this.#responding && this.#body === undefined) this.#pause();
    else if (this.#responding || this.#body !== undefined || this.#state === "head") this.#lastRequest = true;
    else this.#closeWhenSent();
  }

  /** Closes at once. */
  abort(reason: unknown): void {
    this.#abandon(reason);
  }

  // ───── input ─────

  /** Works through `bytes`; returns how many are done with. */
  #process(bytes: Uint8Array<ArrayBuffer>, byteLength: number): number {
    let at = 0;
    this.#processing = true;
    while (at < byteLength && !this.#closing) {
      if (this.#body !== undefined) {
        at = this.#takeBody(bytes, at, byteLength);
        continue;
      }
      if (this.#responding) break;
      const consumed = this.#takeHeads(at === 0 ? bytes : bytes.subarray(at), byteLength - at);
      if (consumed === 0) break;
      at += consumed;
    }
    this.#processing = false;
    if (!this.#closing) return at;
    if (at < byteLength) this.#beginLinger();
    return byteLength;
  }

  #processInput(): void {
    const input = this.#input;
    if (input === undefined) return;
    const consumed = this.#process(input, this.#inputLength);
    if (consumed === 0) return;
    input.copyWithin(0, consumed, this.#inputLength);
    this.#inputLength -= consumed;
    if (this.#inputLength === 0) this.#input = undefined;
  }

  /** Appends what cannot be dealt with yet. */
  #keep(bytes: Uint8Array<ArrayBuffer>, start: number, end: number): void {
    const length = this.#inputLength + end - start;
    let input = this.#input;
    if (input === undefined || input.byteLength < length) {
      const larger = new Uint8Array(Math.max(512, 2 * length));
      if (input !== undefined) larger.set(input.subarray(0, this.#inputLength));
      this.#input = input = larger;
    }
    input.set(bytes.subarray(start, end), this.#inputLength);
    this.#inputLength = length;
  }

  /** Whether parsing again is worth it: only at the end of a head, or when a limit is reached. */
  #headMayBeComplete(before: number): boolean {
    const input = this.#input;
    if (input === undefined) return false;
    const { headerBytesMax, targetBytesMax } = this.#server.limits;
    if (this.#inputLength > Math.min(headerBytesMax, targetBytesMax)) return true;
    for (let index = Math.max(before, 1); index < this.#inputLength; index++) {
      if (input[index] === LF && (input[index - 1] === LF || index >= 2 && input[index - 2] === LF)) {
        return true;
      }
    }
    return false;
  }

  /** After each piece of input: the state, the deadline, back-pressure, and what has been written goes out. */
  #afterInput(): void {
    if (this.#state === "closed") return;
    if (this.#closing) {
      this.#flush();
      return;
    }
    this.#updateState();
    if (this.#server.draining && !this.#responding) this.#endDraining();
    if (
      !this.#paused && this.#inputLength > PIPELINE_BYTES_MAX &&
      (this.#responding || this.#body !== undefined)
    ) {
      this.#pause();
    }
    this.#flush();
  }

  /** The server stops, and what was received before is answered, but for a message that has only begun. */
  #endDraining(): void {
    if (this.#state === "idle") this.#closeWhenSent();
    else {
      this.#lastRequest = true;
      this.#resume();
    }
  }

  #updateState(): void {
    const { limits } = this.#server;
    const before = this.#state;
    if (before === "linger" || before === "closed") return;
    if (this.#body !== undefined) {
      this.#state = "body";
      if (before !== "body") this.#deadlineMs = this.#server.nowMs() + limits.bodyTimeoutMs;
    } else if (this.#responding) this.#state = "handler";
    else if (this.#inputLength > 0) {
      this.#state = "head";
      if (before !== "head") this.#deadlineMs = this.#server.nowMs() + limits.headerTimeoutMs;
    } else {
      this.#state = "idle";
      this.#deadlineMs = this.#server.nowMs() + limits.idleTimeoutMs;
      // The head of the answer before may have gone out when nobody knew yet that it would be the last.
      if (this.#server.draining) this.#closeWhenSent();
    }
  }

  #pause(): void {
    this.#paused = true;
    this.#socket.stopReceiving();
  }

  #resume(): void {
    if (!this.#paused || this.#state === "closed") return;
    this.#paused = false;
    this.#socket.startReceiving();
  }

  // ───── requests ─────

  /** Parses and answers requests at the start of `bytes`; returns how many bytes they took. */
  #takeHeads(bytes: Uint8Array<ArrayBuffer>, byteLength: number): number {
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
      if (this.#responding || this.#body !== undefined || this.#closing) return end;
      base += RECORD_WORDS + HEADER_WORDS * words[base + RECORD.headerCount];
    }
    if (rejected !== 0) {
      this.#reject(rejected);
      return byteLength;
    }
    return consumed;
  }

  #takeRequest(bytes: Uint8Array<ArrayBuffer>, words: Int32Array, base: number): void {
    const server = this.#server;
    // A head has come in whole: what comes next, of its body or of another head, has its own time.
    this.#state = "handler";
    const flags = words[base + RECORD.flags];
    const contentLength = (words[base + RECORD.contentLengthLow] >>> 0) +
      0x1_0000_0000 * words[base + RECORD.contentLengthHigh];
    this.#keepAlive = (flags & FLAG.keepAlive) !== 0;
    const chunked = (flags & FLAG.chunked) !== 0;
    if (contentLength > server.limits.bodyBytesMax) {
      this.#reject(413);
      return;
    }
    if (chunked || contentLength > 0) this.#beginBody(flags, chunked, contentLength);
    const request = new HttpRequest(bytes, words, base, server, this.#body);
    this.#request = request;
    this.#responding = true;
    server.statistics.requestCount++;
    const head = words[base + RECORD.method] === METHOD_HEAD;
    const context = {
      http11: (flags & FLAG.http11) !== 0,
      keepAlive: this.#keepAlive,
      head,
      failureCount: 0,
    };
    this.#callHandler(request, context);
  }

  #callHandler(request: HttpRequest, context: AnswerContext): void {
    let answer: Response | Promise<Response>;
    try {
      answer = this.#server.handler(request, this.#info);
    } catch (error) {
      answer = this.#answerError(error);
    }
    if (answer instanceof HttpResponse) {
      this.#respond(request, answer, context);
    } else if (answer instanceof Promise) {
      request.detach();
      // What a handler makes of a request that has been answered or given up meanwhile interests nobody.
      const answered = answer.catch((error) => {
        return this.#request === request ? this.#answerError(error) : new HttpResponse();
      });
      answered.then((response) => {
        this.#respond(request, response, context);
        this.#continue();
      });
    } else this.#respond(request, answer, context);
  }

  /** Whether no further request has been received. */
  get #isLast(): boolean {
    return this.#lastRequest || (this.#processing ? this.#bytesBehind : this.#inputLength) === 0;
  }

  /** What `onError` makes of an error; 500 when that fails too. */
  async #answerError(error: unknown): Promise<Response> {
    try {
      return await this.#server.onError(error);
    } catch {
      return new HttpResponse("Internal Server Error", { status: 500 });
    }
  }

  // ───── responses ─────

  #respond(request: HttpRequest, response: Response, context: AnswerContext): void {
    // Meanwhile the connection has been closed, or the request answered with an error of the server's own.
    if (this.#request !== request) {
      request.release();
      if (response instanceof Response) response.body?.cancel(GONE).catch(() => {});
      return;
    }
    // A body that the client still waits to be asked for will not come any more; nothing can follow it on this connection.
    if (this.#expectsContinue || this.#server.draining && this.#isLast) this.#keepAlive = false;
    context.keepAlive = this.#keepAlive;
    try {
      if (!(response instanceof Response)) {
        throw new TypeError(
          `answer the request: the handler returned ${describe(response)}, expected a Response`,
        );
      }
      const light = HttpResponse.light(response);
      if (
        light !== undefined &&
        this.#server.writer.tryWriteWhole(this.#queue, light, context, this.#server.nowMs())
      ) {
        this.#finishResponse();
        return;
      }
      if (light === undefined && response instanceof Response && response.status < 200) {
        throw new TypeError(
          `answer the request: status ${response.status}: protocol upgrades are not offered`,
        );
      }
      if (light === undefined && !(response instanceof Response)) {
        throw new TypeError(
          `answer the request: the handler returned ${describe(response)}, expected a Response`,
        );
      }
      request.detach();
      this.#send(request, response, light, context);
    } catch (error) {
      this.#replaceResponse(request, error, context);
    }
  }

  #send(
    request: HttpRequest,
    response: Response,
    light: LightResponse | undefined,
    context: AnswerContext,
  ): void {
    const sender = new ResponseSender(this.#queue, this.#server, context);
    this.#sender = sender;
    sender.send(response, light).then(() => {
      this.#sender = undefined;
      if (this.#request !== request) return;
      if (sender.mustClose) this.#keepAlive = false;
      this.#finishResponse();
      this.#continue();
    }, (error) => {
      this.#sender = undefined;
      if (this.#request !== request) return;
      if (sender.headWritten) this.#abandon(error);
      else this.#replaceResponse(request, error, context);
    });
  }

  /**
   * The handler's response cannot be sent, and nothing of it was: what `onError` says is sent instead, then a bare 500. When
   * that cannot be sent either, nothing can.
   */
  #replaceResponse(request: HttpRequest, error: unknown, context: AnswerContext): void {
    request.detach();
    context.failureCount++;
    if (context.failureCount > FAILURES_ANSWERED_MAX) {
      this.#abandon(error);
      return;
    }
    const answer = context.failureCount === FAILURES_ANSWERED_MAX
      ? Promise.resolve(new HttpResponse("Internal Server Error", { status: 500 }))
      : this.#answerError(error);
    answer.then((response) => {
      this.#respond(request, response, context);
      this.#continue();
    });
  }

  #finishResponse(): void {
    this.#responding = false;
    this.#request?.release();
    this.#request = undefined;
    this.#info.answered();
    const body = this.#body;
    if (body !== undefined) this.#dropBody(body);
    if (!this.#keepAlive || (this.#inputEnded && this.#inputLength === 0)) {
      const inputLeft = this.#body !== undefined || this.#expectsContinue ||
        this.#paused && !this.#server.draining ||
        !this.#processing && this.#inputLength > 0;
      if (inputLeft) this.#beginLinger();
      else this.#closeWhenSent();
    }
  }

  /** The answer is out and the handler has not read the body to its end. */
  #dropBody(body: RequestBody): void {
    const { discardBytesMax } = this.#server.limits;
    // A handler may read on behind its answer.
    if (body.used && !body.discarded) return;
    body.discard();
    this.#resume();
    if (this.#decoder === undefined && this.#bodyLeft > discardBytesMax) this.#keepAlive = false;
  }

  /** Goes on with what had to wait for the response. */
  #continue(): void {
    if (this.#state === "closed") return;
    if (!this.#processing && !this.#closing && this.#inputLength > 0) this.#processInput();
    if (!this.#responding && !this.#closing) this.#resume();
    if (this.#inputEnded && !this.#responding && this.#body === undefined) this.#closeWhenSent();
    this.#afterInput();
  }

  #flush(): void {
    const queue = this.#queue;
    if (queue.at > 0 || queue.sending) {
      queue.flush();
      if (this.#writeDeadlineMs === Infinity) {
        this.#writeDeadlineMs = this.#server.nowMs() + this.#server.limits.writeTimeoutMs;
      }
    } else if (this.#closing && !this.#responding) this.#finishClosing();
  }

  // ───── bodies ─────

  #beginBody(flags: number, chunked: boolean, contentLength: number): void {
    this.#decoder = chunked ? new ChunkedDecoder() : undefined;
    this.#bodyLeft = contentLength;
    this.#bodyReceived = 0;
    this.#expectsContinue = (flags & FLAG.expectContinue) !== 0;
    this.#body = new RequestBody({
      resume: () => {
        this.#sendContinue();
        if (this.#body !== undefined) this.#resume();
      },
    });
  }

  /** The handler wants the body of a client that waits to be asked for it. */
  #sendContinue(): void {
    if (!this.#expectsContinue || this.#state === "closed") return;
    if (!this.#responding || this.#sender !== undefined) return;
    if (!this.#queue.reserve(CONTINUE.byteLength)) {
      this.#continueLater ??= () => this.#sendContinue();
      this.#server.buffers.whenAvailable(this.#continueLater);
      return;
    }
    this.#expectsContinue = false;
    this.#queue.append(CONTINUE, 0);
    this.#flush();
  }

  #takeBody(bytes: Uint8Array<ArrayBuffer>, from: number, end: number): number {
    // A client that sends without waiting needs no invitation any more.
    this.#expectsContinue = false;
    return this.#decoder === undefined
      ? this.#takeCounted(bytes, from, end)
      : this.#takeChunked(this.#decoder, bytes, from, end);
  }

  #takeCounted(bytes: Uint8Array<ArrayBuffer>, from: number, end: number): number {
    const length = Math.min(this.#bodyLeft, end - from);
    this.#bodyLeft -= length;
    this.#pushBody(bytes, from, length);
    if (this.#bodyLeft === 0) this.#endBody();
    return from + length;
  }

  #takeChunked(decoder: ChunkedDecoder, bytes: Uint8Array<ArrayBuffer>, from: number, end: number): number {
    let at = from;
    while (at < end && this.#body !== undefined) {
      at = decoder.next(bytes, at, end);
      if (decoder.dataLength > 0) {
        if (this.#bodyReceived + decoder.dataLength > this.#server.limits.bodyBytesMax) {
          this.#failBody(new RangeError("read the request's body: it is over bodyBytesMax"), 413);
          return end;
        }
        this.#pushBody(bytes, decoder.dataStart, decoder.dataLength);
      }
      if (decoder.state === "done") this.#endBody();
      else if (decoder.state === "failed") {
        this.#failBody(new TypeError("read the request's body: malformed chunks"), 400);
        return end;
      }
    }
    return at;
  }

  #pushBody(bytes: Uint8Array<ArrayBuffer>, start: number, length: number): void {
    const body = this.#body;
    if (body === undefined) return;
    this.#bodyReceived += length;
    const unread = !body.used || body.discarded;
    if (!this.#responding && this.#bodyReceived > this.#server.limits.discardBytesMax && unread) {
      // Nobody reads it, and there is too much to throw away.
      this.#keepAlive = false;
      this.#beginLinger();
      return;
    }
    if (!body.push(bytes, start, length) && !this.#paused) this.#pause();
  }

  #endBody(): void {
    const body = this.#body;
    this.#body = undefined;
    this.#decoder = undefined;
    this.#expectsContinue = false;
    body?.end();
  }

  /** The body cannot be read to its end: the handler's reading fails, and the client is told if no answer has begun. */
  #failBody(error: Error, status: number): void {
    const body = this.#body;
    this.#body = undefined;
    this.#decoder = undefined;
    body?.fail(error);
    if (this.#sender?.headWritten || !this.#responding) {
      this.#abandon(error);
      return;
    }
    this.#responding = false;
    this.#request?.abort(error);
    this.#request = undefined;
    this.#sender?.abort(error);
    this.#sender = undefined;
    this.#reject(status);
  }

  // ───── endings ─────

  /** Answers a message that no handler gets to see, and ends the connection. */
  #reject(status: number): void {
    if (this.#state === "closed") return;
    this.#server.statistics.rejectedCount++;
    this.#keepAlive = false;
    const context = { http11: true, keepAlive: false, head: false };
    const response = { status, statusText: "", headers: undefined, body: `${statusText(status)}\n` };
    this.#server.writer.tryWriteWhole(this.#queue, response, context, this.#server.nowMs());
    this.#beginLinger();
  }

  /**
   * After the last answer, with input still coming: closing now would make the system reset the connection, and the client
   * might never read the answer (RFC 9112, 9.6).
   */
  #beginLinger(): void {
    if (this.#state === "closed" || this.#state === "linger") return;
    this.#closing = true;
    this.#state = "linger";
    this.#input = undefined;
    this.#inputLength = 0;
    this.#body?.fail(
      new Deno.errors.Interrupted("read the request's body: the connection was closed behind the answer"),
    );
    this.#body = undefined;
    this.#decoder = undefined;
    this.#deadlineMs = this.#server.nowMs() + LINGER_MS_MAX;
    this.#flush();
  }

  #linger(byteLength: number): void {
    this.#lingered += byteLength;
    if (this.#lingered > LINGER_BYTES_MAX) this.#close();
  }

  #closeWhenSent(): void {
    if (this.#state === "closed" || this.#closing) return;
    this.#closing = true;
    if (!this.#processing) this.#flush();
  }

  #finishClosing(): void {
    if (this.#state !== "linger") this.#close();
    else if (this.#inputEnded) this.#close();
    else if (!this.#sendEnded) {
      this.#sendEnded = true;
      try {
        this.#socket.shutdownSend();
      } catch {
        // The client is gone already.
        this.#close();
        return;
      }
      this.#resume();
    }
  }

  /** The connection is of no use any more: whatever goes on on it fails with `reason`. */
  #abandon(reason: unknown): void {
    if (this.#state === "closed") return;
    this.#body?.fail(reason);
    this.#request?.abort(reason);
    this.#sender?.abort(reason);
    this.#info.failed(reason);
    this.#close();
  }

  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#closing = true;
    this.#input = undefined;
    this.#inputLength = 0;
    this.#body = undefined;
    this.#info.failed(new Deno.errors.ConnectionReset(GONE));
    // Whose handler is still at work may look at its request until it is done.
    this.#request = undefined;
    if (this.#continueLater !== undefined) this.#server.buffers.forget(this.#continueLater);
    this.#queue.close();
    this.#socket.close();
    this.#server.onClosed(this);
  }
}

function describe(value: unknown): string {
  return value === undefined || value === null ? String(value) : `a value of type ${typeof value}`;
}
