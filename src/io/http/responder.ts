import { assert } from "../../base/mod.ts";
import type { SendQueue } from "../reactor/mod.ts";
import type { ConnectionInfo } from "./connection_info.ts";
import type { HttpRequest } from "./http_request.ts";
import { HttpResponse, type LightResponse } from "./http_response.ts";
import { ResponseSender } from "./response_sender.ts";
import type { ResponseContext } from "./response_writer.ts";
import type { ServerContext } from "./server_context.ts";

/** Why a requested response is no longer wanted. */
export const GONE = "the client closed the connection";
/** Failed responses to one request that are replaced by another: the handler's, and that of `onError`. */
const FAILURES_REPLACED_MAX = 2;

/** What a responder needs of its connection. */
export interface ResponderOwner {
  /** Decides whether another request may follow on the connection; called right before the response's head is written. */
  decideKeepAlive(): boolean;
  /** Whether the client waits for `100 Continue` before it sends the body, from which the response may be made. */
  readonly awaitsContinue: boolean;
  /** The response is written; with `mustClose`, only the end of the connection marks its end. */
  onResponded(mustClose: boolean): void;
  /** The response made progress outside of any call of the connection's, which may be able to go on. */
  proceed(): void;
  /** The response cannot be sent, or not to its end. */
  abandon(reason: unknown): void;
}

/** The state of the response to one request. */
interface PendingResponse extends ResponseContext {
  keepAlive: boolean;
  /** Responses to it that could not be sent. */
  failureCount: number;
}

/**
 * Responds to the requests of one connection, one at a time: calls the handler and writes the response that it returns.
 *
 * ```text
 * respond() ──▶ handler ──▶ response that fits ──▶ ResponseWriter ─────────────────────▶ onResponded()
 *                 │ any other ──▶ ResponseSender ──▶ (in pieces) ──▶ onResponded(), proceed()
 *                 └ throws, or returns what cannot be sent: onError, at most twice ──▶ as above
 * ```
 */
export class Responder {
  readonly #server: ServerContext;
  readonly #queue: SendQueue;
  readonly #info: ConnectionInfo;
  readonly #owner: ResponderOwner;
  /** The request whose response is not complete. */
  #request: HttpRequest | undefined;
  #sender: ResponseSender | undefined;

  constructor(server: ServerContext, queue: SendQueue, info: ConnectionInfo, owner: ResponderOwner) {
    this.#server = server;
    this.#queue = queue;
    this.#info = info;
    this.#owner = owner;
  }

  /** Whether there is a request whose response is not complete. */
  get busy(): boolean {
    return this.#request !== undefined;
  }

  /** Whether part of the response has been written, so that no other can take its place. */
  get begun(): boolean {
    return this.#sender !== undefined && this.#sender.headWritten;
  }

  /** Responds to `request`, at once if possible. */
  respond(request: HttpRequest, http11: boolean, head: boolean): void {
    assert(this.#request === undefined, "Responder.respond: the response before is not complete");
    this.#request = request;
    this.#callHandler(request, { http11, keepAlive: true, head, failureCount: 0 });
  }

  /** There may be room in the send queue again. */
  onRoom(): void {
    this.#sender?.onRoom();
  }

  /** The connection is gone: notifies the handler, and stops sending. */
  abort(reason: unknown): void {
    this.#request?.abort(reason);
    this.#sender?.abort(reason);
  }

  /** Abandons the request before anything of its response is written: the owner responds in another way. */
  giveUp(reason: unknown): void {
    this.abort(reason);
    this.#request = undefined;
    this.#sender = undefined;
  }

  /** Forgets the request. A handler that still runs may read it until it is done. */
  forget(): void {
    this.#request = undefined;
  }

  #callHandler(request: HttpRequest, context: PendingResponse): void {
    let result: Response | Promise<Response>;
    try {
      result = this.#server.handler(request, this.#info);
    } catch (error) {
      result = this.#errorResponse(error);
    }
    if (result instanceof HttpResponse) {
      this.#write(request, result, context);
    } else if (result instanceof Promise) {
      request.detach();
      // The result for a request that has been responded to or abandoned meanwhile is ignored.
      const response = result.catch((error) => {
        return this.#request === request ? this.#errorResponse(error) : new HttpResponse();
      });
      response.then((response) => this.#writeLater(request, response, context));
    } else this.#write(request, result, context);
  }

  /** The response of `onError` to an error; 500 when that fails too. */
  async #errorResponse(error: unknown): Promise<Response> {
    try {
      return await this.#server.onError(error);
    } catch {
      return new HttpResponse("Internal Server Error", { status: 500 });
    }
  }

  #writeLater(request: HttpRequest, response: Response, context: PendingResponse): void {
    this.#write(request, response, context);
    this.#owner.proceed();
  }

  #write(request: HttpRequest, response: Response, context: PendingResponse): void {
    // Meanwhile the connection has closed, or the server has sent an error response of its own.
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
    context: PendingResponse,
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
   * The handler's response cannot be sent, and nothing of it was. The response of `onError` is sent instead, then a bare 500. When
   * that cannot be sent either, the connection is abandoned.
   */
  #replaceResponse(request: HttpRequest, error: unknown, context: PendingResponse): void {
    request.detach();
    context.failureCount++;
    if (context.failureCount > FAILURES_REPLACED_MAX) {
      this.#owner.abandon(error);
      return;
    }
    const replacement = context.failureCount === FAILURES_REPLACED_MAX
      ? Promise.resolve(new HttpResponse("Internal Server Error", { status: 500 }))
      : this.#errorResponse(error);
    replacement.then((response) => this.#writeLater(request, response, context));
  }

  #finish(request: HttpRequest, mustClose: boolean): void {
    this.#request = undefined;
    request.release();
    this.#info.written();
    this.#owner.onResponded(mustClose);
  }
}

/** @throws {TypeError} when the result of a handler is no response, or one with a status that is not supported */
function checkResponse(response: unknown): void {
  if (!(response instanceof Response)) {
    const what = response === undefined || response === null
      ? String(response)
      : `a value of type ${typeof response}`;
    throw new TypeError(`respond to the request: the handler returned ${what}, expected a Response`);
  }
  if (response.status < 200) {
    throw new TypeError(
      `respond to the request: status ${response.status}: protocol upgrades are not offered`,
    );
  }
}
