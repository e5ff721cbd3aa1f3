import {
  adoptListener,
  closeDescriptor,
  datagramSocket,
  describeSocketAddress,
  errno,
  listeningSocket,
  native,
  parseIp,
  PinnedMemory,
  PROVIDED_BUFFERS_MAX,
  ProvidedBuffers,
  resolveNow,
  setNoDelay,
  streamSocket,
  systemError,
  Uring,
  writeSocketAddress,
} from "../../../../ffi/mod.ts";
import type { Clock } from "../../../base/mod.ts";
import { BUFFER_BYTE_LENGTH, BUFFER_COUNT_MAX, BufferPool, waitForBuffer } from "../buffer_pool.ts";
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
import { hostClock } from "../host_clock.ts";
import { resolveHost } from "../resolve_host.ts";
import { LoopWaker } from "./loop_waker.ts";
import { runOperation } from "./single_operation.ts";
import { UringAdoptedListener } from "./uring_adopted_listener.ts";
import { UringDatagramSocket } from "./uring_datagram_socket.ts";
import { openUringFile } from "./uring_file.ts";
import { UringListener } from "./uring_listener.ts";
import { probeUring, type UringRung } from "./uring_probe.ts";
import { CloseOperation, UringShared, type UringStatistics } from "./uring_shared.ts";
import { UringWatch } from "./uring_watch.ts";
import { UringSocket } from "./uring_socket.ts";

/** Options of {@linkcode UringDriver.open}. */
export interface UringDriverOptions {
  /**
   * Entries of the submission ring, a power of two; when it is full, operations queue up.
   *
   * @default {1024}
   */
  submissionEntries?: number;
  /**
   * Entries of the completion ring, a power of two, at least `submissionEntries`.
   *
   * @default {4096}
   */
  completionEntries?: number;
  /**
   * Receive buffers, a power of two up to 32768.
   *
   * @default {512}
   */
  receiveBufferCount?: number;
  /**
   * Bytes of one receive buffer.
   *
   * @default {8192}
   */
  receiveBufferByteLength?: number;
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
  /**
   * Use no more of io_uring than this, whatever the kernel has.
   *
   * @default {"full"}
   */
  rung?: UringRung;
}

const SUBMISSION_ENTRIES = 1024;
const COMPLETION_ENTRIES = 4096;
const RECEIVE_BUFFER_COUNT = 512;
const RECEIVE_BUFFER_BYTE_LENGTH = 8192;
const RECEIVE_GROUP = 0;
/** Longest time in microseconds that an event waits for others, to be delivered together. */
const GATHER_US = 50;
/** A turn that took this long, in milliseconds, is not followed by a wait. */
const LONG_TURN_MS = 0.02;
/** Events gathered at most. */
const GATHER_MAX = 64;
/** Rounds after which a wait tries to gather one event more. */
const GATHER_PROBE_ROUNDS = 16;
/** How long closing waits for cancelled operations to complete, in polls of {@linkcode CLOSE_POLL_MS}. */
const CLOSE_POLLS_MAX = 100;
const CLOSE_POLL_MS = 10;
const SOCKET_DESCRIPTION: Readonly<Record<UringRung, string>> = {
  full: "io_uring (multishot accept and receive, provided buffers, deferred task work)",
  basic: "io_uring (multishot accept, provided buffers; no multishot receive on this kernel)",
};

/**
 * {@linkcode Driver} on Linux io_uring. It belongs to the thread that opened it.
 *
 * ```ts
 * import { openDriver, UringDriver } from "@millrace/millrace/reactor";
 *
 * const { driver, fallbackReason } = openDriver();
 * if (driver instanceof UringDriver) console.log(driver.statistics.enterCount); // 0
 * else console.log(fallbackReason);
 * driver.close();
 * ```
 */
export class UringDriver implements PolledDriver {
  /**
   * Opens a ring on the highest rung that this kernel supports.
   *
   * @throws {Deno.errors.NotSupported | Deno.errors.PermissionDenied} with what is missing and the likely cause
   * @throws {RangeError} when an option is out of range
   */
  static open(options: UringDriverOptions = {}): UringDriver {
    native();
    return new UringDriver(options);
  }

  readonly name = "uring";
  readonly delivery = "polled";
  readonly description: string;
  readonly clock: Clock = hostClock();
  readonly time = "host";
  readonly buffers: BufferPool;
  /** The time at the last poll. */
  turnMs = 0;
  onWork: (() => void) | undefined;
  onAwake: (() => void) | undefined;
  #gather = 1;
  #gatherRounds = 0;
  readonly #ring: Uring;
  readonly #shared: UringShared;
  readonly #waker: LoopWaker;
  #closed = false;

  private constructor(options: UringDriverOptions) {
    const {
      submissionEntries = SUBMISSION_ENTRIES,
      completionEntries = Math.max(COMPLETION_ENTRIES, submissionEntries),
      receiveBufferCount = RECEIVE_BUFFER_COUNT,
      receiveBufferByteLength = RECEIVE_BUFFER_BYTE_LENGTH,
      bufferByteLength = BUFFER_BYTE_LENGTH,
      bufferCountMax = BUFFER_COUNT_MAX,
    } = options;
    checkPowerOfTwo("submissionEntries", submissionEntries, 32_768);
    checkPowerOfTwo("completionEntries", completionEntries, 65_536);
    if (completionEntries < submissionEntries) {
      throw new RangeError(
        `UringDriver: completionEntries is ${completionEntries}, expected at least submissionEntries, ${submissionEntries}`,
      );
    }
    checkPowerOfTwo("receiveBufferCount", receiveBufferCount, PROVIDED_BUFFERS_MAX);
    if (!(Number.isInteger(receiveBufferByteLength) && receiveBufferByteLength >= 1)) {
      throw new RangeError(
        `UringDriver: receiveBufferByteLength is ${receiveBufferByteLength}, expected a whole number from 1`,
      );
    }
    const rung = probeUring(options.rung ?? "full");
    this.description = SOCKET_DESCRIPTION[rung];
    const buffers = this.buffers = new BufferPool({
      bufferByteLength,
      bufferCountMax,
      allocateSlab: (byteLength) => PinnedMemory.allocate(byteLength),
    });
    this.#ring = Uring.open({
      entries: submissionEntries,
      completionEntries,
      deferTaskrun: rung === "full",
    });
    try {
      const provided = new ProvidedBuffers(this.#ring, {
        bufferCount: receiveBufferCount,
        bufferByteLength: receiveBufferByteLength,
        group: RECEIVE_GROUP,
      });
      this.#shared = new UringShared(this.#ring, provided, buffers, rung === "full");
      this.#waker = new LoopWaker(this.#ring);
    } catch (error) {
      this.#ring.close();
      throw error;
    }
    this.#shared.table.onWork = () => this.onWork?.();
  }

  get referencedCount(): number {
    return this.#shared.table.referencedCount;
  }

  get inFlightCount(): number {
    return this.#shared.table.count;
  }

  get hasWork(): boolean {
    return this.#ring.pendingCount > 0 || this.#shared.table.hasLocalWork;
  }

  /** Counters of this driver. */
  get statistics(): Readonly<UringStatistics> {
    return this.#shared.statistics;
  }

  listen(address: Address, options: ListenSocketOptions): DriverListener {
    this.#checkOpen("listen");
    const [first] = candidates(address, resolveNow);
    const fd = listeningSocket(first, options);
    // Accepted connections inherit the option, so it costs nothing per connection.
    if (!("path" in first) && options.noDelay) setNoDelay(fd, true);
    return new UringListener(this.#shared, fd);
  }

  adopt(descriptor: number, options: ListenSocketOptions): DriverListener {
    this.#checkOpen("listen");
    const fd = adoptListener(descriptor);
    const listener = new UringAdoptedListener(this.#shared, fd);
    if (!("path" in listener.localAddress)) setNoDelay(fd, options.noDelay);
    return listener;
  }

  async connect(address: Address, options: ConnectSocketOptions): Promise<DriverSocket> {
    this.#checkOpen("connect");
    options.signal?.throwIfAborted();
    const addresses = "path" in address ? [address] : await resolved(address, options.signal);
    let failure: unknown;
    for (const candidate of addresses) {
      try {
        return await this.#connectTo(candidate, options);
      } catch (error) {
        if (options.signal?.aborted) throw error;
        failure ??= error;
      }
    }
    throw failure;
  }

  async #connectTo(address: Address, options: ConnectSocketOptions): Promise<DriverSocket> {
    const { signal, noDelay } = options;
    const shared = this.#shared;
    const buffer = await waitForBuffer(shared.buffers, signal);
    let byteLength: number;
    let fd: number;
    try {
      this.#checkOpen("connect");
      byteLength = writeSocketAddress(buffer.slab, buffer.offset, address);
      fd = streamSocket(address);
    } catch (error) {
      shared.buffers.release(buffer);
      throw error;
    }
    let connected = false;
    await runOperation(shared.table, {
      operation: "connect",
      detail: `to ${describeSocketAddress(address)}`,
      signal,
      prepare: (ring, id) => ring.prepareConnect(id, fd, buffer.slab, buffer.offset, byteLength),
      release: (result) => {
        shared.buffers.release(buffer);
        connected = result >= 0 && signal?.aborted !== true;
        if (!connected) closeDescriptor(fd);
      },
    });
    if (noDelay && !("path" in address)) setNoDelay(fd, true);
    return new UringSocket(shared, fd);
  }

  async bindDatagram(address: Address, options: DatagramOptions): Promise<DriverDatagramSocket> {
    const [first] = "path" in address ? [address] : await resolved(address, undefined);
    this.#checkOpen("bind");
    return new UringDatagramSocket(this.#shared, datagramSocket(first, options.reusePort));
  }

  async openFile(path: string, options: OpenFileOptions): Promise<DriverFile> {
    this.#checkOpen("open");
    return await openUringFile(this.#shared, path, options);
  }

  watch(descriptor: number): Disposable {
    this.#checkOpen("watch");
    return new UringWatch(this.#shared, descriptor);
  }

  poll(waitMs: number): number {
    const ring = this.#ring;
    const { table, statistics } = this.#shared;
    table.drainBacklog();
    // After a long turn events have most likely arrived meanwhile; a wait, with its timer, would be wasted.
    const mayWait = waitMs > 0 && !table.hasLocalWork && !ring.hasCompletions &&
      this.clock.nowMs() - this.turnMs < LONG_TURN_MS;
    let sends = 0;
    if (mayWait || this.hasWork || ring.hasCompletions) {
      if (ring.overflowed) statistics.overflowCount++;
      statistics.enterCount++;
      sends = table.takeSendCount();
      if (mayWait) ring.enter(waitMs, sends + this.#gather, this.#gather > 1 ? GATHER_US : 0);
      else ring.enter(0);
    }
    if (this.onAwake !== undefined) this.onAwake();
    this.turnMs = this.clock.nowMs();
    const count = table.runSoon() + ring.reap(table);
    // The data of this batch has been delivered: the kernel may fill those buffers again.
    this.#shared.provided.publish();
    statistics.completionCount += count;
    if (mayWait && ring.coalesces) this.#adaptGathering(count - sends);
    return count;
  }

  /**
   * How many events the next wait gathers before it ends, like interrupt coalescing of network cards: each round costs a system
   * call and a turn of the loop, so a few events at a time are cheaper than one by one. Only when more events came than were waited
   * for are several clients active; a single client never waits.
   */
  #adaptGathering(count: number): void {
    const gather = this.#gather;
    if (count > gather) this.#gather = Math.min(count, GATHER_MAX);
    else if (count < gather) this.#gather = Math.max(1, count);
    else if (gather > 1 && ++this.#gatherRounds % GATHER_PROBE_ROUNDS === 0) this.#gather = gather + 1;
  }

  wait(waitMs: number | undefined, keepAlive: boolean): Promise<void> {
    if (this.hasWork) return Promise.resolve();
    return this.#waker.wait(waitMs, keepAlive);
  }

  interrupt(): void {
    this.#waker.interrupt();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { table, sockets, provided } = this.#shared;
    for (const socket of [...sockets]) socket.close();
    for (const operation of table.all()) {
      if (!(operation instanceof CloseOperation)) table.cancel(operation);
    }
    // Closing descriptors is not counted, but has to be submitted to the kernel.
    this.poll(0);
    for (let polls = 0; (table.count > 0 || this.hasWork) && polls < CLOSE_POLLS_MAX; polls++) {
      this.poll(CLOSE_POLL_MS);
    }
    const quiet = table.count === 0;
    this.#waker.close();
    this.#ring.close();
    // The memory of an operation that did not end stays mapped: the kernel may still write to it.
    if (!quiet) return;
    provided.close();
    for (const slab of this.#shared.buffers.slabs) slab.close();
  }

  /** Closes the driver. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(operation: string): void {
    if (this.#closed) throw systemError(operation, errno.EBADF, "on a closed driver");
  }
}

function checkPowerOfTwo(name: string, value: number, max: number): void {
  if (!(Number.isInteger(value) && value >= 1 && value <= max && (value & (value - 1)) === 0)) {
    throw new RangeError(`UringDriver: ${name} is ${value}, expected a power of two up to ${max}`);
  }
}

function candidates(address: Address, resolve: (hostname: string) => string[]): Address[] {
  if ("path" in address) return [address];
  return resolve(address.hostname).map((hostname) => ({ hostname, port: address.port }));
}

async function resolved(
  address: { hostname: string; port: number },
  signal: AbortSignal | undefined,
): Promise<Address[]> {
  if (parseIp(address.hostname) !== undefined) return [address];
  const hostnames = await resolveHost(address.hostname, signal);
  return hostnames.map((hostname) => ({ hostname, port: address.port }));
}
