import { errno, systemError } from "../../../../ffi/mod.ts";
import type { ManualClock } from "../../../base/mod.ts";
import { BufferPool } from "../buffer_pool.ts";
import type {
  Address,
  ConnectSocketOptions,
  DatagramOptions,
  DriverDatagramSocket,
  DriverFile,
  DriverListener,
  DriverSocket,
  ListenSocketOptions,
  OpenFileOptions,
  PolledDriver,
} from "../driver.ts";
import { connectTo } from "./connect.ts";
import { Operations } from "./operations.ts";
import type { Sleeper } from "./scheduler.ts";
import type { Shared } from "./shared.ts";
import { SimulatedDatagramSocket } from "./simulated_datagram_socket.ts";
import { openSimulatedFile } from "./simulated_file.ts";
import { SimulatedListener } from "./simulated_listener.ts";
import { SimulatedSocket } from "./simulated_socket.ts";
import { bindError, checkAddress } from "./world.ts";
import { type SimulatedFaultOptions, SimulatedFaults } from "./simulated_faults.ts";
import { SimulatedFileSystem } from "./simulated_file_system.ts";
import { SimulatedNetwork } from "./simulated_network.ts";

const EOPNOTSUPP = 95;

/** Options of {@linkcode SimulatedDriver}. */
export interface SimulatedDriverOptions {
  /**
   * Seed of every random decision, unless a network is given, which has its own.
   *
   * @default {0}
   */
  seed?: number;
  /**
   * The network it is on, shared with other drivers.
   *
   * @default {one of its own}
   */
  network?: SimulatedNetwork;
  /**
   * The file system.
   *
   * @default {one of its own}
   */
  fileSystem?: SimulatedFileSystem;
  /**
   * Random faults; `faults` of the driver injects others.
   *
   * @default {none}
   */
  faults?: SimulatedFaultOptions;
  /**
   * Bytes of one send buffer.
   *
   * @default {16384}
   */
  bufferByteLength?: number;
  /**
   * Send buffers, at most.
   *
   * @default {8192}
   */
  bufferCountMax?: number;
}

/** The longest `setTimeout`, in milliseconds: it only keeps the process alive. */
const HOST_DELAY_MS_MAX = 2 ** 31 - 1;

/**
 * {@linkcode Driver} without a kernel, for tests: virtual time, a network and files in memory, faults, and an order of events
 * that follows from a seed alone.
 *
 * `poll(waitMs)` moves virtual time to the next event, by `waitMs` at most. On a running reactor time moves whenever every driver of
 * the network sleeps. Memory that a callback must not keep is overwritten after it.
 *
 * @example
 * ```ts
 * import { Reactor, SimulatedDriver } from "@millrace/millrace/reactor";
 *
 * const driver = new SimulatedDriver({ seed: 42, faults: { shortWriteProbability: 0.5 } });
 * using reactor = new Reactor(driver);
 * const file = await driver.openFile("/a", { write: true, create: true });
 * console.log(await file.writeAt(new Uint8Array(1000), 0), reactor.driver.description);
 * await file.close();
 * ```
 */
export class SimulatedDriver implements PolledDriver {
  /** Which driver this is. */
  readonly name = "simulated";
  /** Completions arrive in `poll()`. */
  readonly delivery = "polled";
  /** Description with the seed. */
  readonly description: string;
  /** The seed that replays this run. */
  readonly seed: number;
  /** Virtual time. */
  readonly clock: ManualClock;
  readonly time = "virtual";
  /** Buffers for what is sent. */
  readonly buffers: BufferPool;
  /** Faults; may be changed at any time. */
  readonly faults: SimulatedFaults;
  /** The network it is on. */
  readonly network: SimulatedNetwork;
  /** The file system. */
  readonly fileSystem: SimulatedFileSystem;
  /** Operations start at once, so nothing ever waits to be started. */
  readonly hasWork = false;
  readonly #shared: Shared;
  #sleeper: Sleeper | undefined;
  #closed = false;
  #turnMs = 0;

  /**
   * A driver, open.
   *
   * @throws {RangeError} when an option is out of range
   */
  constructor(options: SimulatedDriverOptions = {}) {
    const { seed = 0, network = new SimulatedNetwork({ seed }) } = options;
    this.seed = network.seed;
    this.network = network;
    this.fileSystem = options.fileSystem ?? new SimulatedFileSystem({ seed: this.seed });
    this.faults = new SimulatedFaults(options.faults);
    this.description = `simulated (seed ${this.seed})`;
    this.buffers = new BufferPool({
      bufferByteLength: options.bufferByteLength,
      bufferCountMax: options.bufferCountMax,
      allocateSlab: (byteLength) => ({ bytes: new Uint8Array(byteLength) }),
    });
    const world = SimulatedNetwork.worldOf(network);
    const { scheduler } = world;
    this.clock = scheduler.clock;
    this.#shared = {
      world,
      scheduler,
      operations: new Operations(scheduler, this.faults),
      faults: this.faults,
      buffers: this.buffers,
      open: new Set(),
    };
  }

  /** Called when an operation is started. */
  get onWork(): (() => void) | undefined {
    return this.#shared.operations.onWork;
  }

  set onWork(callback: (() => void) | undefined) {
    this.#shared.operations.onWork = callback;
  }

  /** Operations under way that keep the process alive. */
  get referencedCount(): number {
    return this.#shared.operations.referencedCount;
  }

  /** Operations under way, all. */
  get inFlightCount(): number {
    return this.#shared.operations.count;
  }

  /** The virtual time of the last poll. */
  get turnMs(): number {
    return this.#turnMs;
  }

  /**
   * Starts listening; port 0 takes a free one.
   *
   * @throws {Deno.errors.AddrInUse} and others
   */
  listen(address: Address, options: ListenSocketOptions): DriverListener {
    this.#checkOpen("listen");
    const { world } = this.#shared;
    checkAddress(address);
    const wanted = "path" in address ? address : { ...address, hostname: world.resolve(address.hostname)[0] };
    const bound = world.choose(wanted, options.reusePort, "stream");
    if (typeof bound === "number") throw bindError(bound, address);
    return new SimulatedListener(this.#shared, bound, options);
  }

  /** Throws: this driver has no descriptors. */
  adopt(descriptor: number): DriverListener {
    throw systemError("take over a listening socket", EOPNOTSUPP, `at descriptor ${descriptor}`);
  }

  /** Connects; aborting the signal rejects with its reason. */
  async connect(address: Address, options: ConnectSocketOptions): Promise<DriverSocket> {
    this.#checkOpen("connect");
    options.signal?.throwIfAborted();
    checkAddress(address);
    if ("path" in address) return await connectTo(this.#shared, address, options.signal);
    let failure: unknown;
    for (const hostname of this.#shared.world.resolve(address.hostname)) {
      try {
        return await connectTo(this.#shared, { hostname, port: address.port }, options.signal);
      } catch (error) {
        if (options.signal?.aborted) throw error;
        failure ??= error;
      }
    }
    throw failure;
  }

  /** Binds a UDP socket. */
  // deno-lint-ignore require-await -- what it throws is a rejection, as with the other drivers
  async bindDatagram(address: Address, options: DatagramOptions): Promise<DriverDatagramSocket> {
    this.#checkOpen("bind");
    if ("path" in address) throw new TypeError("bindDatagram: expected an internet address");
    const { world } = this.#shared;
    checkAddress(address);
    const wanted = { hostname: world.resolve(address.hostname)[0], port: address.port };
    const bound = world.choose(wanted, options.reusePort, "datagram");
    if (typeof bound === "number" || "path" in bound) throw bindError(Number(bound), address);
    return new SimulatedDatagramSocket(this.#shared, bound, options.reusePort);
  }

  /** Opens a file of the simulated file system; the path is absolute. */
  async openFile(path: string, options: OpenFileOptions): Promise<DriverFile> {
    this.#checkOpen("open");
    return await openSimulatedFile(this.#shared, this.fileSystem, path, options);
  }

  /** Delivers what is due. While there is nothing, moves virtual time to the next event, by at most `waitMs`. */
  poll(waitMs: number): number {
    const { scheduler, operations } = this.#shared;
    const untilMs = this.clock.nowMs() + waitMs;
    scheduler.poll();
    for (;;) {
      this.#turnMs = this.clock.nowMs();
      const count = operations.deliver();
      if (count > 0 || this.clock.nowMs() >= untilMs) return count;
      scheduler.advanceTo(Math.min(scheduler.nextMs ?? untilMs, untilMs));
    }
  }

  /** Resolves when there is something to deliver, when `waitMs` of virtual time have passed, or on `interrupt()`. */
  wait(waitMs: number | undefined, keepAlive: boolean): Promise<void> {
    const { scheduler, operations } = this.#shared;
    if (operations.isReady || this.#closed) return Promise.resolve();
    this.interrupt();
    const { promise, resolve } = Promise.withResolvers<void>();
    const host = keepAlive ? setTimeout(() => {}, HOST_DELAY_MS_MAX) : undefined;
    const sleeper: Sleeper = {
      untilMs: waitMs === undefined ? Infinity : this.clock.nowMs() + waitMs,
      isReady: () => operations.isReady,
      wake: () => {
        this.#sleeper = undefined;
        clearTimeout(host);
        resolve();
      },
    };
    this.#sleeper = sleeper;
    scheduler.sleep(sleeper);
    return promise;
  }

  /** Ignored: this driver has no descriptors. */
  watch(): Disposable {
    return { [Symbol.dispose]() {} };
  }

  /** Ends a `wait()`. */
  interrupt(): void {
    const sleeper = this.#sleeper;
    if (sleeper === undefined) return;
    this.#shared.scheduler.forget(sleeper);
    sleeper.wake();
  }

  /** Cancels everything and delivers the cancellations; no time passes. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const open of [...this.#shared.open]) open.close();
    this.#shared.operations.endAll();
    this.interrupt();
  }

  /**
   * The machine loses power: nothing completes any more, the other sides of its connections are reset, and its file system keeps what is
   * durable and some of what is not. A new driver on the same network and files is the machine after its restart.
   */
  crash(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#shared.operations.abandonAll();
    for (const open of [...this.#shared.open]) {
      if (open instanceof SimulatedSocket) open.vanish();
      else open.close();
    }
    this.#shared.open.clear();
    this.#shared.operations.abandonAll();
    this.fileSystem.crash();
    this.interrupt();
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(operation: string): void {
    if (this.#closed) throw systemError(operation, errno.EBADF, "on a closed driver");
  }
}
