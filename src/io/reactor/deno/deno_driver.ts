import {
  asSystemError,
  describeSocketAddress,
  encodeSocketAddress,
  errno,
  SOCKET_ADDRESS_BYTES_MAX,
  systemError,
} from "../../../../ffi/mod.ts";
import type { Clock } from "../../../base/mod.ts";
import { hostClock } from "../host_clock.ts";
import { BufferPool } from "../buffer_pool.ts";
import type {
  Address,
  ConnectSocketOptions,
  DatagramOptions,
  Driver,
  DriverDatagramSocket,
  DriverFile,
  DriverListener,
  DriverSocket,
  ListenSocketOptions,
  OpenFileOptions,
} from "../driver.ts";
import { DenoAdoptedListener } from "./deno_adopted_listener.ts";
import { bindDenoDatagram } from "./deno_datagram_socket.ts";
import { openDenoFile } from "./deno_file.ts";
import { DenoListener } from "./deno_listener.ts";
import { type DenoShared, DenoSocket } from "./deno_socket.ts";

/** Options of {@linkcode DenoDriver}. */
export interface DenoDriverOptions {
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

const EOPNOTSUPP = 95;
const PORT_MAX = 65_535;
/** How long an abandoned connect may still succeed, to be closed then: a busy machine takes some 300. */
const GIVEN_UP_GRACE_MS = 2000;
const LOOKUP_FAILURE = /^failed to lookup address information/;

/**
 * {@linkcode Driver} on Deno's own I/O: works wherever Deno does, without the native library.
 *
 * ```ts
 * import { DenoDriver, Reactor } from "@millrace/millrace/reactor";
 *
 * using reactor = new Reactor(new DenoDriver());
 * console.log(reactor.driver.name); // deno
 * ```
 */
export class DenoDriver implements Driver {
  readonly name = "deno";
  readonly delivery = "events";
  readonly description = "Deno's own I/O";
  readonly clock: Clock = hostClock();
  readonly time = "host";
  readonly buffers: BufferPool;
  readonly #shared: DenoShared;
  #closed = false;

  /**
   * A driver, open.
   *
   * @throws {RangeError} when an option is out of range
   */
  constructor(options: DenoDriverOptions = {}) {
    this.buffers = new BufferPool({
      ...options,
      allocateSlab: (byteLength) => ({ bytes: new Uint8Array(byteLength) }),
    });
    this.#shared = { buffers: this.buffers, open: new Set() };
  }

  listen(address: Address, options: ListenSocketOptions): DriverListener {
    this.#checkOpen("listen");
    checkAddress(address);
    if (options.reusePort && !("path" in address) && !("listenDatagram" in Deno)) {
      // Deno would not throw: it ends the process.
      throw systemError("listen", EOPNOTSUPP, "with reusePort, which Deno allows with --unstable-net only");
    }
    try {
      const listener = "path" in address
        ? Deno.listen({ transport: "unix", path: address.path })
        : Deno.listen({ ...address, reusePort: options.reusePort, tcpBacklog: options.backlog });
      return new DenoListener(this.#shared, listener as Deno.Listener, options.noDelay);
    } catch (error) {
      throw failure("bind", error, address, describeSocketAddress(address));
    }
  }

  adopt(descriptor: number, options: ListenSocketOptions): DriverListener {
    this.#checkOpen("listen");
    return new DenoAdoptedListener(this.#shared, descriptor, options.noDelay);
  }

  async connect(address: Address, options: ConnectSocketOptions): Promise<DriverSocket> {
    this.#checkOpen("connect");
    const { signal } = options;
    signal?.throwIfAborted();
    checkAddress(address);
    let conn: Deno.Conn;
    try {
      conn = "path" in address
        ? await Deno.connect({ transport: "unix", path: address.path })
        : await connectTcp(address, signal);
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw failure("connect", error, address, `to ${describeSocketAddress(address)}`);
    }
    const socket = new DenoSocket(this.#shared, conn);
    if (signal?.aborted || this.#closed) {
      socket.close();
      signal?.throwIfAborted();
      this.#checkOpen("connect");
    }
    socket.setNoDelay(options.noDelay);
    return socket;
  }

  async bindDatagram(address: Address, options: DatagramOptions): Promise<DriverDatagramSocket> {
    this.#checkOpen("bind");
    checkAddress(address);
    return await bindDenoDatagram(this.#shared, address, options);
  }

  async openFile(path: string, options: OpenFileOptions): Promise<DriverFile> {
    this.#checkOpen("open");
    return await openDenoFile(this.#shared, path, options);
  }

  close(): void {
    this.#closed = true;
    for (const open of [...this.#shared.open]) open.close();
  }

  /** Closes the driver. */
  [Symbol.dispose](): void {
    this.close();
  }

  #checkOpen(operation: string): void {
    if (this.#closed) throw systemError(operation, errno.EBADF, "on a closed driver");
  }
}

/**
 * Refuses what Deno accepts and should not: an empty path, for which the system chooses a name that no program can know, and
 * invalid ports of datagram sockets.
 */
function checkAddress(address: Address): void {
  if ("path" in address) {
    encodeSocketAddress(address, new Uint8Array(SOCKET_ADDRESS_BYTES_MAX));
  } else if (!(Number.isInteger(address.port) && address.port >= 0 && address.port <= PORT_MAX)) {
    throw new TypeError(`port ${address.port}: expected an integer from 0 to ${PORT_MAX}`);
  }
}

/** An error of Deno's in our form. For an unknown host name it has neither class nor code. */
function failure(operation: string, error: unknown, address: Address, detail: string): Error {
  if ("path" in address || !(error instanceof Error) || !LOOKUP_FAILURE.test(error.message)) {
    return asSystemError(operation, error, detail);
  }
  const notFound = new Deno.errors.NotFound(`resolve ${address.hostname}: no such host name (ENOTFOUND)`);
  return Object.assign(notFound, { operation: "resolve", code: "ENOTFOUND" });
}

/**
 * `Deno.connect()`, abandoned when the signal is aborted.
 *
 * Deno, up to 2.9 at least, leaks a connection that is established at the moment of the abort: three to five in a thousand on the
 * loopback interface. So Deno's signal is aborted a little later, and a connection that is established until then is closed
 * here.
 */
function connectTcp(address: Deno.ConnectOptions, signal: AbortSignal | undefined): Promise<Deno.Conn> {
  if (signal === undefined) return Deno.connect(address);
  const { promise, resolve, reject } = Promise.withResolvers<Deno.Conn>();
  const late = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const giveUp = (): void => {
    timer = setTimeout(() => late.abort(), GIVEN_UP_GRACE_MS);
    reject(signal.reason);
  };
  signal.addEventListener("abort", giveUp, { once: true });
  Deno.connect({ ...address, signal: late.signal })
    .then((conn) => signal.aborted ? conn.close() : resolve(conn), reject)
    .finally(() => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
    });
  return promise;
}
