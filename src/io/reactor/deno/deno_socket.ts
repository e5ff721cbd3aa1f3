import { asSystemError } from "../../../../ffi/mod.ts";
import { assert } from "../../../base/mod.ts";
import type { BufferPool, PooledBuffer } from "../buffer_pool.ts";
import type { Address, DriverSocket, SocketHandler } from "../driver.ts";

/** Bytes of a connection's receive buffer at first; an idle connection holds one. */
const RECEIVE_BYTES_INITIAL = 4096;
/** Bytes of a receive buffer at most; the buffer doubles when a read fills it. */
const RECEIVE_BYTES_MAX = 65_536;

/** What all sockets of one driver share. */
export interface DenoShared {
  readonly buffers: BufferPool;
  /** What is open, to be closed with the driver. */
  readonly open: Set<{ close(): unknown }>;
}

/** A connection over `Deno.Conn`. */
export class DenoSocket implements DriverSocket {
  readonly #shared: DenoShared;
  readonly #conn: Deno.Conn;
  #handler: SocketHandler | undefined;
  #wanted = false;
  #reading = false;
  #closed = false;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  /** What one read brought after the owner had stopped. */
  #kept: { readonly bytes: Uint8Array<ArrayBuffer>; readonly byteLength: number } | undefined;
  #end: { readonly error: Error | undefined } | undefined;
  #endDelivered = false;

  constructor(shared: DenoShared, conn: Deno.Conn) {
    this.#shared = shared;
    this.#conn = conn;
    shared.open.add(this);
  }

  get localAddress(): Address {
    return addressOf(this.#conn.localAddr);
  }

  get remoteAddress(): Address {
    return addressOf(this.#conn.remoteAddr);
  }

  attach(handler: SocketHandler): void {
    assert(this.#handler === undefined, "DenoSocket.attach: called twice");
    this.#handler = handler;
  }

  startReceiving(): void {
    this.#wanted = true;
    if (!this.#reading && !this.#closed) {
      this.#reading = true;
      this.#receive();
    }
  }

  stopReceiving(): void {
    this.#wanted = false;
  }

  /** Reads while the owner wants data. A read that is under way when the owner stops is kept for the next start. */
  async #receive(): Promise<void> {
    if (this.#kept !== undefined || this.#end !== undefined) {
      // Callbacks never come from inside the call that made the request.
      await null;
      this.#deliverKept();
    }
    while (this.#wanted && !this.#closed && this.#end === undefined) {
      let buffer = this.#buffer ??= new Uint8Array(RECEIVE_BYTES_INITIAL);
      let byteLength: number | null;
      try {
        byteLength = await this.#conn.read(buffer);
      } catch (error) {
        this.#finish(asSystemError("receive", error));
        break;
      }
      if (this.#closed) break;
      if (byteLength === null) {
        this.#finish(undefined);
        break;
      }
      if (byteLength === buffer.byteLength && byteLength < RECEIVE_BYTES_MAX) {
        this.#buffer = new Uint8Array(2 * byteLength);
      }
      if (this.#wanted) {
        this.#handler?.onReceive(buffer, byteLength);
      } else {
        buffer = buffer.slice(0, byteLength);
        this.#kept = { bytes: buffer, byteLength };
      }
    }
    this.#reading = false;
  }

  #finish(error: Error | undefined): void {
    this.#end = { error };
    this.#buffer = undefined;
    this.#deliverKept();
  }

  #deliverKept(): void {
    const kept = this.#kept;
    if (this.#wanted && !this.#closed && kept !== undefined) {
      this.#kept = undefined;
      this.#handler?.onReceive(kept.bytes, kept.byteLength);
    }
    if (this.#wanted && !this.#closed && this.#end !== undefined && !this.#endDelivered) {
      this.#endDelivered = true;
      this.#handler?.onReceiveEnd(this.#end.error);
    }
  }

  async send(buffer: PooledBuffer, byteLength: number): Promise<void> {
    assert(!this.#closed, "DenoSocket.send: the socket is closed");
    const { bytes } = buffer;
    let failure: unknown;
    try {
      let sent = 0;
      while (sent < byteLength && !this.#closed) {
        sent += await this.#conn.write(bytes.subarray(sent, byteLength));
      }
    } catch (error) {
      failure = error;
    }
    this.#shared.buffers.release(buffer);
    if (this.#closed) return;
    if (failure === undefined) this.#handler?.onSent();
    else this.#handler?.onSendFailed(asSystemError("send", failure));
  }

  shutdownSend(): void {
    // The other side may be gone already: the next read or write reports that.
    this.#conn.closeWrite().catch(() => {});
  }

  setNoDelay(on: boolean): void {
    if ("setNoDelay" in this.#conn) (this.#conn as Deno.TcpConn).setNoDelay(on);
  }

  setKeepAlive(on: boolean): void {
    if ("setKeepAlive" in this.#conn) (this.#conn as Deno.TcpConn).setKeepAlive(on);
  }

  setReferenced(referenced: boolean): void {
    if (this.#closed) return;
    if (referenced) this.#conn.ref();
    else this.#conn.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wanted = false;
    this.#handler = undefined;
    this.#kept = undefined;
    this.#shared.open.delete(this);
    this.#conn.close();
  }
}

/** An address of Deno's as one of ours. */
export function addressOf(address: Deno.Addr): Address {
  if ("hostname" in address) return { hostname: address.hostname, port: address.port };
  // Deno has `null` for a side without a name.
  if ("path" in address) return { path: address.path ?? "" };
  throw new TypeError(`unexpected address of transport "${address.transport}"`);
}
