import {
  closeDescriptor,
  datagramSocket,
  describeSocketAddress,
  listeningSocket,
  native,
  parseIp,
  PinnedMemory,
  PROVIDED_BUFFERS_MAX,
  ProvidedBuffers,
  resolveNow,
  setNoDelay,
  streamSocket,
  Uring,
  writeSocketAddress,
} from "../../../ffi/mod.ts";
import type { Clock } from "../../base/mod.ts";
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
import { UringDatagramSocket } from "./uring_datagram_socket.ts";
import { openUringFile } from "./uring_file.ts";
import { UringListener } from "./uring_listener.ts";
import { probeUring, type UringRung } from "./uring_probe.ts";
import { UringShared, type UringStatistics } from "./uring_shared.ts";
import { UringSocket } from "./uring_socket.ts";

/** Options of {@linkcode UringDriver.open}. */
export interface UringDriverOptions {
  /** Entries of the submission ring, a power of two; when it is full, operations queue up. @default {1024} */
  submissionEntries?: number;
  /** Entries of the completion ring, a power of two, at least `submissionEntries`. @default {4096} */
  completionEntries?: number;
  /** Buffers that received data lands in, a power of two up to 32768. @default {512} */
  receiveBufferCount?: number;
  /** Bytes of one of them. @default {8192} */
  receiveBufferByteLength?: number;
  /** Bytes of one buffer for what is sent. @default {16384} */
  bufferByteLength?: number;
  /** Buffers for what is sent, at most. @default {8192} */
  bufferCountMax?: number;
  /** Use no more of io_uring than this, whatever the kernel has. @default {"full"} */
  rung?: UringRung;
}

const SUBMISSION_ENTRIES = 1024;
const COMPLETION_ENTRIES = 4096;
const RECEIVE_BUFFER_COUNT = 512;
const RECEIVE_BUFFER_BYTE_LENGTH = 8192;
const RECEIVE_GROUP = 0;
/** How long closing waits for cancelled operations to complete, in polls of {@linkcode CLOSE_POLL_MS}. */
const CLOSE_POLLS_MAX = 100;
const CLOSE_POLL_MS = 10;
const SOCKET_DESCRIPTION: Readonly<Record<UringRung, string>> = {
  full: "io_uring (multishot accept and receive, provided buffers, deferred task work)",
  basic: "io_uring (multishot accept, provided buffers; no multishot receive on this kernel)",
};

/** {@linkcode Driver} on Linux io_uring. It belongs to the thread that opened it. */
export class UringDriver implements PolledDriver {
  /** @throws {Deno.errors.NotSupported | Deno.errors.PermissionDenied} naming what is missing and the likely cause */
  static open(options: UringDriverOptions = {}): UringDriver {
    native();
    return new UringDriver(options);
  }

  readonly name = "uring";
  readonly delivery = "polled";
  readonly description: string;
  readonly clock: Clock = hostClock();
  readonly buffers: BufferPool<PinnedMemory>;
  onWork: (() => void) | undefined;
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
    checkPowerOfTwo("receiveBufferCount", receiveBufferCount, PROVIDED_BUFFERS_MAX);
    const rung = probeUring(options.rung ?? "full");
    this.description = SOCKET_DESCRIPTION[rung];
    this.buffers = new BufferPool({
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
      this.#shared = new UringShared(this.#ring, provided, this.buffers, rung === "full");
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

  /** Counts of what went on so far. */
  get statistics(): Readonly<UringStatistics> {
    return this.#shared.statistics;
  }

  listen(address: Address, options: ListenSocketOptions): DriverListener {
    const [first] = candidates(address, resolveNow);
    const fd = listeningSocket(first, options);
    // Accepted connections inherit the option, so it costs nothing per connection.
    if (!("path" in first) && options.noDelay) setNoDelay(fd, true);
    return new UringListener(this.#shared, fd);
  }

  async connect(address: Address, options: ConnectSocketOptions): Promise<DriverSocket> {
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
    const buffer = await waitForBuffer(this.buffers, signal);
    const byteLength = writeSocketAddress(buffer.slab, buffer.offset, address);
    const fd = streamSocket(address);
    let connected = false;
    await runOperation(shared.table, {
      operation: "connect",
      detail: `to ${describeSocketAddress(address)}`,
      signal,
      prepare: (ring, id) => ring.prepareConnect(id, fd, buffer.slab, buffer.offset, byteLength),
      release: (result) => {
        this.buffers.release(buffer);
        connected = result >= 0 && signal?.aborted !== true;
        if (!connected) closeDescriptor(fd);
      },
    });
    if (noDelay && !("path" in address)) setNoDelay(fd, true);
    return new UringSocket(shared, fd);
  }

  async bindDatagram(address: Address, options: DatagramOptions): Promise<DriverDatagramSocket> {
    const [first] = "path" in address ? [address] : await resolved(address, undefined);
    return new UringDatagramSocket(this.#shared, datagramSocket(first, options.reusePort));
  }

  openFile(path: string, options: OpenFileOptions): Promise<DriverFile> {
    return openUringFile(this.#shared, path, options);
  }

  poll(waitMs: number): number {
    const ring = this.#ring;
    const { table, statistics } = this.#shared;
    table.drainBacklog();
    const mayWait = waitMs > 0 && !table.hasLocalWork && !ring.hasCompletions;
    if (mayWait || ring.pendingCount > 0 || ring.hasCompletions) {
      if (ring.overflowed) statistics.overflowCount++;
      statistics.enterCount++;
      ring.enter(mayWait ? waitMs : 0);
    }
    const count = table.runSoon() + ring.reap(table);
    // What this batch received has been looked at: the kernel may fill those buffers again.
    this.#shared.provided.publish();
    statistics.completionCount += count;
    return count;
  }

  wait(waitMs: number | undefined, keepAlive: boolean): Promise<void> {
    if (this.#shared.table.hasLocalWork || this.#ring.pendingCount > 0) return Promise.resolve();
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
    for (const operation of table.all()) table.cancel(operation);
    for (let polls = 0; table.count > 0 && polls < CLOSE_POLLS_MAX; polls++) this.poll(CLOSE_POLL_MS);
    const quiet = table.count === 0;
    this.#waker.close();
    this.#ring.close();
    // Memory of an operation that would not end stays mapped: the kernel may still write to it.
    if (!quiet) return;
    provided.close();
    for (const slab of this.buffers.slabs) slab.close();
  }

  [Symbol.dispose](): void {
    this.close();
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
