import { Buffer } from "node:buffer";
import { assert, assertStrictEquals, fail } from "@std/assert";
import { SeededRandom } from "../../src/base/mod.ts";
import {
  connect,
  type ConnectOptions,
  listen,
  type ListenOptions,
  type TcpConn,
  type TcpListener,
} from "../../src/io/net/mod.ts";
import { type DriverOptions, Reactor } from "../../src/io/reactor/mod.ts";
import { sleep } from "../../src/base/timer/mod.ts";
import { testSeeds, withSeed } from "./driver_seed.ts";
import { uringSkipReason } from "./driver_uring.ts";
import { withWatchdog } from "./watchdog.ts";

/** Real milliseconds one test may take. */
const WATCHDOG_MS = 60_000;
const LOOPBACK = "127.0.0.1";

/** A driver of the operating system, and why it cannot run here. */
export interface RealDriver {
  readonly name: "uring" | "deno";
  readonly skipReason: string | undefined;
}

/** Both drivers of the operating system. Asking opens the native library, outside of any test's sanitizers. */
export const REAL_DRIVERS: readonly RealDriver[] = [
  { name: "uring", skipReason: uringSkipReason() },
  { name: "deno", skipReason: undefined },
];

/** How the names of a driver's tests end: the driver, and the reason when they are skipped. */
export function driverSuffix({ name, skipReason }: RealDriver): string {
  return skipReason === undefined ? `(${name})` : `(${name}, skipped: ${skipReason})`;
}

/** What can be closed. */
interface Closeable {
  close(): void;
}

/** What a test of `src/io/net` works with: a reactor of its own, and chance that replays. */
export class Net {
  readonly reactor: Reactor;
  readonly driver: "uring" | "deno";
  readonly seed: number;
  readonly random: SeededRandom;
  readonly #open: Closeable[] = [];
  #directory: string | undefined;

  constructor(driver: "uring" | "deno", seed: number, options: DriverOptions) {
    this.driver = driver;
    this.seed = seed;
    this.random = new SeededRandom(seed);
    this.reactor = Reactor.open({ ...options, driver });
  }

  /** Has `resource` closed when the test ends. */
  own<T extends Closeable>(resource: T): T {
    this.#open.push(resource);
    return resource;
  }

  /** Listens on a free port of the loopback interface. */
  listen(options: Partial<ListenOptions> = {}): TcpListener {
    return this.own(listen({ port: 0, hostname: LOOPBACK, reactor: this.reactor, ...options }));
  }

  async connect(port: number, options: Partial<ConnectOptions> = {}): Promise<TcpConn> {
    return this.own(await connect({ port, reactor: this.reactor, ...options }));
  }

  /** A connection: the side that connected, and the side that accepted. */
  async pair(options: Partial<ListenOptions> = {}): Promise<[client: TcpConn, server: TcpConn]> {
    const listener = this.listen(options);
    const accepting = listener.accept();
    const client = await this.connect(listener.addr.port, { hostname: listener.addr.hostname });
    const server = this.own(await accepting);
    listener.close();
    return [client, server];
  }

  /** Lets `delayMs` pass. */
  sleep(delayMs: number): Promise<void> {
    return sleep(delayMs, { timers: this.reactor.timers });
  }

  /** Resolves when `condition` holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.sleep(1);
  }

  /** Resolves when `value()` has not changed for a while. */
  async settled(value: () => number): Promise<number> {
    for (let before = NaN;;) {
      const now = value();
      if (now === before) return now;
      before = now;
      await this.sleep(60);
    }
  }

  /** A new path in a directory that goes away with the test. */
  path(name: string): string {
    this.#directory ??= Deno.makeTempDirSync({ prefix: "millrace_net_" });
    return `${this.#directory}/${name}`;
  }

  /** Ends a test that went well: closes everything, and every buffer comes back. */
  async finish(): Promise<void> {
    this.#closeAll();
    const { buffers } = this.reactor.driver;
    while (buffers.heldCount > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assertStrictEquals(buffers.waitingCount, 0, "somebody waits for a buffer although everything is closed");
  }

  /** Lets go of what the test used, however it ended. */
  async close(): Promise<void> {
    this.#closeAll();
    this.reactor.close();
    if (this.#directory !== undefined) Deno.removeSync(this.#directory, { recursive: true });
    // What the host's event loop has still to say about closed sockets.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #closeAll(): void {
    for (const resource of this.#open.splice(0)) {
      try {
        resource.close();
      } catch (error) {
        // Deno's own are closed once only.
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    }
  }
}

/** Registers a test of `src/io/net` for each driver of the operating system. */
export function netTest(
  name: string,
  body: (net: Net) => Promise<void> | void,
  options: DriverOptions = {},
): void {
  for (const driver of REAL_DRIVERS) {
    Deno.test({
      name: `${name} ${driverSuffix(driver)}`,
      ignore: driver.skipReason !== undefined,
      async fn() {
        const [seed] = testSeeds(1);
        await withSeed(seed, () => runOnce(new Net(driver.name, seed, options), body));
      },
    });
  }
}

async function runOnce(net: Net, body: (net: Net) => Promise<void> | void): Promise<void> {
  try {
    await withWatchdog(WATCHDOG_MS, async () => {
      await body(net);
      await net.finish();
    });
  } finally {
    await net.close();
  }
}

/** What the tests read from: ours, or Deno's. */
export interface Readable {
  read(into: Uint8Array): Promise<number | null>;
}

/** What the tests write to: ours, or Deno's. */
export interface Writable {
  write(data: Uint8Array): Promise<number>;
}

/** Reads `byteLength` bytes in pieces of random sizes. */
export async function readPieces(
  conn: Readable,
  byteLength: number,
  random: SeededRandom,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(byteLength);
  for (let at = 0; at < byteLength;) {
    const room = Math.min(byteLength - at, 1 + random.below(100_000));
    const count = await conn.read(bytes.subarray(at, at + room));
    if (count === null) throw new Error(`the end came after ${at} bytes, expected ${byteLength}`);
    assert(count > 0 && count <= room, `read() gave ${count} for room of ${room}`);
    at += count;
  }
  return bytes;
}

/** Reads up to the end. */
export async function readToEnd(conn: Readable): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const into = new Uint8Array(65_536);
  for (let count = await conn.read(into); count !== null; count = await conn.read(into)) {
    pieces.push(into.slice(0, count));
  }
  return Buffer.concat(pieces);
}

/** Writes `bytes` in pieces of random sizes. */
export async function writePieces(conn: Writable, bytes: Uint8Array, random: SeededRandom): Promise<void> {
  for (let at = 0; at < bytes.byteLength;) {
    const piece = bytes.subarray(at, at + 1 + random.below(100_000));
    let written = 0;
    while (written < piece.byteLength) written += await conn.write(piece.subarray(written));
    at += written;
  }
}

/** `assertEquals` of megabytes takes seconds. */
export function assertSameBytes(found: Uint8Array, expected: Uint8Array): void {
  assertStrictEquals(found.byteLength, expected.byteLength, "byteLength");
  const first = Buffer.from(found.buffer, found.byteOffset, found.byteLength);
  if (first.equals(expected)) return;
  fail(`byte ${found.findIndex((byte, index) => byte !== expected[index])} is the first that differs`);
}

/** Fills a connection until its writes stall; returns the bytes that were taken, and the write that waits. */
export async function fill(
  net: Net,
  conn: Writable,
): Promise<{ readonly takenBytes: number; readonly waiting: Promise<number> }> {
  const chunk = new Uint8Array(65_536);
  let takenBytes = 0;
  for (;;) {
    const writing = conn.write(chunk);
    let done = false;
    writing.then((count) => {
      done = true;
      takenBytes += count;
    }, () => {});
    for (let round = 0; round < 100 && !done; round++) await net.sleep(2);
    if (!done) return { takenBytes, waiting: writing };
  }
}

/** Asserts that `error` says that the other side is gone, in one of the two ways a kernel says it. */
export function assertGone(error: unknown, operation: string): void {
  assert(
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset,
    `${error}`,
  );
  const { operation: found, code } = error as Error & { operation?: unknown; code?: unknown };
  assertStrictEquals(found, operation);
  assertStrictEquals(code, error instanceof Deno.errors.BrokenPipe ? "EPIPE" : "ECONNRESET");
}
