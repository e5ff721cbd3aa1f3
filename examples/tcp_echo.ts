#!/usr/bin/env -S deno run --allow-net --allow-read --allow-env=MILLRACE_NATIVE --allow-ffi
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * A TCP server that sends every byte back.
 *
 * Usage: examples/tcp_echo.ts [--addr 127.0.0.1:7007] [--driver auto|uring|deno]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { formatAddress, listen, parseAddress, type TcpConn } from "@millrace/millrace/net";
import { type DriverChoice, Reactor, SIGNAL_ECHO_MS, waitForSignal } from "@millrace/millrace/reactor";

const USAGE = "usage: tcp_echo [--addr 127.0.0.1:7007] [--driver auto|uring|deno]";
const USAGE_EXIT_CODE = 2;
const STOPPED_EXIT_CODE = 130;
const BUFFER_BYTES = 2048;

function fail(error: unknown, exitCode: number): never {
  console.error(`tcp_echo: ${error instanceof Error ? error.message : error}`);
  Deno.exit(exitCode);
}

function readOptions(args: string[]): { hostname: string; port: number; driver: DriverChoice } {
  const { values } = parseArgs({
    args,
    options: {
      addr: { type: "string", default: "127.0.0.1:7007" },
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

/** Sends back what it receives, until the client has ended its direction. */
async function echo(conn: TcpConn): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  try {
    for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
      await conn.write(buffer.subarray(0, count));
    }
  } catch (error) {
    const gone = error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
      error instanceof Deno.errors.BadResource;
    if (!gone) console.error(`tcp_echo: ${error}`);
  } finally {
    conn.close();
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
  const listener = listen({ hostname, port, reactor });
  if (reactor.fallbackReason !== undefined) {
    console.error(`tcp_echo: without io_uring: ${reactor.fallbackReason}`);
  }
  // First, because a reader of the next line may stop this program at once.
  const asked = waitForSignal(["SIGINT", "SIGTERM"]);
  console.log(`listening on ${formatAddress(listener.addr)} (driver: ${reactor.driver.name})`);
  asked.then(() => {
    // One Ctrl-C may arrive twice; a real second one has nothing to wait for.
    waitForSignal(["SIGINT", "SIGTERM"], { ignoreForMs: SIGNAL_ECHO_MS }).then(() =>
      Deno.exit(STOPPED_EXIT_CODE)
    );
    listener.close();
  });
  for await (const conn of listener) echo(conn);
  reactor.close();
  Deno.exit(0);
} catch (error) {
  fail(error, 1);
}
