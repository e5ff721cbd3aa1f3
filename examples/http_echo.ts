#!/usr/bin/env -S deno run --unstable-net --allow-net --allow-read --allow-env=MILLRACE_NATIVE --allow-ffi
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * An HTTP server: `GET /` returns `Hello world!`, `POST /echo` streams the body back, and `GET /stats` counts the requests,
 * in total and of each core.
 *
 * Usage: examples/http_echo.ts [--addr 127.0.0.1:8080] [--driver auto|uring|deno] [--cores N]
 *
 * With `--cores` it serves on N cores, which share the port; without, on this thread. Ctrl-C or SIGTERM stops it gracefully; a
 * second one at once.
 *
 * @module
 */
import { CORES_MAX, startCores } from "@millrace/millrace/cores";
import { HTTP_LIMITS } from "@millrace/millrace/http";
import { formatAddress, parseAddress } from "@millrace/millrace/net";
import { type DriverChoice, Reactor, SIGNAL_ECHO_MS, waitForSignal } from "@millrace/millrace/reactor";
import { listenAlone, listenHere } from "./support/http_echo_core.ts";
import { Program } from "./support/program.ts";
import { wholeNumber } from "./support/whole_number.ts";

const program = new Program("http_echo", "[--addr 127.0.0.1:8080] [--driver auto|uring|deno] [--cores N]");
const STOPPED_EXIT_CODE = 130;
/** Milliseconds that the cores get in addition to the time that their servers take to stop. */
const CORES_MARGIN_MS = 1000;

interface Options {
  readonly hostname: string;
  readonly port: number;
  readonly driver: DriverChoice;
  /** 0: this thread serves, without cores. */
  readonly coreCount: number;
}

/** The servers, on whichever threads. */
interface Serving {
  readonly addr: Deno.NetAddr;
  readonly description: string;
  readonly fallbackReason: string | undefined;
  /** Rejects when it cannot go on. */
  readonly failed: Promise<never>;
  stop(): Promise<unknown>;
}

function startAlone({ hostname, port, driver }: Options): Serving {
  const reactor = Reactor.open({ driver });
  const server = listenAlone(hostname, port, reactor);
  return {
    addr: server.addr,
    description: `driver: ${reactor.driver.name}`,
    fallbackReason: reactor.fallbackReason,
    failed: new Promise(() => {}),
    async stop() {
      await server.shutdown();
      reactor.close();
    },
  };
}

async function startOnCores({ hostname, port, driver, coreCount }: Options): Promise<Serving> {
  const group = await startCores({
    module: new URL("./support/http_echo_core.ts", import.meta.url),
    count: coreCount,
    driver,
    shutdownTimeoutMs: HTTP_LIMITS.shutdownTimeoutMs + CORES_MARGIN_MS,
  });
  // The first takes a free port if none is given, and the others take the same.
  const first = await group.submitTo(0, listenHere, hostname, port);
  for (let core = 1; core < coreCount; core++) await group.submitTo(core, listenHere, hostname, first.port);
  return {
    addr: { transport: "tcp", hostname: first.hostname, port: first.port },
    description: `driver: ${group.drivers[0]}, cores: ${coreCount}`,
    fallbackReason: first.fallbackReason,
    failed: group.finished.then(() => new Promise<never>(() => {})),
    stop: () => group.shutdown(),
  };
}

const options = program.options(
  {
    addr: { type: "string", default: "127.0.0.1:8080" },
    driver: { type: "string", default: "auto" },
    cores: { type: "string" },
  },
  ({ addr, driver, cores }): Options => {
    if (driver !== "auto" && driver !== "uring" && driver !== "deno") {
      throw new TypeError(`--driver is "${driver}", expected auto, uring or deno`);
    }
    const coreCount = cores === undefined ? 0 : wholeNumber("--cores", cores, 1, CORES_MAX);
    return { ...parseAddress(addr), driver, coreCount };
  },
);

try {
  const serving = options.coreCount === 0 ? startAlone(options) : await startOnCores(options);
  if (serving.fallbackReason !== undefined) {
    console.error(`http_echo: without io_uring: ${serving.fallbackReason}`);
  }
  // First, because a reader of the next line may stop this program at once.
  const asked = waitForSignal(["SIGINT", "SIGTERM"]);
  console.log(`listening on http://${formatAddress(serving.addr)}/ (${serving.description})`);

  await Promise.race([asked, serving.failed]);
  waitForSignal(["SIGINT", "SIGTERM"], { ignoreForMs: SIGNAL_ECHO_MS }).then(() =>
    Deno.exit(STOPPED_EXIT_CODE)
  );
  console.log("stopping after the requests in flight; again to stop at once");
  await serving.stop();
  Deno.exit(0);
} catch (error) {
  program.fail(error);
}
