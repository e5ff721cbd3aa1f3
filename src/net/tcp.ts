import type { Address } from "../reactor/mod.ts";
import { StreamConn } from "./stream_conn.ts";

/** A TCP connection; assignable to `Deno.TcpConn`. */
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

/** A Unix socket connection; assignable to `Deno.UnixConn`. */
export class UnixConn extends StreamConn<Deno.UnixAddr> implements Deno.UnixConn {}

/** An address of the driver's as Deno's. */
export function toNetAddr(address: Address): Deno.NetAddr {
  if ("path" in address) throw new TypeError("expected an internet address");
  return { transport: "tcp", hostname: address.hostname, port: address.port };
}

/** A path of the driver's as Deno's address. */
export function toUnixAddr(address: Address): Deno.UnixAddr {
  if (!("path" in address)) throw new TypeError("expected the path of a Unix socket");
  return { transport: "unix", path: address.path };
}
