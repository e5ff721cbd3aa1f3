import {
  errno,
  localAddress,
  peerAddress,
  type PinnedMemory,
  setKeepAlive,
  setNoDelay,
  shutdownSend,
  systemError,
  type Uring,
  uringLayout,
} from "../../../../ffi/mod.ts";
import { assert } from "../../../base/mod.ts";
import type { PooledBuffer } from "../buffer_pool.ts";
import type { Address, DriverSocket, SocketHandler } from "../driver.ts";
import { UringOperation } from "./operation_table.ts";
import type { UringShared } from "./uring_shared.ts";

const { CQE_BUFFER_SHIFT, CQE_FLAG } = uringLayout;

/** A connection whose data moves through the ring: one receive and at most one send under way. */
export class UringSocket implements DriverSocket {
  readonly fd: number;
  readonly #shared: UringShared;
  readonly #receive: ReceiveOperation;
  #send: SendOperation | undefined;
  #referenced = true;
  #closed = false;

  constructor(shared: UringShared, fd: number) {
    this.#shared = shared;
    this.fd = fd;
    this.#receive = new ReceiveOperation(shared, fd);
    shared.sockets.add(this);
  }

  get localAddress(): Address {
    return localAddress(this.#openFd("getsockname"));
  }

  get remoteAddress(): Address {
    return peerAddress(this.#openFd("getpeername"));
  }

  attach(handler: SocketHandler): void {
    assert(this.#receive.handler === undefined, "UringSocket.attach: called twice");
    this.#receive.handler = handler;
  }

  startReceiving(): void {
    if (!this.#closed) this.#receive.start();
  }

  stopReceiving(): void {
    this.#receive.stop();
  }

  send(buffer: PooledBuffer, byteLength: number): void {
    assert(!this.#closed, "UringSocket.send: the socket is closed");
    let send = this.#send;
    if (send === undefined) {
      send = new SendOperation(this.#shared, this.fd, this.#receive);
      send.referenced = this.#referenced;
      this.#send = send;
    }
    send.start(buffer as PooledBuffer<PinnedMemory>, byteLength);
  }

  shutdownSend(): void {
    const fd = this.#openFd("shutdown");
    try {
      shutdownSend(fd);
    } catch (error) {
      // The other side may be gone already: the next read or write reports that.
      if (!(error instanceof Deno.errors.NotConnected)) throw error;
    }
  }

  setNoDelay(on: boolean): void {
    setNoDelay(this.#openFd("setsockopt"), on);
  }

  setKeepAlive(on: boolean): void {
    setKeepAlive(this.#openFd("setsockopt"), on);
  }

  setReferenced(referenced: boolean): void {
    this.#referenced = referenced;
    this.#shared.table.setReferenced(this.#receive, referenced);
    if (this.#send !== undefined) this.#shared.table.setReferenced(this.#send, referenced);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#shared.sockets.delete(this);
    this.#receive.detach();
    const { table } = this.#shared;
    // Operations in flight would keep the connection open.
    table.cancel(this.#receive);
    if (this.#send !== undefined) table.cancel(this.#send);
    this.#shared.closeDescriptor(this.fd);
  }

  #openFd(operation: string): number {
    if (this.#closed) throw systemError(operation, errno.EBADF);
    return this.fd;
  }
}

/** Receiving: multishot where the kernel supports it, else one request after the other. */
class ReceiveOperation extends UringOperation {
  handler: SocketHandler | undefined;
  readonly #shared: UringShared;
  readonly #fd: number;
  /** Whether the owner wants data now. */
  #wanted = false;
  /** Whether the kernel delivers nothing more; `#endError` says why. */
  #ended = false;
  #endError: Error | undefined;
  #endDelivered = false;
  /** Whether any data has come in. */
  #received = false;
  /** What came in after the owner had stopped: copies, delivered at the next start. */
  #kept: Uint8Array<ArrayBuffer>[] | undefined;

  constructor(shared: UringShared, fd: number) {
    super();
    this.#shared = shared;
    this.#fd = fd;
  }

  start(): void {
    this.#wanted = true;
    if (this.#kept !== undefined || this.#ended) this.#shared.table.soon(() => this.#deliverKept());
    else if (this.state === "idle") this.#shared.table.submit(this);
  }

  stop(): void {
    this.#wanted = false;
    this.#shared.table.cancel(this);
  }

  detach(): void {
    this.#wanted = false;
    this.handler = undefined;
    this.#kept = undefined;
  }

  /**
   * The first request is for one piece of data: a connection that closes after it never has a multishot receive, whose
   * set-up and cancellation would cost more than receiving.
   */
  override prepare(ring: Uring, id: number): boolean {
    const multishot = this.#shared.multishotReceive && this.#received;
    return ring.prepareReceive(id, this.#fd, this.#shared.provided.group, multishot);
  }

  override complete(result: number, flags: number): void {
    if ((flags & CQE_FLAG.buffer) !== 0) {
      const bufferId = flags >>> CQE_BUFFER_SHIFT;
      const bytes = this.#shared.provided.take(bufferId);
      this.#received = true;
      try {
        if (result > 0) this.#pass(bytes, result);
      } finally {
        this.#shared.provided.giveBack(bufferId);
      }
    }
    if (result <= 0) this.#finish(result);
    // Every buffer is in use, perhaps those of this batch: a new request at once would fail the same way.
    if (result === -errno.ENOBUFS) this.#shared.table.soon(this.#again);
    else this.#again();
  }

  /** A multishot request may end at any completion; single requests end at each. */
  readonly #again = (): void => {
    if (this.state === "idle" && this.#wanted && !this.#ended && this.#kept === undefined) {
      this.#shared.table.submit(this);
    }
  };

  #pass(bytes: Uint8Array<ArrayBuffer>, byteLength: number): void {
    const handler = this.handler;
    if (handler === undefined) return;
    if (this.#wanted && this.#kept === undefined) handler.onReceive(bytes, byteLength);
    else (this.#kept ??= []).push(bytes.slice(0, byteLength));
  }

  #finish(result: number): void {
    switch (result) {
      case 0:
        this.#ended = true;
        break;
      // The owner stopped, or stopped and started again: `complete` decides.
      case -errno.ECANCELED:
      case -errno.EINTR:
      case -errno.EAGAIN:
        return;
      // The request is made again when the buffers of this batch have been given back.
      case -errno.ENOBUFS:
        this.#shared.statistics.bufferShortageCount++;
        return;
      default:
        this.#ended = true;
        this.#endError = systemError("receive", -result);
    }
    this.#deliverEnd();
  }

  #deliverKept(): void {
    while (this.#wanted && this.#kept !== undefined) {
      const bytes = this.#kept.shift();
      if (this.#kept.length === 0) this.#kept = undefined;
      if (bytes !== undefined) this.handler?.onReceive(bytes, bytes.byteLength);
    }
    if (!this.#wanted) return;
    if (this.#ended) this.#deliverEnd();
    else if (this.state === "idle") this.#shared.table.submit(this);
  }

  #deliverEnd(): void {
    if (!this.#wanted || this.#kept !== undefined || this.#endDelivered) return;
    this.#endDelivered = true;
    this.handler?.onReceiveEnd(this.#endError);
  }
}

/** Sending one buffer, in as many requests as it takes. */
class SendOperation extends UringOperation {
  readonly #shared: UringShared;
  readonly #fd: number;
  readonly #receive: ReceiveOperation;
  #buffer: PooledBuffer<PinnedMemory> | undefined;
  #sent = 0;
  #byteLength = 0;

  constructor(shared: UringShared, fd: number, receive: ReceiveOperation) {
    super();
    this.#shared = shared;
    this.#fd = fd;
    this.#receive = receive;
  }

  start(buffer: PooledBuffer<PinnedMemory>, byteLength: number): void {
    assert(this.#buffer === undefined, "UringSocket.send: the send before is not complete");
    assert(
      byteLength > 0 && byteLength <= buffer.bytes.byteLength,
      "UringSocket.send: byteLength out of range",
    );
    this.#buffer = buffer;
    this.#sent = 0;
    this.#byteLength = byteLength;
    this.#shared.table.countSend();
    this.#shared.table.submit(this);
  }

  override prepare(ring: Uring, id: number): boolean {
    const buffer = this.#buffer;
    assert(buffer !== undefined, "SendOperation.prepare: no buffer");
    return ring.prepareSend(
      id,
      this.#fd,
      buffer.slab,
      buffer.offset + this.#sent,
      this.#byteLength - this.#sent,
    );
  }

  override complete(result: number): void {
    const buffer = this.#buffer;
    assert(buffer !== undefined, "SendOperation.complete: no buffer");
    const handler = this.#receive.handler;
    if (result > 0) {
      this.#sent += result;
      if (this.#sent < this.#byteLength && handler !== undefined) {
        this.#shared.table.submit(this);
        return;
      }
    } else if ((result === -errno.EINTR || result === -errno.EAGAIN) && handler !== undefined) {
      this.#shared.table.submit(this);
      return;
    }
    this.#buffer = undefined;
    this.#shared.buffers.release(buffer);
    // Closed meanwhile: there is no handler to notify.
    if (handler === undefined) return;
    if (result > 0) handler.onSent();
    else handler.onSendFailed(systemError("send", -result));
  }
}
