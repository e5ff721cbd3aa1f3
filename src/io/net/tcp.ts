import type { Address } from "../reactor/mod.ts";
import { StreamConn } from "./stream_conn.ts";

/**
 * A TCP connection; assignable to `Deno.TcpConn`.
 *
 * ```ts
 * import { connect, listen } from "@millrace/millrace/net";
 *
 * using listener = listen({ port: 0, hostname: "127.0.0.1" });
 * using conn = await connect({ port: listener.addr.port, noDelay: false });
 * conn.setNoDelay();
 * conn.setKeepAlive();
 * ```
 */
export class TcpConn extends StreamConn<Deno.NetAddr> implements Deno.TcpConn {
  /**
   * Sends small writes at once, or lets the kernel gather them.
   *
   * @default {true}
   */
  setNoDelay(noDelay = true): void {
    this.socket.setNoDelay(noDelay);
  }

  /**
   * Probes an idle connection now and then.
   *
   * @default {true}
   */
  setKeepAlive(keepAlive = true): void {
    this.socket.setKeepAlive(keepAlive);
  }
}

/**
 * A Unix socket connection; assignable to `Deno.UnixConn`.
 *
 * ```ts
 * import { connect, listen } from "@millrace/millrace/net";
 *
 * const directory = await Deno.makeTempDir();
 * const path = `${directory}/socket`;
 * using _listener = listen({ transport: "unix", path });
 * using conn = await connect({ transport: "unix", path });
 * console.log(conn.remoteAddr.path === path); // true
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export class UnixConn extends StreamConn<Deno.UnixAddr> implements Deno.UnixConn {}

/** An address of the driver's as Deno's. */
export function toNetAddr(address: Address): Deno.NetAddr {
  // A connection that a supervisor has passed on: its address is unknown in this process.
  if ("path" in address) return { transport: "tcp", hostname: "0.0.0.0", port: 0 };
  return { transport: "tcp", hostname: address.hostname, port: address.port };
}

/** A path of the driver's as Deno's address. */
export function toUnixAddr(address: Address): Deno.UnixAddr {
  if (!("path" in address)) throw new TypeError("expected the path of a Unix socket");
  return { transport: "unix", path: address.path };
}
