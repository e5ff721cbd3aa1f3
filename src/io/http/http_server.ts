import { formatAddress } from "../../base/mod.ts";
import type { AcceptHandler, DriverListener, DriverSocket, Reactor } from "../reactor/mod.ts";
import type { Timer } from "../../base/timer/mod.ts";
import { HttpConnection } from "./connection.ts";
import { ServerTimer } from "./server_timer.ts";
import { HeadCopies } from "./head_copies.ts";
import { HttpResponse } from "./http_response.ts";
import { resolveLimits } from "./limits.ts";
import { headParser } from "./native_parser.ts";
import { OUT_WORDS } from "./request_head.ts";
import { ResponseWriter } from "./response_writer.ts";
import type { ServeOptions } from "./serve_options.ts";
import type {
  HttpServerStatistics,
  ServedConnection,
  ServeHandler,
  ServerContext,
} from "./server_context.ts";
import { StringCache } from "./string_cache.ts";

/** Time between two attempts to accept after the system refused, e.g. because of too many open files. */
const ACCEPT_RETRY_MS = 100;
/** Deadlines are checked this many times within the shortest of them, which bounds how late a check can be. */
const CHECKS_PER_DEADLINE = 4;
const CHECK_MS_MIN = 10;

/** Options of {@linkcode HttpServer.shutdown}. */
export interface HttpShutdownOptions {
  /**
   * How long in milliseconds idle connections stay open for one more request.
   *
   * @default {0}
   */
  idleGraceMs?: number;
}

/**
 * A running server; what {@linkcode serve} returns.
 *
 * Assignable to `Deno.HttpServer`.
 *
 * ```ts
 * import { HttpResponse, serve } from "@millrace/millrace/http";
 *
 * await using server = serve({ port: 0, hostname: "127.0.0.1" }, () => new HttpResponse("hello"));
 * const response = await fetch(`http://127.0.0.1:${server.addr.port}/`);
 * console.log(await response.text(), server.statistics.requestCount); // hello 1
 * ```
 */
export class HttpServer<A extends Deno.Addr = Deno.NetAddr> implements Deno.HttpServer<A> {
  /** Where it listens, with the port that the system chose. */
  readonly addr: A;
  /** Resolves when the server has stopped and every connection is closed. */
  readonly finished: Promise<void>;
  readonly #finished = Promise.withResolvers<void>();
  readonly #reactor: Reactor;
  readonly #listener: DriverListener;
  readonly #context: MutableContext;
  readonly #connections = new Set<ServedConnection>();
  readonly #statistics: HttpServerStatistics;
  readonly #checkMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.shutdown();
  /** What the reactor closes when it is closed itself. */
  readonly #dependent = { close: () => this.stopNow() };
  readonly #checkTimer: ServerTimer;
  readonly #retryTimer: ServerTimer;
  /** Keeps the process alive while the server stops: a caller may be waiting for that. */
  #stopTimer: Timer | undefined;
  #graceTimer: Timer | undefined;
  #accepting = false;
  #referenced = true;
  #stopping = false;

  /** @internal */
  constructor(
    reactor: Reactor,
    listener: DriverListener,
    handler: ServeHandler,
    options: ServeOptions<Deno.Addr>,
  ) {
    const limits = resolveLimits(options);
    this.#reactor = reactor;
    this.#listener = listener;
    const address = listener.localAddress;
    const unix = "path" in address;
    this.addr =
      (unix ? { transport: "unix", path: address.path } : { transport: "tcp", ...address }) as Deno.Addr as A;
    this.#statistics = {
      connectionCount: 0,
      acceptedCount: 0,
      requestCount: 0,
      rejectedCount: 0,
      timeoutCount: 0,
    };
    this.#context = {
      handler,
      onError: options.onError ?? reportAndRespond,
      limits,
      parse: headParser(),
      words: new Int32Array(OUT_WORDS),
      writer: new ResponseWriter(),
      strings: new StringCache(),
      heads: new HeadCopies(),
      buffers: reactor.driver.buffers,
      statistics: this.#statistics,
      authority: unix ? "localhost" : formatAddress(address),
      transport: unix ? "unix" : "tcp",
      draining: false,
      sparesIdle: false,
      nowMs: () => reactor.nowMs(),
      onClosed: (connection) => this.#onClosed(connection),
    };
    const { headerTimeoutMs, bodyTimeoutMs, idleTimeoutMs, writeTimeoutMs } = limits;
    const shortestMs = Math.min(headerTimeoutMs, bodyTimeoutMs, idleTimeoutMs, writeTimeoutMs);
    this.#checkMs = Math.max(CHECK_MS_MIN, Math.min(shortestMs, 60_000) / CHECKS_PER_DEADLINE);
    this.#checkTimer = new ServerTimer(reactor, () => this.#checkDeadlines());
    this.#retryTimer = new ServerTimer(reactor, () => this.#startAccepting());
    this.finished = this.#finished.promise;
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#startAccepting();
    reactor.adopt(this.#dependent);
    options.onListen?.(this.addr);
    if (this.#signal?.aborted) this.shutdown();
  }

  /** Counters of this server. */
  get statistics(): Readonly<HttpServerStatistics> {
    return this.#statistics;
  }

  /** Lets the server keep the process alive. It does by default. */
  ref(): void {
    this.#setReferenced(true);
  }

  /** Lets the process end although the server listens and connections are open. */
  unref(): void {
    this.#setReferenced(false);
  }

  #setReferenced(referenced: boolean): void {
    this.#referenced = referenced;
    this.#listener.setReferenced(referenced);
    for (const connection of this.#connections) connection.setReferenced(referenced);
    this.#checkTimer.setReferenced(referenced);
    this.#retryTimer.setReferenced(referenced);
  }

  /**
   * Stops gracefully: accepts no more connections, closes idle ones, responds to the requests in flight with
   * `connection: close`, and after `shutdownTimeoutMs` closes the rest. Resolves when every connection is closed.
   *
   * With `idleGraceMs`, idle connections stay open that long for one more request, whose response also has `connection: close`.
   * Without it, a client that sends a request at the moment its connection closes has to send it again.
   *
   * @throws {RangeError} when `idleGraceMs` is not a number from 0
   */
  shutdown(options: HttpShutdownOptions = {}): Promise<void> {
    const { idleGraceMs = 0 } = options;
    if (!(idleGraceMs >= 0 && idleGraceMs < Infinity)) {
      throw new RangeError(`shutdown: idleGraceMs is ${idleGraceMs}, expected a number from 0`);
    }
    if (this.#stopping) return this.finished;
    this.#stopping = true;
    this.#context.draining = true;
    this.#context.sparesIdle = idleGraceMs > 0;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#retryTimer.cancel();
    this.#listener.close();
    for (const connection of [...this.#connections]) connection.drain();
    if (this.#connections.size === 0) this.#finish();
    else {
      const { shutdownTimeoutMs } = this.#context.limits;
      if (shutdownTimeoutMs !== Infinity) {
        this.#stopTimer = this.#reactor.timers.schedule(shutdownTimeoutMs, () => this.stopNow());
      }
      if (idleGraceMs > 0) {
        this.#graceTimer = this.#reactor.timers.schedule(idleGraceMs, () => this.#endGrace());
      }
    }
    return this.finished;
  }

  #endGrace(): void {
    this.#context.sparesIdle = false;
    for (const connection of [...this.#connections]) connection.drain();
  }

  /** Closes everything at once; requests in flight are cut off. */
  stopNow(): void {
    this.shutdown();
    const reason = new Deno.errors.Interrupted("serve: the server was stopped");
    for (const connection of [...this.#connections]) connection.abort(reason);
  }

  /** Shuts the server down, as {@linkcode HttpServer.shutdown} does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  #startAccepting(): void {
    if (this.#accepting || this.#stopping) return;
    this.#accepting = true;
    this.#listener.startAccepting(this.#acceptHandler);
  }

  readonly #acceptHandler: AcceptHandler = {
    onAccept: (socket: DriverSocket) => this.#onAccept(socket),
    onAcceptError: () => {
      this.#accepting = false;
      if (this.#stopping) return;
      this.#retryTimer.schedule(ACCEPT_RETRY_MS);
    },
  };

  #onAccept(socket: DriverSocket): void {
    if (this.#stopping) {
      socket.close();
      return;
    }
    if (!this.#referenced) socket.setReferenced(false);
    const statistics = this.#statistics;
    statistics.acceptedCount++;
    this.#connections.add(new HttpConnection(this.#context, socket));
    statistics.connectionCount = this.#connections.size;
    if (!this.#checkTimer.pending) this.#checkTimer.schedule(this.#checkMs);
    if (this.#connections.size >= this.#context.limits.connectionsMax && this.#accepting) {
      this.#accepting = false;
      this.#listener.stopAccepting();
    }
  }

  #onClosed(connection: ServedConnection): void {
    this.#connections.delete(connection);
    const { size } = this.#connections;
    this.#statistics.connectionCount = size;
    if (this.#stopping) {
      if (size === 0) this.#finish();
    } else if (!this.#accepting && size < this.#context.limits.connectionsMax) this.#startAccepting();
  }

  #checkDeadlines(): void {
    const nowMs = this.#context.nowMs();
    for (const connection of [...this.#connections]) connection.checkDeadlines(nowMs);
    if (this.#connections.size > 0) this.#checkTimer.schedule(this.#checkMs);
  }

  #finish(): void {
    this.#checkTimer.cancel();
    this.#stopTimer?.cancel();
    this.#graceTimer?.cancel();
    this.#reactor.release(this.#dependent);
    this.#finished.resolve();
  }
}

type MutableContext = { -readonly [K in keyof ServerContext]: ServerContext[K] };

/** The default of `onError`: the operator sees the error, the client does not. */
function reportAndRespond(error: unknown): Response {
  // deno-lint-ignore no-console -- the default, as with Deno.serve, for the operator's eyes
  console.error(error);
  return new HttpResponse("Internal Server Error", { status: 500 });
}
