import type { Abortable, Clock } from "../../base/mod.ts";
import type { BufferPool, PooledBuffer } from "./buffer_pool.ts";

/** The implementations of {@linkcode Driver}. */
export type DriverName = "uring" | "deno" | "simulated";

/** An internet address, its `hostname` a literal or a name, or the path of a Unix socket. */
export type Address =
  | { readonly hostname: string; readonly port: number }
  | { readonly path: string };

/** An address of the internet, without names. */
export interface IpAddress {
  /** An IPv4 or IPv6 literal, without brackets. */
  readonly hostname: string;
  /** 0 to 65535. */
  readonly port: number;
}

/**
 * The one seam between Millrace and the operating system.
 *
 * Everything above it is written against this interface, and so runs on io_uring, on Deno's own I/O, and in tests on a
 * simulated kernel with faults. Callbacks come from the event loop, never from inside the call that made the request.
 *
 * Failures are `Deno.errors.*` with `operation` and `code`. A buffer given to an operation belongs to it until it has
 * completed, whatever the caller does meanwhile.
 */
export interface Driver {
  /** Which implementation this is. */
  readonly name: DriverName;
  /** Description for people, e.g. `"io_uring (multishot receive, deferred task work)"`. */
  readonly description: string;
  /** The clock that its waits follow. */
  readonly clock: Clock;
  /** Whether that clock is the host's: only then can a timer of the host stand in for a timer of the reactor. */
  readonly time: "host" | "virtual";
  /** Buffers for sending. */
  readonly buffers: BufferPool;
  /**
   * - `"polled"`: completions arrive in {@linkcode PolledDriver.poll}, which the owner of the loop must call.
   * - `"events"`: the host's event loop delivers them.
   */
  readonly delivery: "polled" | "events";

  /**
   * Starts listening; port 0 takes a free one.
   *
   * @throws {Deno.errors.AddrInUse} and others
   */
  listen(address: Address, options: ListenSocketOptions): DriverListener;
  /**
   * Takes over the listening socket at `descriptor`, from which other processes may accept too. The descriptor itself stays open.
   * Of the options only `noDelay` has an effect.
   *
   * @throws {Deno.errors.BadResource | Deno.errors.InvalidData} when the descriptor is not open, or is no listening socket
   * @throws {Deno.errors.NotSupported} when the driver has no descriptors
   */
  adopt(descriptor: number, options: ListenSocketOptions): DriverListener;
  /**
   * Connects; aborting the signal rejects with its reason.
   *
   * @throws {Deno.errors.ConnectionRefused | Deno.errors.NotFound} (as rejections) and others
   */
  connect(address: Address, options: ConnectSocketOptions): Promise<DriverSocket>;
  /**
   * Binds a UDP socket.
   *
   * @throws {Deno.errors.AddrInUse} (as a rejection) and others
   */
  bindDatagram(address: Address, options: DatagramOptions): Promise<DriverDatagramSocket>;
  /**
   * Opens a file.
   *
   * @throws {Deno.errors.NotFound | Deno.errors.AlreadyExists} (as rejections) and others
   */
  openFile(path: string, options: OpenFileOptions): Promise<DriverFile>;
  /** Cancels every operation, waits (bounded) until they have completed, and frees what the driver holds. */
  close(): void;
}

/** A driver that delivers completions only when it is polled. */
export interface PolledDriver extends Driver {
  /** Completions arrive in {@linkcode PolledDriver.poll}. */
  readonly delivery: "polled";
  /** Operations in flight that keep the process alive. */
  readonly referencedCount: number;
  /** All operations in flight. */
  readonly inFlightCount: number;
  /** Whether there are requests that have not been started. */
  readonly hasWork: boolean;
  /** Called when an operation is started, so that a sleeping owner of the loop polls. */
  onWork: (() => void) | undefined;
  /** Called in each {@linkcode PolledDriver.poll} when its wait is over, before anything is delivered. */
  onAwake?: (() => void) | undefined;
  /** The time of the last {@linkcode PolledDriver.poll}. */
  readonly turnMs: number;
  /**
   * Starts pending requests and delivers completions. Waits up to `waitMs` for the first completion, and perhaps a few
   * microseconds more to gather others. Returns how many it delivered.
   */
  poll(waitMs: number): number;
  /** Resolves when `poll()` may have something to deliver, after `waitMs`, or on `interrupt()`. */
  wait(waitMs: number | undefined, keepAlive: boolean): Promise<void>;
  /** Ends a `wait()`. */
  interrupt(): void;
  /**
   * Ends waiting, in `poll()` and `wait()`, whenever another thread signals `descriptor`, an eventfd, until it is disposed of.
   * It counts as an operation in flight. Drivers without descriptors ignore it.
   */
  watch(descriptor: number): Disposable;
}

/** Options of {@linkcode Driver.listen}. */
export interface ListenSocketOptions {
  /** Connections that may wait to be accepted; the system may allow fewer. */
  readonly backlog: number;
  /** Several sockets share the port, and the kernel spreads connections over them. */
  readonly reusePort: boolean;
  /** Accepted connections send small writes at once. */
  readonly noDelay: boolean;
}

/** Options of {@linkcode Driver.connect}. */
export interface ConnectSocketOptions extends Abortable {
  /** Small writes are sent at once; has no effect on a Unix socket. */
  readonly noDelay: boolean;
}

/** Takes accepted connections. */
export interface AcceptHandler {
  /** A connection came in; the handler closes it. */
  onAccept(socket: DriverSocket): void;
  /** Accepting has stopped; `startAccepting()` tries again. */
  onAcceptError(error: Error): void;
}

/** A listening socket. */
export interface DriverListener {
  /** The address it is bound to, with the port the system chose. */
  readonly localAddress: Address;
  /** Accepts connections and passes them to `handler` until stopped. */
  startAccepting(handler: AcceptHandler): void;
  /** Accepts no more; a connection accepted meanwhile is kept for the next start. */
  stopAccepting(): void;
  /**
   * Whether a listener that accepts keeps the process alive.
   *
   * @default {true}
   */
  setReferenced(referenced: boolean): void;
  /** Stops listening; connections not yet passed on are closed. */
  close(): void;
}

/** Takes the events of a connection. Nothing is called after `close()`. */
export interface SocketHandler {
  /** Data came in: `bytes[0 .. byteLength)`, valid only during the call. */
  onReceive(bytes: Uint8Array<ArrayBuffer>, byteLength: number): void;
  /** Nothing more will come: the other side ended its direction, or the connection failed with `error`. */
  onReceiveEnd(error: Error | undefined): void;
  /** The bytes of the last `send()` are with the kernel. */
  onSent(): void;
  /** The last `send()` failed; how much went is unknown. */
  onSendFailed(error: Error): void;
}

/** A connection: TCP or Unix. */
export interface DriverSocket {
  /** This side's address; a Unix socket without a name has the path `""`. */
  readonly localAddress: Address;
  /** The other side's address. */
  readonly remoteAddress: Address;
  /** Sets the handler of the events; call it once, before anything else. */
  attach(handler: SocketHandler): void;
  /** Starts to receive. */
  startReceiving(): void;
  /**
   * Stops receiving, so that the transport holds back the other side. What arrives before that takes effect is kept (at most
   * what one batch of receive buffers holds) and delivered by the next `startReceiving()`.
   */
  stopReceiving(): void;
  /**
   * Sends the first `byteLength` bytes of `buffer`, which is released to its pool afterwards. One `send()` at a time: the next
   * after `onSent()`.
   */
  send(buffer: PooledBuffer, byteLength: number): void;
  /** Ends the sending direction (`shutdown(2)`). Not while a `send()` is under way. */
  shutdownSend(): void;
  /** Sends small writes at once (`TCP_NODELAY`), or lets the kernel gather them. */
  setNoDelay(on: boolean): void;
  /** Probes an idle connection now and then (`SO_KEEPALIVE`). */
  setKeepAlive(on: boolean): void;
  /**
   * Whether operations of this connection keep the process alive.
   *
   * @default {true}
   */
  setReferenced(referenced: boolean): void;
  /** Cancels the operations in flight and closes. */
  close(): void;
}

/** Options of {@linkcode Driver.bindDatagram}. */
export interface DatagramOptions {
  /** Several sockets share the port. Only the io_uring driver offers it. */
  readonly reusePort: boolean;
}

/** Takes datagrams. */
export interface DatagramHandler {
  /** One datagram, valid only during the call. */
  onDatagram(bytes: Uint8Array<ArrayBuffer>, byteLength: number, from: IpAddress): void;
  /** Receiving has stopped. */
  onDatagramError(error: Error): void;
}

/** A UDP socket. */
export interface DriverDatagramSocket {
  /** The address it is bound to, with the port the system chose. */
  readonly localAddress: IpAddress;
  /** Delivers datagrams to `handler` until stopped. */
  startReceiving(handler: DatagramHandler): void;
  /** Delivers no more; later datagrams wait in the system's buffer, which drops what does not fit. */
  stopReceiving(): void;
  /** Sends one datagram; resolves to its length. */
  send(bytes: Uint8Array, to: IpAddress): Promise<number>;
  /**
   * Whether a socket that receives keeps the process alive.
   *
   * @default {true}
   */
  setReferenced(referenced: boolean): void;
  /** Cancels the operations in flight and closes. */
  close(): void;
}

/** How a file is opened; the names are those of `Deno.OpenOptions`. */
export interface OpenFileOptions extends Abortable {
  /**
   * Opens for reading. One of `read` and `write` must be set.
   *
   * @default {false}
   */
  readonly read?: boolean;
  /**
   * Opens for writing.
   *
   * @default {false}
   */
  readonly write?: boolean;
  /**
   * Creates the file when it does not exist.
   *
   * @default {false}
   */
  readonly create?: boolean;
  /**
   * Creates the file, which must not exist.
   *
   * @default {false}
   */
  readonly createNew?: boolean;
  /**
   * Truncates the file to nothing.
   *
   * @default {false}
   */
  readonly truncate?: boolean;
  /**
   * Permission bits of a file that is created.
   *
   * @default {0o666}
   */
  readonly mode?: number;
}

/**
 * A file, read and written at positions.
 *
 * ```ts
 * import { Reactor } from "@millrace/millrace/reactor";
 *
 * using reactor = Reactor.open();
 * const path = await Deno.makeTempFile();
 * const file = await reactor.driver.openFile(path, { read: true, write: true });
 * await file.writeAt(new TextEncoder().encode("Hello world!"), 0);
 * await file.syncData();
 * const into = new Uint8Array(5);
 * console.log(await file.readAt(into, 6), new TextDecoder().decode(into)); // 5 world
 * await file.close();
 * await Deno.remove(path);
 * ```
 */
export interface DriverFile {
  /**
   * Reads at byte `position` into one view or several, in order. Resolves to how many bytes, 0 at the end of the file; may
   * read fewer than there is room for.
   */
  readAt(into: Uint8Array | readonly Uint8Array[], position: number, options?: Abortable): Promise<number>;
  /**
   * Writes one view or several, in order, at byte `position`. Resolves to how many bytes, which may be fewer.
   *
   * @throws {RangeError} (as a rejection) when the position is not a whole number from 0; so does `readAt()`
   */
  writeAt(from: Uint8Array | readonly Uint8Array[], position: number, options?: Abortable): Promise<number>;
  /** Flushes data and metadata to the disk (`fsync`). After a failure, earlier writes may be lost. */
  sync(options?: Abortable): Promise<void>;
  /** Flushes data, and the metadata needed to read it back, to the disk (`fdatasync`). */
  syncData(options?: Abortable): Promise<void>;
  /** Closes the file; operations under way end first. */
  close(): Promise<void>;
}
