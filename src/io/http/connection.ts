import { type DriverSocket, SendQueue, type SocketHandler } from "../reactor/mod.ts";
import { Answering, type AnsweringOwner, GONE } from "./answering.ts";
import { StateClock } from "./connection_state.ts";
import { ConnectionInfo } from "./connection_info.ts";
import type { HttpRequest } from "./http_request.ts";
import { FLAG } from "./request_head.ts";
import { RequestReader, type RequestReaderOwner } from "./request_reader.ts";
import type { ServedConnection, ServerContext } from "./server_context.ts";
import { statusText } from "./status_text.ts";

/** Bytes that a client may send ahead while its request is being answered, before the connection stops receiving. */
export const PIPELINE_BYTES_MAX = 16_384;
/** Bytes read and dropped after an error answer, so that the client gets to read it. */
const LINGER_BYTES_MAX = 1024 * 1024;
const CONTINUE = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");

/**
 * One client: its requests in, its responses out, one at a time and in order.
 *
 * Ties the parts together, says when to receive, and ends the connection: {@linkcode RequestReader} makes requests of what
 * comes in, {@linkcode Answering} has them answered, {@linkcode StateClock} has the states and their deadlines.
 */
export class HttpConnection implements ServedConnection, SocketHandler, RequestReaderOwner, AnsweringOwner {
  readonly #server: ServerContext;
  readonly #socket: DriverSocket;
  readonly #queue: SendQueue;
  readonly #info: ConnectionInfo;
  readonly #clock: StateClock;
  readonly #reader: RequestReader;
  readonly #answering: Answering;
  #paused = false;
  /** The other side has ended its direction. */
  #inputEnded = false;
  #sendEnded = false;
  /** Whether another request may follow the present one. */
  #keepAlive = true;
  /** The server stops, and everything received before has been answered, but for this request. */
  #lastRequest = false;
  /** No further request is read; closes when everything has been sent. */
  #closing = false;
  #lingeredBytes = 0;
  /** Waits for a buffer to ask for the body in. */
  #continueLater: (() => void) | undefined;

  constructor(server: ServerContext, socket: DriverSocket) {
    this.#server = server;
    this.#socket = socket;
    this.#queue = new SendQueue(socket, server.buffers);
    this.#info = new ConnectionInfo(socket, server.transport);
    this.#clock = new StateClock(server);
    this.#reader = new RequestReader(server, this);
    this.#answering = new Answering(server, this.#queue, this.#info, this);
    socket.attach(this);
    socket.startReceiving();
  }

  get responding(): boolean {
    return this.#answering.busy;
  }

  get awaitsContinue(): boolean {
    return this.#reader.body?.expectsContinue ?? false;
  }

  get closing(): boolean {
    return this.#closing;
  }

  onReceive(bytes: Uint8Array<ArrayBuffer>, byteLength: number): void {
    if (this.#closing) {
      if (this.#clock.state === "linger") this.#linger(byteLength);
      else this.#beginLinger();
      return;
    }
    this.#reader.receive(bytes, byteLength);
    this.#afterInput();
  }

  onReceiveEnd(error: Error | undefined): void {
    if (this.#clock.state === "linger" || error !== undefined) {
      this.abandon(error ?? new Deno.errors.ConnectionReset(GONE));
      return;
    }
    this.#inputEnded = true;
    // Half a body will never be whole; but a client that has sent all of its request may wait for the answer.
    if (this.#reader.body !== undefined) {
      this.onBodyFailed(new Deno.errors.UnexpectedEof(`read the request's body: ${GONE}`), 400);
    } else if (!this.responding) this.#endOfInput();
  }

  onSent(): void {
    this.#queue.sent();
    this.#clock.sendEnded();
    if (this.#queue.sending) this.#clock.sendBegan();
    this.#answering.onRoom();
    if (!this.#queue.idle) return;
    this.#info.sent();
    if (this.#closing && !this.responding) this.#finishClosing();
  }

  onSendFailed(error: Error): void {
    this.abandon(error);
  }

  checkDeadlines(nowMs: number): void {
    const clock = this.#clock;
    if (clock.state === "closed") return;
    // What a streamed response sends between two pieces of input has no deadline yet.
    if (this.#queue.sending) clock.sendBegan();
    const overdue = clock.overdue(nowMs);
    switch (overdue) {
      case "send":
        this.#server.statistics.timeoutCount++;
        this.abandon(new Deno.errors.TimedOut("send the response: the client takes nothing"));
        return;
      case "head":
        this.#server.statistics.timeoutCount++;
        this.onRejected(408);
        return;
      case "body":
        this.#server.statistics.timeoutCount++;
        this.onBodyFailed(new Deno.errors.TimedOut("read the request's body: it did not come in time"), 408);
        return;
      case "idle":
      case "linger":
        if (this.#queue.idle) this.#close();
        return;
      case "handler":
      case "closed":
      case undefined:
        return;
    }
  }

  drain(): void {
    const receivesBody = this.#reader.body !== undefined;
    if (this.responding && !receivesBody) this.#pause();
    else if (receivesBody || this.#clock.state === "head") this.#lastRequest = true;
    else this.#endIdle();
  }

  abort(reason: unknown): void {
    this.abandon(reason);
  }

  setReferenced(referenced: boolean): void {
    if (this.#clock.state !== "closed") this.#socket.setReferenced(referenced);
  }

  onRequest(request: HttpRequest, flags: number, head: boolean): void {
    // A head has come in whole: what comes next, of its body or of another head, has its own time.
    this.#clock.enter("handler");
    this.#keepAlive = (flags & FLAG.keepAlive) !== 0;
    this.#server.statistics.requestCount++;
    this.#answering.answer(request, (flags & FLAG.http11) !== 0, head);
  }

  /** Answers a message that no handler gets to see, or in a handler's place, and ends the connection. */
  onRejected(status: number): void {
    if (this.#clock.state === "closed") return;
    this.#server.statistics.rejectedCount++;
    this.#keepAlive = false;
    const context = { http11: true, keepAlive: false, head: false };
    const response = { status, statusText: "", headers: undefined, body: `${statusText(status)}\n` };
    this.#server.writer.tryWriteWhole(this.#queue, response, context, this.#server.nowMs());
    this.#beginLinger();
  }

  onSurplus(): void {
    this.#beginLinger();
  }

  /** The handler's reading of the body fails, and the client is told if no answer has begun. */
  onBodyFailed(error: Error, status: number): void {
    this.#reader.failBody(error);
    if (this.#answering.begun || !this.responding) {
      this.abandon(error);
      return;
    }
    this.#answering.giveUp(error);
    this.onRejected(status);
  }

  onBodyFull(): void {
    this.#pause();
  }

  onBodyWanted(): void {
    this.#sendContinue();
    if (this.#reader.body !== undefined) this.#resume();
  }

  onBodyDropped(): void {
    // Before the answer nothing is received for nobody; with the answer it is decided what becomes of the rest.
    if (!this.responding && !this.#closing) this.#resume();
  }

  decideKeepAlive(): boolean {
    // A body that the client still waits to be asked for will not come any more; nothing can follow it on this connection.
    if (this.awaitsContinue || this.#server.draining && (this.#lastRequest || this.#reader.atEnd)) {
      this.#keepAlive = false;
    }
    return this.#keepAlive;
  }

  onAnswered(mustClose: boolean): void {
    if (mustClose) this.#keepAlive = false;
    const reader = this.#reader;
    const { body } = reader;
    if (body?.discardUnread()) {
      this.#resume();
      if (body.tooLongToDiscard) this.#keepAlive = false;
    }
    if (this.#keepAlive && !(this.#inputEnded && reader.waitingBytes === 0)) return;
    const inputLeft = body !== undefined || this.#paused && !this.#server.draining ||
      !reader.processing && reader.waitingBytes > 0;
    if (inputLeft) this.#beginLinger();
    else this.#closeWhenSent();
  }

  proceed(): void {
    if (this.#clock.state === "closed") return;
    const reader = this.#reader;
    if (!reader.processing && !this.#closing) reader.proceed();
    if (!this.responding && !this.#closing) this.#resume();
    if (this.#inputEnded && !this.responding && reader.body === undefined) this.#endOfInput();
    this.#afterInput();
  }

  /** The connection is of no use any more: whatever goes on on it fails with `reason`. */
  abandon(reason: unknown): void {
    if (this.#clock.state === "closed") return;
    this.#reader.body?.body.fail(reason);
    this.#answering.abort(reason);
    this.#info.failed(reason);
    this.#close();
  }

  /** After each piece of input: the state, the deadline, back-pressure, and what has been written goes out. */
  #afterInput(): void {
    if (this.#clock.state === "closed") return;
    if (!this.#closing) {
      this.#updateState();
      if (this.#server.draining && !this.responding) this.#endDraining();
      const { waitingBytes, body } = this.#reader;
      if (waitingBytes > PIPELINE_BYTES_MAX && (this.responding || body !== undefined)) this.#pause();
    }
    this.#flush();
  }

  #updateState(): void {
    const clock = this.#clock;
    if (this.#reader.body !== undefined) clock.enter("body");
    else if (this.responding) clock.enter("handler");
    else if (this.#reader.waitingBytes > 0) clock.enter("head");
    else {
      clock.enter("idle");
      // The head of the answer before may have gone out when nobody knew yet that it would be the last.
      if (this.#server.draining) this.#endIdle();
    }
  }

  /** The server stops, and no request is there: the connection closes, or may bring one more. */
  #endIdle(): void {
    if (!this.#server.sparesIdle) {
      this.#closeWhenSent();
      return;
    }
    this.#lastRequest = true;
    this.#resume();
  }

  /** The server stops, and what was received before is answered, but for a message that has only begun. */
  #endDraining(): void {
    if (this.#clock.state === "idle") this.#endIdle();
    else {
      this.#lastRequest = true;
      this.#resume();
    }
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.stopReceiving();
  }

  #resume(): void {
    if (!this.#paused || this.#clock.state === "closed") return;
    this.#paused = false;
    this.#socket.startReceiving();
  }

  #flush(): void {
    const queue = this.#queue;
    if (queue.at > 0 || queue.sending) {
      queue.flush();
      this.#clock.sendBegan();
    } else if (this.#closing && !this.responding) this.#finishClosing();
  }

  /** The handler wants the body of a client that waits to be asked for it. */
  #sendContinue(): void {
    const { body } = this.#reader;
    if (body === undefined || !body.expectsContinue || this.#clock.state === "closed") return;
    if (!this.responding) return;
    if (this.#answering.begun) {
      this.#forgoBody();
      return;
    }
    if (!this.#queue.reserve(CONTINUE.byteLength)) {
      this.#continueLater ??= () => this.#sendContinue();
      this.#server.buffers.whenAvailable(this.#continueLater);
      return;
    }
    body.expectsContinue = false;
    this.#queue.append(CONTINUE, 0);
    this.#flush();
  }

  /** A client that has seen a final status does not send a body it was not asked for: nobody shall wait for it. */
  #forgoBody(): void {
    this.#reader.failBody(
      new Deno.errors.Interrupted(
        "read the request's body: the client was not asked for it before the answer began",
      ),
    );
    this.#keepAlive = false;
    if (!this.#closing) this.#updateState();
  }

  /**
   * After the last answer, with input still coming: closing now would make the system reset the connection, and the client
   * might never read the answer (RFC 9112, 9.6).
   */
  #beginLinger(): void {
    if (this.#clock.state === "closed" || this.#clock.state === "linger") return;
    this.#closing = true;
    this.#clock.enter("linger");
    this.#reader.failBody(
      new Deno.errors.Interrupted("read the request's body: the connection was closed behind the answer"),
    );
    this.#reader.clear();
    this.#flush();
  }

  #linger(byteLength: number): void {
    this.#lingeredBytes += byteLength;
    if (this.#lingeredBytes > LINGER_BYTES_MAX) this.#close();
  }

  /** Nothing more will come: what waits is half a head, which is told like any other that is malformed. */
  #endOfInput(): void {
    if (this.#closing) return;
    if (this.#reader.holdsHalfHead) this.onRejected(400);
    else this.#closeWhenSent();
  }

  #closeWhenSent(): void {
    if (this.#clock.state === "closed" || this.#closing) return;
    this.#closing = true;
    if (!this.#reader.processing) this.#flush();
  }

  /** The last answer is with the kernel. */
  #finishClosing(): void {
    if (this.#clock.state !== "linger" || this.#inputEnded) {
      this.#close();
      return;
    }
    if (this.#sendEnded) return;
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

  #close(): void {
    if (this.#clock.state === "closed") return;
    this.#clock.enter("closed");
    this.#closing = true;
    this.#reader.clear();
    this.#info.failed(new Deno.errors.ConnectionReset(GONE));
    this.#answering.forget();
    if (this.#continueLater !== undefined) this.#server.buffers.forget(this.#continueLater);
    this.#queue.close();
    this.#socket.close();
    this.#server.onClosed(this);
  }
}
