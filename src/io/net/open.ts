import { defaultReactor, openListener, type Reactor } from "../reactor/mod.ts";
import { DatagramConn } from "./datagram_conn.ts";
import { Listener } from "./listener.ts";
import { TcpConn, toNetAddr, toUnixAddr, UnixConn } from "./tcp.ts";
import type { WaitOptions } from "../../base/mod.ts";
import { refuseWait, Wait } from "./wait.ts";

/** Options of every opening call. */
export interface ReactorOption {
  /**
   * What to run on.
   *
   * @default {defaultReactor()}
   */
  reactor?: Reactor;
}

/** Options of {@linkcode listen} on TCP. */
export interface ListenOptions extends ReactorOption {
  /** Selects TCP; may be left out. */
  transport?: "tcp";
  /** 0 takes a free one. */
  port: number;
  /**
   * Address or name to listen on.
   *
   * @default {"0.0.0.0"}
   */
  hostname?: string;
  /**
   * Lets several listeners share the port; the kernel spreads connections over them.
   *
   * @default {false}
   */
  reusePort?: boolean;
  /**
   * Connections that may wait to be accepted; the system may allow fewer.
   *
   * @default {1024}
   */
  backlog?: number;
  /**
   * Takes over the listening socket of this name that the process was started with, by a supervisor or by systemd's socket
   * activation. Without one, the address is used: the same program also runs by itself.
   */
  inherit?: string;
  /**
   * Whether accepted connections send small writes at once.
   *
   * @default {true}
   */
  noDelay?: boolean;
}

/** Options of {@linkcode listen} on a Unix socket. */
export interface ListenUnixOptions extends ReactorOption {
  /** Selects a Unix socket. */
  transport: "unix";
  /** Path of the socket, at most 107 bytes. It must not exist; the caller removes it afterwards. */
  path: string;
  /**
   * Connections that may wait to be accepted.
   *
   * @default {1024}
   */
  backlog?: number;
  /** Takes over the listening socket of this name that the process was started with, if there is one. */
  inherit?: string;
}

/** Options of {@linkcode connect} over TCP. */
export interface ConnectOptions extends ReactorOption, WaitOptions {
  /** Selects TCP; may be left out. */
  transport?: "tcp";
  /** 1 to 65535. */
  port: number;
  /**
   * Address or name; every address of a name is tried in turn.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * Whether small writes are sent at once.
   *
   * @default {true}
   */
  noDelay?: boolean;
}

/** Options of {@linkcode connect} to a Unix socket. */
export interface ConnectUnixOptions extends ReactorOption, WaitOptions {
  /** Selects a Unix socket. */
  transport: "unix";
  /** Path of the socket, at most 107 bytes. */
  path: string;
}

/** Options of {@linkcode listenDatagram}. */
export interface ListenDatagramOptions extends ReactorOption, WaitOptions {
  /** Selects UDP; may be left out. */
  transport?: "udp";
  /** 0 takes a free one. */
  port: number;
  /**
   * Address or name to bind to.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * Lets several sockets share the port; only io_uring supports it.
   *
   * @default {false}
   */
  reusePort?: boolean;
}

/** A TCP listener; what {@linkcode listen} returns. */
export type TcpListener = Listener<TcpConn, Deno.NetAddr>;
/** A Unix socket listener. */
export type UnixListener = Listener<UnixConn, Deno.UnixAddr>;

const BACKLOG = 1024;

/**
 * Listens on a TCP port or a Unix socket.
 *
 * ```ts
 * import { connect, listen } from "@millrace/millrace/net";
 *
 * using listener = listen({ port: 0, hostname: "127.0.0.1" });
 * using client = await connect({ port: listener.addr.port });
 * using conn = await listener.accept();
 * await client.write(new TextEncoder().encode("ping"));
 * const into = new Uint8Array(16);
 * console.log(await conn.read(into)); // 4
 * ```
 *
 * @throws {Deno.errors.AddrInUse} when the port or path is taken
 */
export function listen(options: ListenOptions): TcpListener;
/**
 * Listens on a Unix socket.
 *
 * @throws {Deno.errors.AddrInUse} when the path exists
 */
export function listen(options: ListenUnixOptions): UnixListener;
export function listen(options: ListenOptions | ListenUnixOptions): TcpListener | UnixListener {
  const { reactor = defaultReactor(), backlog = BACKLOG } = options;
  if (options.transport === "unix") {
    const address = { path: options.path };
    const tuning = { backlog, reusePort: false, noDelay: false };
    const socket = openListener(reactor.driver, options.inherit, address, tuning);
    const addr = toUnixAddr(socket.localAddress);
    return new Listener(reactor, socket, addr, (accepted) => new UnixConn(reactor, accepted, toUnixAddr));
  }
  const { port, hostname = "0.0.0.0", reusePort = false, noDelay = true, inherit } = options;
  const address = { hostname, port };
  const socket = openListener(reactor.driver, inherit, address, { backlog, reusePort, noDelay });
  const addr = toNetAddr(socket.localAddress);
  return new Listener(reactor, socket, addr, (accepted) => new TcpConn(reactor, accepted, toNetAddr));
}

/**
 * Connects to a TCP port or a Unix socket.
 *
 * ```ts
 * import { connect, listen } from "@millrace/millrace/net";
 *
 * using listener = listen({ port: 0, hostname: "127.0.0.1" });
 * using conn = await connect({ port: listener.addr.port, timeoutMs: 5000 });
 * console.log(conn.remoteAddr.port === listener.addr.port); // true
 * ```
 *
 * @throws {DOMException} (as a rejection) named `TimeoutError` when `timeoutMs` has passed
 * @throws {Deno.errors.ConnectionRefused} (as a rejection) when the address has no listener
 * @throws {Deno.errors.NotFound} (as a rejection) when the host name is unknown
 */
export function connect(options: ConnectOptions): Promise<TcpConn>;
/**
 * Connects to a Unix socket.
 *
 * @throws {Deno.errors.NotFound} (as a rejection) when the path does not exist
 */
export function connect(options: ConnectUnixOptions): Promise<UnixConn>;
export async function connect(options: ConnectOptions | ConnectUnixOptions): Promise<TcpConn | UnixConn> {
  const { reactor = defaultReactor() } = options;
  const refusal = refuseWait("connect", options);
  if (refusal !== undefined) throw refusal.reason;
  const giveUp = new AbortController();
  const wait: Wait<TcpConn | UnixConn> = new Wait(reactor, "connect", options, () => giveUp.abort());
  const opening = options.transport === "unix"
    ? reactor.driver.connect({ path: options.path }, { signal: giveUp.signal, noDelay: false })
      .then((socket) => new UnixConn(reactor, socket, toUnixAddr))
    : reactor.driver.connect(
      { hostname: options.hostname ?? "127.0.0.1", port: options.port },
      { signal: giveUp.signal, noDelay: options.noDelay ?? true },
    ).then((socket) => new TcpConn(reactor, socket, toNetAddr));
  opening.then((conn) => {
    // Aborted after the driver had connected.
    if (giveUp.signal.aborted) conn.close();
    else wait.resolve(conn);
  }, (error) => wait.reject(error));
  const attempt = {
    close(): void {
      giveUp.abort();
      wait.reject(new Deno.errors.BadResource("connect: the reactor is closed"));
    },
  };
  reactor.adopt(attempt);
  try {
    return await wait.promise;
  } finally {
    reactor.release(attempt);
  }
}

/**
 * Binds a UDP socket.
 *
 * ```ts
 * import { listenDatagram } from "@millrace/millrace/net";
 *
 * using receiver = await listenDatagram({ port: 0 });
 * using sender = await listenDatagram({ port: 0 });
 * await sender.send(new Uint8Array([1, 2, 3]), receiver.addr);
 * const [bytes] = await receiver.receive();
 * console.log(bytes.byteLength); // 3
 * ```
 *
 * @throws {Deno.errors.AddrInUse} (as a rejection) when the port is taken
 */
export async function listenDatagram(options: ListenDatagramOptions): Promise<DatagramConn> {
  const { reactor = defaultReactor(), port, hostname = "127.0.0.1", reusePort = false } = options;
  const refusal = refuseWait("listenDatagram", options);
  if (refusal !== undefined) throw refusal.reason;
  let givenUp = false;
  const wait = new Wait<DatagramConn>(reactor, "listenDatagram", options, () => givenUp = true);
  reactor.driver.bindDatagram({ hostname, port }, { reusePort }).then((socket) => {
    // Aborted during the name lookup.
    if (givenUp) socket.close();
    else wait.resolve(new DatagramConn(reactor, socket));
  }, (error) => wait.reject(error));
  return await wait.promise;
}
