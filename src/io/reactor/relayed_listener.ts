import type { BufferPool, PooledBuffer } from "./buffer_pool.ts";
import type { AcceptHandler, Address, DriverListener, DriverSocket, SocketHandler } from "./driver.ts";

/** Bytes of the line that describes a connection, at most. */
const PREFACE_BYTES_MAX = 512;
const LINE_FEED = 10;
/** The byte that acknowledges a connection. */
const TAKEN = 6;
const UNKNOWN: Address = { hostname: "0.0.0.0", port: 0 };

/**
 * A listener whose connections are passed on by a supervisor that listens elsewhere.
 *
 * Each begins with a line of JSON that says where it comes from. The listener takes it by sending one byte back. A connection
 * that it closes before that is offered to another process, and loses nothing.
 */
export class RelayedListener implements DriverListener {
  readonly localAddress: Address;
  readonly #listener: DriverListener;
  readonly #buffers: BufferPool;
  readonly #offered = new Set<OfferedSocket>();
  #handler: AcceptHandler | undefined;

  /** `address` is the address at which the supervisor listens. */
  constructor(listener: DriverListener, buffers: BufferPool, address: Address) {
    this.#listener = listener;
    this.#buffers = buffers;
    this.localAddress = address;
  }

  startAccepting(handler: AcceptHandler): void {
    this.#handler = handler;
    this.#listener.startAccepting({
      onAccept: (socket) => {
        const offered = new OfferedSocket(
          socket,
          this.#buffers,
          this.localAddress,
          () => this.#decide(offered),
        );
        this.#offered.add(offered);
      },
      onAcceptError: (error) => this.#handler?.onAcceptError(error),
    });
    for (const offered of [...this.#offered]) {
      if (offered.isOffered) queueMicrotask(() => this.#decide(offered));
    }
  }

  stopAccepting(): void {
    this.#handler = undefined;
    this.#listener.stopAccepting();
  }

  setReferenced(referenced: boolean): void {
    this.#listener.setReferenced(referenced);
  }

  close(): void {
    this.#handler = undefined;
    this.#listener.close();
    for (const offered of this.#offered) offered.close();
    this.#offered.clear();
  }

  /** The line has arrived, or failed to: takes the connection, or keeps it for the next start. */
  #decide(offered: OfferedSocket): void {
    if (!this.#offered.has(offered)) return;
    if (!offered.isOffered) {
      this.#offered.delete(offered);
      offered.close();
      return;
    }
    if (this.#handler === undefined) return;
    const buffer = this.#buffers.acquire();
    if (buffer === undefined) {
      this.#buffers.whenAvailable(() => this.#decide(offered));
      return;
    }
    this.#offered.delete(offered);
    offered.take(buffer);
    this.#handler.onAccept(offered);
  }
}

/** A connection that is passed on: first offered, then like any other. */
class OfferedSocket implements DriverSocket, SocketHandler {
  readonly localAddress: Address;
  remoteAddress: Address = UNKNOWN;
  readonly #socket: DriverSocket;
  readonly #buffers: BufferPool;
  readonly #onDecided: () => void;
  #preface = new Uint8Array(0);
  #state: "reading" | "offered" | "failed" | "taken" = "reading";
  #handler: SocketHandler | undefined;
  /** Data that the owner sends before the acknowledging byte has gone. */
  #waiting: { readonly buffer: PooledBuffer; readonly byteLength: number } | undefined;
  #taking = false;
  #shutdownWaits = false;

  constructor(socket: DriverSocket, buffers: BufferPool, localAddress: Address, onDecided: () => void) {
    this.#socket = socket;
    this.#buffers = buffers;
    this.localAddress = localAddress;
    this.#onDecided = onDecided;
    socket.attach(this);
    socket.startReceiving();
  }

  get isOffered(): boolean {
    return this.#state === "offered";
  }

  take(buffer: PooledBuffer): void {
    this.#state = "taken";
    this.#taking = true;
    buffer.bytes[0] = TAKEN;
    this.#socket.send(buffer, 1);
  }

  attach(handler: SocketHandler): void {
    this.#handler = handler;
  }

  startReceiving(): void {
    this.#socket.startReceiving();
  }

  stopReceiving(): void {
    this.#socket.stopReceiving();
  }

  send(buffer: PooledBuffer, byteLength: number): void {
    if (this.#taking) this.#waiting = { buffer, byteLength };
    else this.#socket.send(buffer, byteLength);
  }

  shutdownSend(): void {
    if (this.#taking) this.#shutdownWaits = true;
    else this.#socket.shutdownSend();
  }

  setNoDelay(): void {}

  setKeepAlive(): void {}

  setReferenced(referenced: boolean): void {
    this.#socket.setReferenced(referenced);
  }

  close(): void {
    this.#handler = undefined;
    this.#socket.close();
    this.#dropWaiting();
  }

  onReceive(bytes: Uint8Array<ArrayBuffer>, byteLength: number): void {
    if (this.#state === "taken") this.#handler?.onReceive(bytes, byteLength);
    else if (this.#state === "reading") this.#read(bytes.subarray(0, byteLength));
  }

  onReceiveEnd(error: Error | undefined): void {
    if (this.#state === "taken") this.#handler?.onReceiveEnd(error);
    else this.#decided("failed");
  }

  onSent(): void {
    if (!this.#taking) {
      this.#handler?.onSent();
      return;
    }
    this.#taking = false;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.#socket.send(waiting.buffer, waiting.byteLength);
    else if (this.#shutdownWaits) this.#socket.shutdownSend();
  }

  onSendFailed(error: Error): void {
    this.#taking = false;
    this.#dropWaiting();
    this.#handler?.onSendFailed(error);
  }

  #dropWaiting(): void {
    if (this.#waiting !== undefined) this.#buffers.release(this.#waiting.buffer);
    this.#waiting = undefined;
  }

  #read(bytes: Uint8Array): void {
    const preface = new Uint8Array(this.#preface.byteLength + bytes.byteLength);
    preface.set(this.#preface);
    preface.set(bytes, this.#preface.byteLength);
    this.#preface = preface;
    if (preface.at(-1) !== LINE_FEED) {
      if (preface.byteLength > PREFACE_BYTES_MAX) this.#decided("failed");
      return;
    }
    // The supervisor sends no more before it has the acknowledgement.
    this.#socket.stopReceiving();
    try {
      const { hostname, port } = JSON.parse(new TextDecoder().decode(preface));
      if (hostname !== undefined) this.remoteAddress = { hostname, port };
      this.#decided("offered");
    } catch {
      this.#decided("failed");
    }
  }

  #decided(state: "offered" | "failed"): void {
    this.#state = state;
    this.#onDecided();
  }
}
