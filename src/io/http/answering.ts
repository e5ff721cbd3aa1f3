import type { SendQueue } from "../reactor/mod.ts";
import type { ConnectionInfo } from "./connection_info.ts";
import type { HttpRequest } from "./http_request.ts";
import { HttpResponse, type LightResponse } from "./http_response.ts";
import { ResponseSender } from "./response_sender.ts";
import type { ResponseContext } from "./response_writer.ts";
import type { ServerContext } from "./server_context.ts";

/** Why an answer that was asked for is not wanted any more. */
export const GONE = "the client closed the connection";
/** Responses to one request that may fail to be sent and are replaced: the handler's, and what `onError` says of that. */
const FAILURES_ANSWERED_MAX = 2;

/** What answering asks of its connection. */
export interface AnsweringOwner {
  /** Decides whether another request may follow on the connection; asked when the answer's head is about to be written. */
  decideKeepAlive(): boolean;
  /** Whether the client waits to be asked for the body, which the answer may be made of. */
  readonly awaitsContinue: boolean;
  /** The answer is written; with `mustClose`, only the end of the connection tells where it ends. */
  onAnswered(mustClose: boolean): void;
  /** Something about the answer happened outside of any call of the connection's, which may be able to go on. */
  proceed(): void;
  /** The answer cannot be sent, or not to its end. */
  abandon(reason: unknown): void;
}

/** How one request is to be answered. */
interface AnswerContext extends ResponseContext {
  keepAlive: boolean;
  /** Responses to it that could not be sent. */
  failureCount: number;
}

/**
 * Has the requests of one connection answered, one at a time: calls the handler and writes what it returns.
 *
 * ```text
 * answer() ──▶ handler ──▶ response that fits ──▶ ResponseWriter ─────────────────────▶ onAnswered()
 *                 │ any other ──▶ ResponseSender ──▶ (in pieces) ──▶ onAnswered(), proceed()
 *                 └ throws, or returns what cannot be sent: onError, at most twice ──▶ as above
 * ```
 */
export class Answering {
  readonly #server: ServerContext;
  readonly #queue: SendQueue;
  readonly #info: ConnectionInfo;
  readonly #owner: AnsweringOwner;
  /** The request whose answer is not complete. */
  #request: HttpRequest | undefined;
  #sender: ResponseSender | undefined;

  constructor(server: ServerContext, queue: SendQueue, info: ConnectionInfo, owner: AnsweringOwner) {
    this.#server = server;
    this.#queue = queue;
    this.#info = info;
    this.#owner = owner;
  }

  /** Whether there is a request whose answer is not complete. */
  get busy(): boolean {
    return this.#request !== undefined;
  }

  /** Whether part of the answer has been written, so that no other can take its place. */
  get begun(): boolean {
    return this.#sender !== undefined && this.#sender.headWritten;
  }

  /** Answers `request`, at once if it can be. */
  answer(request: HttpRequest, http11: boolean, head: boolean): void {
    this.#request = request;
    this.#callHandler(request, { http11, keepAlive: true, head, failureCount: 0 });
  }

  /** There may be room in the send queue again. */
  onRoom(): void {
    this.#sender?.onRoom();
  }

  /** The connection is gone: tells the handler, and ends what is being sent. */
  abort(reason: unknown): void {
    this.#request?.abort(reason);
    this.#sender?.abort(reason);
  }

  /** Gives the request up, of whose answer nothing has been written: it is answered in another way. */
  giveUp(reason: unknown): void {
    this.abort(reason);
    this.#request = undefined;
    this.#sender = undefined;
  }

  /** Lets go of the request. Whose handler is still at work may look at it until it is done. */
  forget(): void {
    this.#request = undefined;
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
      answered.then((response) => this.#respondLater(request, response, context));
    } else this.#respond(request, answer, context);
  }

  /** What `onError` makes of an error; 500 when that fails too. */
  async #answerError(error: unknown): Promise<Response> {
    try {
      return await this.#server.onError(error);
    } catch {
      return new HttpResponse("Internal Server Error", { status: 500 });
    }
  }

  #respondLater(request: HttpRequest, response: Response, context: AnswerContext): void {
    this.#respond(request, response, context);
    this.#owner.proceed();
  }

  #respond(request: HttpRequest, response: Response, context: AnswerContext): void {
    // Meanwhile the connection has been closed, or the request answered with an error of the server's own.
    if (this.#request !== request) {
      request.release();
      if (response instanceof Response) response.body?.cancel(GONE).catch(() => {});
      return;
    }
    try {
      const light = HttpResponse.light(response);
      if (light === undefined) checkResponse(response);
      else context.keepAlive = this.#owner.decideKeepAlive();
      if (
        light !== undefined &&
        this.#server.writer.tryWriteWhole(this.#queue, light, context, this.#server.nowMs())
      ) {
        this.#finish(request, false);
        return;
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
    const sender = new ResponseSender(this.#queue, this.#server, context, this.#owner);
    this.#sender = sender;
    sender.send(response, light).then(() => {
      this.#sender = undefined;
      if (this.#request !== request) return;
      this.#finish(request, sender.mustClose);
      this.#owner.proceed();
    }, (error) => {
      this.#sender = undefined;
      if (this.#request !== request) return;
      if (sender.headWritten) this.#owner.abandon(error);
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
      this.#owner.abandon(error);
      return;
    }
    const answer = context.failureCount === FAILURES_ANSWERED_MAX
      ? Promise.resolve(new HttpResponse("Internal Server Error", { status: 500 }))
      : this.#answerError(error);
    answer.then((response) => this.#respondLater(request, response, context));
  }

  #finish(request: HttpRequest, mustClose: boolean): void {
    this.#request = undefined;
    request.release();
    this.#info.answered();
    this.#owner.onAnswered(mustClose);
  }
}

/** @throws {TypeError} when what a handler returned is no response, or one that no request here can have */
function checkResponse(response: unknown): void {
  if (!(response instanceof Response)) {
    const what = response === undefined || response === null
      ? String(response)
      : `a value of type ${typeof response}`;
    throw new TypeError(`answer the request: the handler returned ${what}, expected a Response`);
  }
  if (response.status < 200) {
    throw new TypeError(
      `answer the request: status ${response.status}: protocol upgrades are not offered`,
    );
  }
}
