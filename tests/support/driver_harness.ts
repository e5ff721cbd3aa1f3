import { assert, assertEquals, AssertionError } from "@std/assert";
import { SeededRandom } from "../../src/base/mod.ts";
import {
  type AcceptHandler,
  type Address,
  type Driver,
  type DriverListener,
  type DriverSocket,
  type ListenSocketOptions,
  Reactor,
} from "../../src/io/reactor/mod.ts";
import { sleep } from "../../src/base/timer/mod.ts";
import { Peer } from "./driver_peer.ts";
import { testSeeds, withSeed } from "./driver_seed.ts";
import { withWatchdog } from "./watchdog.ts";

/** Real milliseconds one run of one test may take. */
const WATCHDOG_MS = 60_000;

/** A driver as a test found it open, and a place for its files and sockets. */
export interface OpenedDriver {
  readonly driver: Driver;
  /** Path of an empty directory. */
  readonly directory: string;
  /** Makes a directory where the driver sees it. */
  makeDirectory(path: string): void;
  /** Removes what was made. */
  cleanUp(): void;
}

/** What a driver has to be given to be tested. */
export interface DriverUnderTest {
  /** Begins the names of its tests, e.g. `"UringDriver (full)"`. */
  readonly title: string;
  /** Why it cannot run here. */
  readonly skipReason?: string | undefined;
  /** How often each test runs, each time with another seed. */
  readonly runCount: number;
  /** Opens a new driver. */
  open(seed: number): OpenedDriver;
}

/** What a conformance test works with: an open driver on a running reactor. */
export class Harness {
  readonly driver: Driver;
  readonly reactor: Reactor;
  readonly directory: string;
  readonly seed: number;
  /** Chance that replays. */
  readonly random: SeededRandom;
  readonly #opened: OpenedDriver;
  readonly peers: Peer[] = [];

  constructor(target: DriverUnderTest, seed: number) {
    this.seed = seed;
    this.random = new SeededRandom(seed);
    this.#opened = target.open(seed);
    this.driver = this.#opened.driver;
    this.directory = this.#opened.directory;
    this.reactor = new Reactor(this.driver);
  }

  /** Lets `delayMs` pass, on the driver's clock. */
  sleep(delayMs: number): Promise<void> {
    return sleep(delayMs, { timers: this.reactor.timers });
  }

  /** Resolves when `condition` holds, and looks every millisecond. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.sleep(1);
  }

  makeDirectory(path: string): void {
    this.#opened.makeDirectory(path);
  }

  /** A listening socket, on a free port of the IPv4 loopback interface unless told otherwise. */
  listen(
    address: Address = { hostname: "127.0.0.1", port: 0 },
    options: Partial<ListenSocketOptions> = {},
  ): DriverListener {
    return this.driver.listen(address, { backlog: 128, reusePort: false, noDelay: true, ...options });
  }

  async connect(address: Address, signal?: AbortSignal): Promise<Peer> {
    return this.peer(await this.driver.connect(address, { noDelay: true, signal }));
  }

  peer(socket: DriverSocket): Peer {
    const peer = new Peer(socket, this.driver.buffers);
    this.peers.push(peer);
    return peer;
  }

  /** A connection: the side that connected, and the side that accepted. */
  async pair(address?: Address): Promise<[Peer, Peer]> {
    const listener = this.listen(address);
    const accepted = this.accept(listener);
    const client = await this.connect(listener.localAddress);
    const server = await accepted;
    listener.close();
    return [client, server];
  }

  /** The next connection of a listener, which then accepts no more. */
  async accept(listener: DriverListener): Promise<Peer> {
    const { promise, resolve, reject } = Promise.withResolvers<DriverSocket>();
    let first = true;
    listener.startAccepting({
      onAccept(socket) {
        if (!first) return socket.close();
        first = false;
        listener.stopAccepting();
        resolve(socket);
      },
      onAcceptError: reject,
    });
    return this.peer(await promise);
  }

  /** Ends a test that went well: nothing was called after a close, and every buffer is back. */
  async finish(): Promise<void> {
    for (const peer of this.peers) peer.close();
    await this.until(() => this.driver.buffers.heldCount === 0);
    for (const peer of this.peers) assertEquals(peer.callsAfterClose, []);
  }

  close(): void {
    this.reactor.close();
    this.#opened.cleanUp();
  }
}

/** Collects accepted connections. */
export class Accepted implements AcceptHandler {
  readonly sockets: DriverSocket[] = [];
  readonly errors: Error[] = [];

  onAccept(socket: DriverSocket): void {
    this.sockets.push(socket);
  }

  onAcceptError(error: Error): void {
    this.errors.push(error);
  }
}

/** Registers one conformance test of a driver; does nothing for a driver that cannot run here. */
export type ConformanceTest = (name: string, body: (harness: Harness) => Promise<void> | void) => void;

/** What registers the tests of one driver. */
export function conformanceTests(target: DriverUnderTest): ConformanceTest {
  return (name, body) => {
    Deno.test({
      name: name.startsWith(".") ? `${target.title}${name}` : `${target.title} ${name}`,
      ignore: target.skipReason !== undefined,
      async fn() {
        for (const seed of testSeeds(target.runCount)) {
          await withSeed(seed, () => runOnce(target, seed, body));
        }
      },
    });
  };
}

async function runOnce(
  target: DriverUnderTest,
  seed: number,
  body: (harness: Harness) => Promise<void> | void,
): Promise<void> {
  const harness = new Harness(target, seed);
  try {
    await withWatchdog(WATCHDOG_MS, async () => {
      await body(harness);
      await harness.finish();
    });
  } finally {
    harness.close();
  }
}

/** A directory of the real file system for a test, and its removal. */
export function temporaryDirectory(): Omit<OpenedDriver, "driver"> {
  const directory = Deno.makeTempDirSync({ prefix: "millrace_driver_" });
  return {
    directory,
    makeDirectory: (path) => Deno.mkdirSync(path),
    cleanUp: () => Deno.removeSync(directory, { recursive: true }),
  };
}

/** An error of the operating system: its class, what was attempted, and its symbolic code. */
export interface ExpectedError {
  readonly type: new (message?: string) => Error;
  readonly operation: string;
  readonly code: string;
}

/** Asserts that `error` is of the operating system and says what it should. */
export function assertSystemError(error: unknown, expected: ExpectedError): void {
  assert(error instanceof Error, `expected an error, found ${String(error)}`);
  const { operation, code } = error as { operation?: unknown; code?: unknown };
  const found = { name: error.name, operation, code, message: error.message };
  assertEquals(
    { type: error instanceof expected.type, operation, code },
    { type: true, operation: expected.operation, code: expected.code },
    `expected ${expected.type.name} ${expected.code} of ${expected.operation}, found ${
      JSON.stringify(found)
    }`,
  );
}

/** What `promise` rejects with; fails when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new AssertionError("expected a rejection");
}
