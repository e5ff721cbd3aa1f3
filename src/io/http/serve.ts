import { defaultReactor, openListener } from "../reactor/mod.ts";
import { HttpServer } from "./http_server.ts";
import type { ServeOptions, ServeUnixOptions } from "./serve_options.ts";
import type { ServeHandler } from "./server_context.ts";

const PORT = 8000;
const HOSTNAME = "0.0.0.0";
const BACKLOG = 1024;

/**
 * Serves HTTP/1.1: calls `handler` for every request and sends the response it returns.
 *
 * It is compatible with `Deno.serve`, so frameworks run on it unchanged. Limits and deadlines are in {@linkcode HttpLimits}.
 * The server itself responds to requests that break the rules, with 400, 408, 413, 414, 417, 431, 501 or 505: without a
 * handler, or in its place when the body turns out to be wrong. An {@linkcode HttpResponse} is several times cheaper than
 * a `Response`.
 *
 * ```ts
 * import { HttpResponse, serve } from "@millrace/millrace/http";
 *
 * const server = serve({ port: 0, hostname: "127.0.0.1" }, (request) => {
 *   return request.pathname === "/" ? new HttpResponse("Hello world!") : new HttpResponse(null, { status: 404 });
 * });
 * const response = await fetch(`http://127.0.0.1:${server.addr.port}/`);
 * console.log(await response.text());
 * await server.shutdown();
 * ```
 *
 * @throws {Deno.errors.AddrInUse} when the port is taken
 * @throws {RangeError} when a limit is out of range
 */
export function serve(handler: ServeHandler<Deno.NetAddr>): HttpServer<Deno.NetAddr>;
/** Serves HTTP/1.1 over TCP with options. */
export function serve(options: ServeOptions, handler: ServeHandler<Deno.NetAddr>): HttpServer<Deno.NetAddr>;
/**
 * Serves HTTP/1.1 over a Unix socket.
 *
 * @throws {Deno.errors.AddrInUse} when the path exists
 */
export function serve(
  options: ServeUnixOptions,
  handler: ServeHandler<Deno.UnixAddr>,
): HttpServer<Deno.UnixAddr>;
/** Serves HTTP/1.1 over TCP, with the handler among the options. */
export function serve(
  options: ServeOptions & { handler: ServeHandler<Deno.NetAddr> },
): HttpServer<Deno.NetAddr>;
export function serve(
  first: ServeHandler<Deno.NetAddr> | ServeOptions | ServeUnixOptions,
  second?: ServeHandler<Deno.NetAddr> | ServeHandler<Deno.UnixAddr>,
): HttpServer<Deno.NetAddr> | HttpServer<Deno.UnixAddr> {
  const options: ServeOptions | ServeUnixOptions = typeof first === "function" ? {} : first;
  const handler = typeof first === "function"
    ? first
    : second ?? ("handler" in first ? first.handler : undefined);
  if (typeof handler !== "function") throw new TypeError("serve: no handler given, expected a function");
  const reactor = options.reactor ?? defaultReactor();
  const backlog = options.backlog ?? BACKLOG;
  const path = "path" in options ? options.path : undefined;
  const { reusePort = false, hostname = HOSTNAME, port = PORT, inherit } = options as ServeOptions;
  const address = path === undefined ? { hostname, port } : { path };
  const listener = openListener(reactor.driver, inherit, address, { backlog, reusePort, noDelay: true });
  try {
    return new HttpServer(reactor, listener, handler as ServeHandler, options as ServeOptions<Deno.Addr>) as
      | HttpServer<Deno.NetAddr>
      | HttpServer<Deno.UnixAddr>;
  } catch (error) {
    listener.close();
    throw error;
  }
}
