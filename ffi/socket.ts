/** Sockets before they carry data: created, bound, named, tuned. */
import { check, systemError } from "./errno.ts";
import { RESOLVED_ADDRESS } from "./layouts.ts";
import { native } from "./library.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  decodeSocketAddress,
  encodeSocketAddress,
  formatIp,
  parseIp,
  SOCKET_ADDRESS_BYTES_MAX,
  type SocketAddress,
} from "./socket_address.ts";

const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_KEEPALIVE = 9;
const SO_REUSEPORT = 15;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const SHUT_WR = 1;
const ENOENT = 2;
const RESOLVED_COUNT_MAX = 16;
const PEER = 1;
const LOCAL = 0;

const scratch = new Uint8Array(SOCKET_ADDRESS_BYTES_MAX);

function familyOf(address: SocketAddress): number {
  if ("path" in address) return AF_UNIX;
  return parseIp(address.hostname)?.byteLength === 16 ? AF_INET6 : AF_INET;
}

/** A stream socket to connect to `address`; returns its descriptor. */
export function streamSocket(address: SocketAddress): number {
  return check(native().millrace_socket(familyOf(address), SOCK_STREAM), "socket");
}

/** A datagram socket bound to `address`; returns its descriptor. */
export function datagramSocket(address: SocketAddress, reusePort: boolean): number {
  const fd = check(native().millrace_socket(familyOf(address), SOCK_DGRAM), "socket");
  return orClose(fd, () => {
    if (reusePort) setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    bind(fd, address);
  });
}

/** Options of {@linkcode listeningSocket}. */
export interface ListeningSocketOptions {
  /** Connections that may wait to be accepted. */
  readonly backlog: number;
  /** Several sockets may listen on the address, and the kernel spreads connections over them. */
  readonly reusePort: boolean;
}

/**
 * A stream socket that listens on `address`; returns its descriptor.
 *
 * @throws {Deno.errors.AddrInUse}
 */
export function listeningSocket(address: SocketAddress, options: ListeningSocketOptions): number {
  const fd = streamSocket(address);
  return orClose(fd, () => {
    if (!("path" in address)) {
      // As every server does: a restart must not wait until the connections of its predecessor have timed out.
      setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      if (options.reusePort) setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    bind(fd, address);
    check(native().millrace_socket_listen(fd, options.backlog), "listen", describe(address));
  });
}

/** Two connected Unix stream sockets. */
export function socketPair(): [number, number] {
  const out = new Int32Array(2);
  check(native().millrace_socket_pair(out), "socketpair");
  return [out[0], out[1]];
}

/** The local address of a socket. */
export function localAddress(fd: number): SocketAddress {
  return nameOf(fd, LOCAL, "getsockname");
}

/**
 * The address of the other side.
 *
 * @throws {Deno.errors.NotConnected}
 */
export function peerAddress(fd: number): SocketAddress {
  return nameOf(fd, PEER, "getpeername");
}

/** Sends small writes at once (TCP_NODELAY) or lets the kernel gather them. */
export function setNoDelay(fd: number, on: boolean): void {
  setOption(fd, IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
}

/** Probes an idle connection now and then (SO_KEEPALIVE). */
export function setKeepAlive(fd: number, on: boolean): void {
  setOption(fd, SOL_SOCKET, SO_KEEPALIVE, on ? 1 : 0);
}

/** Ends the sending direction. */
export function shutdownSend(fd: number): void {
  check(native().millrace_socket_shutdown(fd, SHUT_WR), "shutdown");
}

/**
 * Addresses of a host name by the system's resolver; an IP literal resolves to itself.
 *
 * Blocks this thread in the resolver: for listening, where names are local.
 *
 * @throws {Deno.errors.NotFound}
 */
export function resolveNow(hostname: string): string[] {
  const literal = parseIp(hostname);
  if (literal !== undefined) return [formatIp(literal)];
  const name = new TextEncoder().encode(hostname);
  const out = new Uint8Array(RESOLVED_ADDRESS.bytes * RESOLVED_COUNT_MAX);
  const count = native().millrace_resolve(name, name.byteLength, out, RESOLVED_COUNT_MAX);
  if (count === -ENOENT) {
    throw Object.assign(new Deno.errors.NotFound(`resolve ${hostname}: no such host name (ENOTFOUND)`), {
      operation: "resolve",
      code: "ENOTFOUND",
    });
  }
  check(count, "resolve", hostname);
  return Array.from({ length: count }, (_, index) => {
    const record = out.subarray(index * RESOLVED_ADDRESS.bytes, (index + 1) * RESOLVED_ADDRESS.bytes);
    return formatIp(record[0] === 4 ? record.subarray(1, 5) : record.subarray(1, 17));
  });
}

/** An address for people: `host:port`, `[host]:port` or the path. */
export function describe(address: SocketAddress): string {
  if ("path" in address) return address.path;
  return address.hostname.includes(":")
    ? `[${address.hostname}]:${address.port}`
    : `${address.hostname}:${address.port}`;
}

function bind(fd: number, address: SocketAddress): void {
  const length = encodeSocketAddress(address, scratch);
  check(native().millrace_socket_bind(fd, scratch, length), "bind", describe(address));
}

function nameOf(fd: number, which: number, operation: string): SocketAddress {
  const length = check(native().millrace_socket_name(fd, which, scratch, scratch.byteLength), operation);
  return decodeSocketAddress(scratch.subarray(0, length));
}

function setOption(fd: number, level: number, name: number, value: number): void {
  const result = native().millrace_socket_option(fd, level, name, value);
  if (result < 0) throw systemError("setsockopt", -result);
}

/** Runs `prepare`; when it throws, the descriptor is closed. */
function orClose(fd: number, prepare: () => void): number {
  try {
    prepare();
    return fd;
  } catch (error) {
    native().millrace_close(fd);
    throw error;
  }
}
