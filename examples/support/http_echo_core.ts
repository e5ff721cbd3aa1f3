/**
 * The handler of examples/http_echo.ts, and the service of each core with `--cores`.
 *
 * @module
 */
import { currentCore, Sharded } from "@millrace/millrace/cores";
import {
  HttpResponse,
  type HttpServer,
  serve,
  type ServeHandler,
  type ServerRequest,
} from "@millrace/millrace/http";
import type { Reactor } from "@millrace/millrace/reactor";

/** Counts the requests of one core. */
export class RequestCounter {
  /** Requests so far. */
  requestCount = 0;

  /** The same, as a method that other cores can call. */
  read(): number {
    return this.requestCount;
  }
}

/** A counter on each core. */
export const counters: Sharded<RequestCounter> = new Sharded(() => new RequestCounter());

/** Handles requests, counts them in `counter`, and returns at `GET /stats` the counts of all cores, as `readAll` reads them. */
export function answerWith(counter: RequestCounter, readAll: () => Promise<number[]>): ServeHandler {
  return (request) => {
    counter.requestCount++;
    switch (request.pathname) {
      case "/":
        return isRead(request) ? new HttpResponse("Hello world!") : refuse("GET, HEAD");
      case "/echo":
        return request.method === "POST" ? echo(request) : refuse("POST");
      case "/stats":
        return isRead(request) ? readAll().then(stats) : refuse("GET, HEAD");
      default:
        return new HttpResponse("Not Found", { status: 404 });
    }
  };
}

/** The address on which a core listens. */
export interface Listening {
  readonly hostname: string;
  readonly port: number;
  /** Why it does not use io_uring, if it does not. */
  readonly fallbackReason: string | undefined;
}

/** Serves on this core, until the group stops; every core listens on the same port. */
export function listenHere(hostname: string, port: number): Listening {
  const core = currentCore();
  const handler = answerWith(counters.local(), () => counters.invokeOnAll("read"));
  const server = serve({ hostname, port, reusePort: true, signal: core.signal }, handler);
  // So that the group waits for the responses in progress.
  core.spawn(() => server.finished);
  const { fallbackReason } = core.reactor;
  return { hostname: server.addr.hostname, port: server.addr.port, fallbackReason };
}

/** Serves with one counter and no cores. */
export function listenAlone(hostname: string, port: number, reactor: Reactor): HttpServer {
  const counter = new RequestCounter();
  return serve({ hostname, port, reactor }, answerWith(counter, () => Promise.resolve([counter.read()])));
}

function isRead({ method }: ServerRequest): boolean {
  return method === "GET" || method === "HEAD";
}

function echo(request: ServerRequest): HttpResponse {
  return new HttpResponse(request.body, {
    headers: { "content-type": request.header("content-type") ?? "application/octet-stream" },
  });
}

function stats(requestCounts: number[]): HttpResponse {
  const totalCount = requestCounts.reduce((sum, count) => sum + count, 0);
  return new HttpResponse(`${JSON.stringify({ totalCount, requestCounts })}\n`, {
    headers: { "content-type": "application/json" },
  });
}

function refuse(allowed: string): HttpResponse {
  return new HttpResponse(null, { status: 405, headers: { allow: allowed } });
}
