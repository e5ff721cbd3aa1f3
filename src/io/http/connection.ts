import { type DriverSocket, SendQueue, type SocketHandler } from "../reactor/mod.ts";
import { GONE, Responder, type ResponderOwner } from "./responder.ts";
import { StateClock } from "./connection_state.ts";
import { ConnectionInfo } from "./connection_info.ts";
import type { HttpRequest } from "./http_request.ts";
import { FLAG } from "./request_head.ts";
import { RequestReader, type RequestReaderOwner } from "./request_reader.ts";
import type { ServedConnection, ServerContext } from "./server_context.ts";
import { statusText } from "./status_text.ts";

/** Bytes that a client may send ahead during a response, before the connection stops receiving. */
export const PIPELINE_BYTES_MAX = 16_384;
/** Bytes read and dropped after an error response, so that the client gets to read it. */
const LINGER_BYTES_MAX = 1024 * 1024;
const CONTINUE = new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n");

/**
 * One client: its requests in, its responses out, one at a time and in order.
 *
 * Ties the parts together, decides when to receive, and ends the connection. {@linkcode RequestReader} parses the input into
 * requests, {@linkcode Responder} responds to them, {@linkcode StateClock} keeps the state and its deadlines.
 */
export class HttpConnection implements ServedConnection, SocketHandler, RequestReaderOwner, ResponderOwner {
  readonly #server: ServerContext;
  readonly #socket: DriverSocket;
  readonly #queue: SendQueue;
  readonly #info: ConnectionInfo;
  readonly #clock: StateClock;
  readonly #reader: RequestReader;
  readonly #responder: Responder;
  #paused = false;
  /** The other side has ended its direction. */
  #inputEnded = false;
  #sendEnded = false;
  /** Whether another request may follow the present one. */
  #keepAlive = true;
  /** The server drains, and has responded to everything received before this request. */
  #lastRequest = false;
  /** No further request is read; closes when everything has been sent. */
  #closing = false;
  #lingeredBytes = 0;
  /** Waits for a buffer in which to send `100 Continue`. */
  #continueLater: (() => void) | undefined;

  constructor(server: ServerContext, socket: DriverSocket) {
    this.#server = server;
    this.#socket = socket;
    this.#queue = new SendQueue(socket, server.buffers);
    this.#info = new ConnectionInfo(socket, server.transport);
    this.#clock = new StateClock(server);
    this.#reader = new RequestReader(server, this);
    this.#responder = new Responder(server, this.#queue, this.#info, this);
    socket.attach(this);
    socket.startReceiving();
  }

  get responding(): boolean {
    return this.#responder.busy;
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
    // The body will never be complete. But a client that has sent all of its request may wait for the response.
    if (this.#reader.body !== undefined) {
      this.onBodyFailed(new Deno.errors.UnexpectedEof(`read the request's body: ${GONE}`), 400);
    } else if (!this.responding) this.#endOfInput();
  }

  onSent(): void {
    this.#queue.sent();
    this.#clock.sendEnded();
    if (this.#queue.sending) this.#clock.sendBegan();
    this.#responder.onRoom();
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
    // Output that a streamed response sent between two pieces of input has no deadline yet.
    if (this.#queue.sending) clock.sendBegan();
    const overdue = clock.overdue(nowMs);
    switch (overdue) {
      case "send":
        this.#server.statistics.timeoutCount++;
        this.abandon(new Deno.errors.TimedOut("send the response: the client does not receive"));
        return;
      case "head":
        this.#server.statistics.timeoutCount++;
        this.onRejected(408);
        return;
      case "body":
        this.#server.statistics.timeoutCount++;
        this.onBodyFailed(
          new Deno.errors.TimedOut("read the request's body: it was not received in time"),
          408,
        );
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
    // A complete head has come: what follows, its body or another head, has a deadline of its own.
    this.#clock.enter("handler");
    this.#keepAlive = (flags & FLAG.keepAlive) !== 0;
    this.#server.statistics.requestCount++;
    this.#responder.respond(request, (flags & FLAG.http11) !== 0, head);
  }

  /** Responds to a message in place of the handler, and ends the connection. */
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

  /** The handler's reading of the body fails, and the client gets an error response unless one has begun. */
  onBodyFailed(error: Error, status: number): void {
    this.#reader.failBody(error);
    if (this.#responder.begun || !this.responding) {
      this.abandon(error);
      return;
    }
    this.#responder.giveUp(error);
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
    // Before the response the dropped data would be received for no reader; the response decides what becomes of the rest.
    if (!this.responding && !this.#closing) this.#resume();
  }

  decideKeepAlive(): boolean {
    // The client will not send a body for which it still waits for `100 Continue`: no request can follow on this connection.
    if (this.awaitsContinue || this.#server.draining && (this.#lastRequest || this.#reader.atEnd)) {
      this.#keepAlive = false;
    }
    return this.#keepAlive;
  }

  onResponded(mustClose: boolean): void {
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

  /** The connection is of no use any more: everything in progress on it fails with `reason`. */
  abandon(reason: unknown): void {
    if (this.#clock.state === "closed") return;
    this.#reader.body?.body.fail(reason);
    this.#responder.abort(reason);
    this.#info.failed(reason);
    this.#close();
  }

  /** After each piece of input: updates the state, the deadline and back-pressure, and sends what has been written. */
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
      // The head of the previous response may have gone out before it was known to be the last.
      if (this.#server.draining) this.#endIdle();
    }
  }

  /** The server drains, and no request is in progress: the connection closes, or may bring one more. */
  #endIdle(): void {
    if (!this.#server.sparesIdle) {
      this.#closeWhenSent();
      return;
    }
    this.#lastRequest = true;
    this.#resume();
  }

  /** The server drains, and has responded to what was received before, except for a message that has only begun. */
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

  /** The handler reads the body of a client that waits for `100 Continue`. */
  #sendContinue(): void {
    const { body } = this.#reader;
    if (body === undefined || !body.expectsContinue || this.#clock.state === "closed") return;
    if (!this.responding) return;
    if (this.#responder.begun) {
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

  /** A client that has seen a final status does not send the body that it held back: the handler must not wait for it. */
  #forgoBody(): void {
    this.#reader.failBody(
      new Deno.errors.Interrupted(
        "read the request's body: the response began before the client was asked for it",
      ),
    );
    this.#keepAlive = false;
    if (!this.#closing) this.#updateState();
  }

  /**
   * After the last response, with input still coming: closing now would make the system reset the connection, and the client
   * might never read the response (RFC 9112, 9.6).
   */
  #beginLinger(): void {
    if (this.#clock.state === "closed" || this.#clock.state === "linger") return;
    this.#closing = true;
    this.#clock.enter("linger");
    this.#reader.failBody(
      new Deno.errors.Interrupted("read the request's body: the connection was closed after the response"),
    );
    this.#reader.clear();
    this.#flush();
  }

  #linger(byteLength: number): void {
    this.#lingeredBytes += byteLength;
    if (this.#lingeredBytes > LINGER_BYTES_MAX) this.#close();
  }

  /** The input has ended. A partial head that remains is rejected like any malformed head. */
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

  /** The last response is with the kernel. */
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
    this.#responder.forget();
    if (this.#continueLater !== undefined) this.#server.buffers.forget(this.#continueLater);
    this.#queue.close();
    this.#socket.close();
    this.#server.onClosed(this);
  }
}
