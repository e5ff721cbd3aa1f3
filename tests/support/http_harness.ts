import { assertEquals, assertStrictEquals } from "@std/assert";
import { SeededRandom } from "../../src/base/mod.ts";
import {
  HttpResponse,
  type HttpServer,
  serve,
  type ServeHandler,
  type ServeOptions,
} from "../../src/io/http/mod.ts";
import { connect } from "../../src/io/net/mod.ts";
import { Reactor, SimulatedDriver } from "../../src/io/reactor/mod.ts";
import { sleep } from "../../src/base/timer/mod.ts";
import { testSeeds, withSeed } from "./driver_seed.ts";
import { uringSkipReason } from "./driver_uring.ts";
import { RawClient } from "./http_client.ts";
import { withWatchdog } from "./watchdog.ts";

/** Real milliseconds one test may take. */
const WATCHDOG_MS = 60_000;
const LOOPBACK = "127.0.0.1";

/** What a server under test runs on. */
export type HttpDriverName = "uring" | "deno" | "simulated";

// Asked here, outside of any test's sanitizers, because it opens the native library.
const URING_SKIP_REASON = uringSkipReason();

/**
 * Every driver: `simulated` splits and delays what goes over its network by chance, and spoils what must not be kept. It is the same without the
 * native library, where only the parser of heads is another; that both parse alike, however the bytes come, is what their fuzzer shows.
 */
export const EVERY_DRIVER: readonly HttpDriverName[] = Deno.env.get("MILLRACE_TEST_MODE") === "no-native"
  ? ["uring", "deno"]
  : ["uring", "deno", "simulated"];
/** Those of the operating system, for tests with clients that are not ours. */
export const REAL_DRIVERS: readonly HttpDriverName[] = ["uring", "deno"];

/** Options of {@linkcode httpTest}. */
export interface HttpTestOptions {
  /** @default {EVERY_DRIVER} */
  drivers?: readonly HttpDriverName[];
  /** Runs on the simulated driver, each with another seed. @default {3} */
  simulatedRunCount?: number;
  /** Buffers of the driver's pool, at most. */
  bufferCountMax?: number;
}

/** What a test of the HTTP server works with: a reactor of its own, servers, raw clients, and chance that replays. */
export class Http {
  readonly reactor: Reactor;
  readonly seed: number;
  readonly random: SeededRandom;
  /** What handlers threw and the test did not expect; looked at in the end. */
  readonly unexpectedErrors: unknown[] = [];
  readonly #servers: HttpServer[] = [];
  readonly #clients: RawClient[] = [];
  #fetchClient: Deno.HttpClient | undefined;

  constructor(driver: HttpDriverName, seed: number, { bufferCountMax }: HttpTestOptions) {
    this.seed = seed;
    this.random = new SeededRandom(seed);
    this.reactor = driver === "simulated"
      ? new Reactor(new SimulatedDriver({ seed, bufferCountMax }))
      : Reactor.open({ driver, bufferCountMax });
  }

  /** Whether time is virtual. */
  get simulated(): boolean {
    return this.reactor.driver.name === "simulated";
  }

  /** Serves on a free port. Without `onError`, an error of a handler fails the test. */
  serve(handler: ServeHandler<Deno.NetAddr>, options: ServeOptions = {}): HttpServer {
    const onError = (error: unknown) => {
      this.unexpectedErrors.push(error);
      return new HttpResponse("unexpected", { status: 500 });
    };
    const server = serve(
      { port: 0, hostname: LOOPBACK, reactor: this.reactor, onError, ...options },
      handler,
    );
    this.#servers.push(server);
    return server;
  }

  /** A new connection to a server. */
  async connect(server: HttpServer): Promise<RawClient> {
    const { port } = server.addr;
    const client = new RawClient(
      this.simulated
        ? await connect({ hostname: LOOPBACK, port, reactor: this.reactor })
        : await Deno.connect({ hostname: LOOPBACK, port }),
    );
    this.#clients.push(client);
    return client;
  }

  /** Fetches from a server with Deno's own client, whose connections go away with the test. */
  fetch(server: HttpServer, path: string, init: RequestInit = {}): Promise<Response> {
    const client = this.#fetchClient ??= Deno.createHttpClient({});
    return fetch(`http://127.0.0.1:${server.addr.port}${path}`, { ...init, client });
  }

  /** Lets `delayMs` pass, of the driver's time. */
  sleep(delayMs: number): Promise<void> {
    return sleep(delayMs, { timers: this.reactor.timers });
  }

  /** Resolves when `condition` holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.sleep(1);
  }

  /** The value once it has not changed for a while. */
  async settled(value: () => number): Promise<number> {
    for (let before = NaN;;) {
      const now = value();
      if (now === before) return now;
      before = now;
      await this.sleep(100);
    }
  }

  /** Closes every client and waits until the servers have noticed. */
  async disconnect(): Promise<void> {
    this.#closeClients();
    await this.until(() => this.#servers.every(({ statistics }) => statistics.connectionCount === 0));
  }

  /** Ends a test that went well: no connection and no buffer is left. */
  async finish(): Promise<void> {
    await this.disconnect();
    await Promise.all(this.#servers.map((server) => server.shutdown()));
    const { buffers } = this.reactor.driver;
    await this.until(() => buffers.heldCount === 0);
    assertStrictEquals(buffers.waitingCount, 0, "somebody waits for a buffer although everything is closed");
    assertEquals(this.unexpectedErrors, []);
  }

  /** Lets go of what the test used, however it ended. */
  async close(): Promise<void> {
    this.#closeClients();
    for (const server of this.#servers) server.stopNow();
    this.reactor.close();
    // What the host's event loop has still to say about closed sockets.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #closeClients(): void {
    for (const client of this.#clients) client.close();
    this.#fetchClient?.close();
    this.#fetchClient = undefined;
  }
}

/** Registers a test of the server for each driver; a failure names the seed. */
export function httpTest(
  name: string,
  body: (http: Http) => Promise<void> | void,
  options: HttpTestOptions = {},
): void {
  for (const driver of options.drivers ?? EVERY_DRIVER) {
    const skipReason = driver === "uring" ? URING_SKIP_REASON : undefined;
    const suffix = skipReason === undefined ? driver : `${driver}, skipped: ${skipReason}`;
    Deno.test({
      name: `${name} (${suffix})`,
      ignore: skipReason !== undefined,
      async fn() {
        const runCount = driver === "simulated" ? options.simulatedRunCount ?? 3 : 1;
        for (const seed of testSeeds(runCount)) {
          await withSeed(seed, () => runOnce(new Http(driver, seed, options), body));
        }
      },
    });
  }
}

async function runOnce(http: Http, body: (http: Http) => Promise<void> | void): Promise<void> {
  try {
    await withWatchdog(WATCHDOG_MS, async () => {
      await body(http);
      await http.finish();
    });
  } finally {
    await http.close();
  }
}
