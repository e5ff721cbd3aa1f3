#!/usr/bin/env -S deno run --unstable-net --allow-net --allow-read --allow-env=MILLRACE_NATIVE,MILLRACE_GATEWAY_TOKEN --allow-ffi
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * An HTTP server without handlers of its own: each request goes into a queue, and the client gets the reply of a process of
 * examples/gateway_worker.ts. Start as many of those as there are processors; kill one, and another takes over its request.
 *
 * Usage: MILLRACE_GATEWAY_TOKEN=secret examples/http_gateway.ts [--addr 127.0.0.1:8080] [--queue requests] [--deadline-ms 5000]
 *
 * Clients send `Authorization: Bearer secret`, or get a 401. 503 with `Retry-After`: the queue is full. 504: no reply within the
 * deadline. 502: the worker failed. 413: too large for the queue. Ctrl-C or SIGTERM stops it gracefully.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { HttpResponse, serve, type ServeHandler, type ServerRequest } from "@millrace/millrace/http";
import { formatAddress, parseAddress } from "@millrace/millrace/net";
import { type SharedQueue, SharedQueueFullError, SharedQueueReplyError } from "@millrace/millrace/queue";
import { SIGNAL_ECHO_MS, waitForSignal } from "@millrace/millrace/reactor";
import {
  BODY_BYTES_MAX,
  type GatewayReply,
  pack,
  REQUESTS_SHAPE,
  unpack,
} from "./support/gateway_messages.ts";
import { openQueue } from "./support/open_queue.ts";
import { Program } from "./support/program.ts";
import { wholeNumber } from "./support/whole_number.ts";

const program = new Program(
  "http_gateway",
  "[--addr 127.0.0.1:8080] [--queue requests] [--deadline-ms 5000]",
);
const STOPPED_EXIT_CODE = 130;
const TOKEN_VARIABLE = "MILLRACE_GATEWAY_TOKEN";
const DEADLINE_MS_MAX = 600_000;
/** Seconds after which a client may retry when the queue is full. */
const RETRY_AFTER_SECONDS = 1;

interface Options {
  readonly hostname: string;
  readonly port: number;
  readonly queue: string;
  readonly deadlineMs: number;
  readonly token: string;
}

/** Whether a request has the token, in constant time: the time must not show how much of it is right. */
function tokenCheck(token: string): (request: ServerRequest) => boolean {
  const digest = (text: string): Uint8Array => createHash("sha256").update(text).digest();
  const expected = digest(token);
  return (request) => {
    const given = /^bearer +(.+)$/i.exec(request.header("authorization") ?? "")?.[1];
    return timingSafeEqual(digest(given ?? ""), expected);
  };
}

function gateway(queue: SharedQueue, { token, deadlineMs }: Options): ServeHandler {
  const isAllowed = tokenCheck(token);
  return async (request) => {
    if (!isAllowed(request)) return refuse(401, "a bearer token is needed", { "www-authenticate": "Bearer" });
    const { method, target, signal } = request;
    // The workers do not need the token.
    const headers = [...request.headers].filter(([name]) => name !== "authorization");
    try {
      const message = pack({ method, target, headers }, await request.bytes());
      const reply = await queue.request(message, { whenFull: "fail", timeoutMs: deadlineMs, signal });
      return responseOf(reply);
    } catch (error) {
      // The client cannot read this response.
      if (signal.aborted) return refuse(503, "the client has gone");
      return answerFailure(error);
    }
  };
}

/** The reply of a worker. Any process that has the queue open could have sent it. */
function responseOf(reply: Uint8Array<ArrayBuffer>): HttpResponse {
  try {
    const { head: { status, headers }, body } = unpack<GatewayReply>(reply);
    // Refuses names and values that no header can have.
    return new HttpResponse(body, { status, headers: [...new Headers(headers.map(([...field]) => field))] });
  } catch (error) {
    return workerFailed(error);
  }
}

function workerFailed(error: unknown): HttpResponse {
  console.error(`http_gateway: ${error instanceof Error ? error.message : error}`);
  return refuse(502, "the worker failed");
}

function answerFailure(error: unknown): HttpResponse {
  if (error instanceof SharedQueueFullError) {
    return refuse(503, "too much to do", { "retry-after": String(RETRY_AFTER_SECONDS) });
  }
  if (error instanceof DOMException && error.name === "TimeoutError") return refuse(504, "no reply in time");
  if (error instanceof RangeError) return refuse(413, "the request is too large");
  if (error instanceof SharedQueueReplyError) return workerFailed(error);
  throw error;
}

function refuse(status: number, reason: string, headers: Record<string, string> = {}): HttpResponse {
  return new HttpResponse(`${reason}\n`, { status, headers });
}

const options = program.options(
  {
    addr: { type: "string", default: "127.0.0.1:8080" },
    queue: { type: "string", default: "requests" },
    "deadline-ms": { type: "string", default: "5000" },
  },
  ({ addr, queue, "deadline-ms": deadlineMs }): Options => {
    const address = parseAddress(addr);
    const options = { queue, deadlineMs: wholeNumber("--deadline-ms", deadlineMs, 1, DEADLINE_MS_MAX) };
    // Not an option: every user of the machine can read the command line of a process.
    const token = Deno.env.get(TOKEN_VARIABLE) ?? "";
    if (token === "") throw new TypeError(`${TOKEN_VARIABLE} is not set, expected the token of the clients`);
    // No client can send the line break that ends a token from a file.
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new TypeError(
        `${TOKEN_VARIABLE} has blanks, line breaks or other characters that no header can have`,
      );
    }
    return { ...address, ...options, token };
  },
);

try {
  using queue = openQueue(options.queue, REQUESTS_SHAPE);
  const { hostname, port } = options;
  const server = serve({ hostname, port, bodyBytesMax: BODY_BYTES_MAX }, gateway(queue, options));
  const asked = waitForSignal(["SIGINT", "SIGTERM"]);
  console.log(`listening on http://${formatAddress(server.addr)}/ (queue: ${queue.name})`);
  await asked;
  waitForSignal(["SIGINT", "SIGTERM"], { ignoreForMs: SIGNAL_ECHO_MS }).then(() =>
    Deno.exit(STOPPED_EXIT_CODE)
  );
  console.log("stopping after the requests in flight; again to stop at once");
  await server.shutdown();
} catch (error) {
  program.fail(error);
}
Deno.exit(0);
