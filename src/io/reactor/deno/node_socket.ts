import type { Socket } from "node:net";
import { asSystemError } from "../../../../ffi/mod.ts";
import { assert } from "../../../base/mod.ts";
import type { PooledBuffer } from "../buffer_pool.ts";
import type { Address, DriverSocket, SocketHandler } from "../driver.ts";
import type { DenoShared } from "./deno_socket.ts";

/** A connection over a socket of `node:net`, which is paused, and whose other half stays open when one ends. */
export class NodeSocket implements DriverSocket {
  readonly #shared: DenoShared;
  readonly #socket: Socket;
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  #handler: SocketHandler | undefined;
  #wanted = false;
  #closed = false;
  #end: { readonly error: Error | undefined } | undefined;
  #endDelivered = false;

  constructor(shared: DenoShared, socket: Socket) {
    this.#shared = shared;
    this.#socket = socket;
    // Node has no addresses for a Unix socket.
    this.localAddress = addressOf(socket.localAddress, socket.localPort);
    this.remoteAddress = addressOf(socket.remoteAddress, socket.remotePort);
    socket.on("data", (bytes: Uint8Array<ArrayBuffer>) => this.#receive(bytes));
    socket.on("end", () => this.#finish(undefined));
    socket.on("error", (error) => this.#finish(asSystemError("receive", error)));
    // Adding a "data" handler has let it flow.
    socket.pause();
    shared.open.add(this);
  }

  attach(handler: SocketHandler): void {
    assert(this.#handler === undefined, "NodeSocket.attach: called twice");
    this.#handler = handler;
  }

  startReceiving(): void {
    if (this.#closed) return;
    this.#wanted = true;
    this.#socket.resume();
    // Callbacks never come from inside the call that made the request.
    if (this.#end !== undefined) queueMicrotask(() => this.#deliverEnd());
  }

  stopReceiving(): void {
    this.#wanted = false;
    this.#socket.pause();
  }

  send(buffer: PooledBuffer, byteLength: number): void {
    assert(!this.#closed, "NodeSocket.send: the socket is closed");
    this.#socket.write(buffer.bytes.subarray(0, byteLength), (error) => {
      this.#shared.buffers.release(buffer);
      if (this.#closed) return;
      if (error === null || error === undefined) this.#handler?.onSent();
      else this.#handler?.onSendFailed(asSystemError("send", error));
    });
  }

  shutdownSend(): void {
    this.#socket.end();
  }

  setNoDelay(on: boolean): void {
    this.#socket.setNoDelay(on);
  }

  setKeepAlive(on: boolean): void {
    this.#socket.setKeepAlive(on);
  }

  setReferenced(referenced: boolean): void {
    if (this.#closed) return;
    if (referenced) this.#socket.ref();
    else this.#socket.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wanted = false;
    this.#handler = undefined;
    this.#shared.open.delete(this);
    this.#socket.destroy();
  }

  #receive(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#closed) return;
    if (this.#wanted) this.#handler?.onReceive(bytes, bytes.byteLength);
    // Read before the pause took effect: put back, for the next start.
    else this.#socket.unshift(bytes);
  }

  #finish(error: Error | undefined): void {
    this.#end ??= { error };
    this.#deliverEnd();
  }

  #deliverEnd(): void {
    if (!this.#wanted || this.#closed || this.#end === undefined || this.#endDelivered) return;
    this.#endDelivered = true;
    this.#handler?.onReceiveEnd(this.#end.error);
  }
}

function addressOf(hostname: string | undefined, port: number | undefined): Address {
  return hostname === undefined || port === undefined ? { path: "" } : { hostname, port };
}
