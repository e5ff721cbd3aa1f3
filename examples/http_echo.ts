#!/usr/bin/env -S deno run --allow-net --allow-read --allow-env=MILLRACE_NATIVE --allow-ffi
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * An HTTP server: `GET /` answers `Hello world!`, `POST /echo` streams the body back.
 *
 * Usage: examples/http_echo.ts [--addr 127.0.0.1:8080] [--driver auto|uring|deno]
 *
 * Ctrl-C or SIGTERM stops it gracefully; a second one at once.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { HttpResponse, serve, type ServerRequest } from "@millrace/millrace/http";
import { formatAddress, parseAddress } from "@millrace/millrace/net";
import { type DriverChoice, Reactor, SIGNAL_ECHO_MS, waitForSignal } from "@millrace/millrace/reactor";

const USAGE = "usage: http_echo [--addr 127.0.0.1:8080] [--driver auto|uring|deno]";
const USAGE_EXIT_CODE = 2;
const STOPPED_EXIT_CODE = 130;

function fail(error: unknown, exitCode: number): never {
  console.error(`http_echo: ${error instanceof Error ? error.message : error}`);
  Deno.exit(exitCode);
}

function readOptions(args: string[]): { hostname: string; port: number; driver: DriverChoice } {
  const { values } = parseArgs({
    args,
    options: {
      addr: { type: "string", default: "127.0.0.1:8080" },
      driver: { type: "string", default: "auto" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    Deno.exit(0);
  }
  const { driver } = values;
  if (driver !== "auto" && driver !== "uring" && driver !== "deno") {
    throw new TypeError(`--driver is "${driver}", expected auto, uring or deno`);
  }
  return { ...parseAddress(values.addr), driver };
}

function answer(request: ServerRequest): Response {
  switch (request.pathname) {
    case "/":
      if (request.method === "GET" || request.method === "HEAD") return new HttpResponse("Hello world!");
      return new HttpResponse(null, { status: 405, headers: { allow: "GET, HEAD" } });
    case "/echo":
      if (request.method !== "POST") {
        return new HttpResponse(null, { status: 405, headers: { allow: "POST" } });
      }
      return new HttpResponse(request.body, {
        headers: { "content-type": request.header("content-type") ?? "application/octet-stream" },
      });
    default:
      return new HttpResponse("Not Found", { status: 404 });
  }
}

let options;
try {
  options = readOptions(Deno.args);
} catch (error) {
  fail(`${error instanceof Error ? error.message : error}; ${USAGE}`, USAGE_EXIT_CODE);
}

try {
  const { driver, hostname, port } = options;
  const reactor = Reactor.open({ driver });
  const server = serve({ hostname, port, reactor }, answer);
  if (reactor.fallbackReason !== undefined) {
    console.error(`http_echo: without io_uring: ${reactor.fallbackReason}`);
  }
  // First, because whoever reads the next line may stop this program at once.
  const asked = waitForSignal(["SIGINT", "SIGTERM"]);
  console.log(`listening on http://${formatAddress(server.addr)}/ (driver: ${reactor.driver.name})`);

  await asked;
  waitForSignal(["SIGINT", "SIGTERM"], { ignoreForMs: SIGNAL_ECHO_MS }).then(() =>
    Deno.exit(STOPPED_EXIT_CODE)
  );
  console.log("stopping: answering what is in flight; again to stop at once");
  await server.shutdown();
  reactor.close();
  Deno.exit(0);
} catch (error) {
  fail(error, 1);
}
