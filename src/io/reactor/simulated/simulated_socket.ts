import { errno, systemError } from "../../../../ffi/mod.ts";
import { assert } from "../../../base/mod.ts";
import type { PooledBuffer } from "../buffer_pool.ts";
import type { Address, DriverSocket, SocketHandler } from "../driver.ts";
import type { Endpoint } from "./endpoint.ts";
import { SimulatedOperation } from "./operations.ts";
import { poison, type Shared } from "./shared.ts";

/** Bytes that one receive takes at most. */
const RECEIVE_BYTES_MAX = 8192;

/** A connection: one receive and at most one send under way. */
export class SimulatedSocket implements DriverSocket {
  readonly #shared: Shared;
  readonly #endpoint: Endpoint;
  readonly #receive: ReceiveOperation;
  readonly #send: SendOperation;
  #closed = false;

  constructor(shared: Shared, endpoint: Endpoint) {
    this.#shared = shared;
    this.#endpoint = endpoint;
    this.#receive = new ReceiveOperation(shared, endpoint);
    this.#send = new SendOperation(shared, endpoint, this.#receive);
    endpoint.onChange = () => {
      shared.operations.retry(this.#receive);
      shared.operations.retry(this.#send);
    };
    shared.open.add(this);
  }

  get localAddress(): Address {
    this.#checkOpen("getsockname");
    return this.#endpoint.localAddress;
  }

  get remoteAddress(): Address {
    this.#checkOpen("getpeername");
    return this.#endpoint.remoteAddress;
  }

  attach(handler: SocketHandler): void {
    assert(this.#receive.handler === undefined, "SimulatedSocket.attach: called twice");
    this.#receive.handler = handler;
  }

  startReceiving(): void {
    if (!this.#closed) this.#receive.begin();
  }

  stopReceiving(): void {
    this.#receive.stop();
  }

  send(buffer: PooledBuffer, byteLength: number): void {
    assert(!this.#closed, "SimulatedSocket.send: the socket is closed");
    this.#send.begin(buffer, byteLength);
  }

  shutdownSend(): void {
    this.#checkOpen("shutdown");
    assert(this.#send.state === "idle", "SimulatedSocket.shutdownSend: a send is under way");
    this.#endpoint.shutdown();
  }

  setNoDelay(): void {
    this.#checkOpen("setsockopt");
  }

  setKeepAlive(): void {
    this.#checkOpen("setsockopt");
  }

  setReferenced(referenced: boolean): void {
    this.#shared.operations.setReferenced(this.#receive, referenced);
    this.#shared.operations.setReferenced(this.#send, referenced);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#shared.open.delete(this);
    this.#receive.detach();
    this.#shared.operations.cancel(this.#receive);
    this.#shared.operations.cancel(this.#send);
    // What a send under way still holds is not sent: the operations have no effect once their side is closed.
    this.#endpoint.close();
  }

  /** The machine is gone: the other side finds out when it sends, or at once, which is the harder case. */
  vanish(): void {
    this.#closed = true;
    this.#receive.detach();
    this.#endpoint.reset();
  }

  #checkOpen(operation: string): void {
    if (this.#closed) throw systemError(operation, errno.EBADF);
  }
}

/** Receiving, one piece at a time. */
class ReceiveOperation extends SimulatedOperation {
  handler: SocketHandler | undefined;
  readonly #shared: Shared;
  readonly #endpoint: Endpoint;
  /** What the kernel has set aside for the completion. */
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  /** Whether the owner wants data now. */
  #wanted = false;
  #end: { readonly error: Error | undefined } | undefined;
  #endDelivered = false;
  /** What came in after the owner had stopped. */
  #kept: Uint8Array<ArrayBuffer> | undefined;

  constructor(shared: Shared, endpoint: Endpoint) {
    super("receive");
    this.#shared = shared;
    this.#endpoint = endpoint;
  }

  begin(): void {
    this.#wanted = true;
    if (this.#kept !== undefined || this.#end !== undefined) {
      this.#shared.operations.soon(() => this.#deliverKept());
    } else if (this.state === "idle") this.#shared.operations.start(this);
  }

  stop(): void {
    this.#wanted = false;
    this.#shared.operations.cancel(this);
  }

  detach(): void {
    this.#wanted = false;
    this.handler = undefined;
    this.#kept = undefined;
  }

  override strike(number: number): void {
    if (number === errno.ECONNRESET) this.#endpoint.reset();
  }

  override attempt(): void {
    const most = 1 + this.#shared.scheduler.random.below(RECEIVE_BYTES_MAX);
    const received = this.#endpoint.read(this.short ? 1 : most);
    if (received === undefined) return;
    this.#bytes = typeof received === "number" ? undefined : received;
    this.#shared.operations.decide(this, typeof received === "number" ? received : received.byteLength);
  }

  override complete(result: number): void {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    if (this.handler === undefined) return;
    if (bytes !== undefined) this.#pass(bytes);
    else if (result === 0) this.#finish(undefined);
    else if (result !== -errno.ECANCELED) this.#finish(systemError("receive", -result));
    if (this.#wanted && this.#end === undefined && this.state === "idle" && this.#kept === undefined) {
      this.#shared.operations.start(this);
    }
  }

  #pass(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#wanted) {
      this.#kept = bytes;
      return;
    }
    this.handler?.onReceive(bytes, bytes.byteLength);
    poison(bytes);
  }

  #finish(error: Error | undefined): void {
    this.#end = { error };
    this.#deliverKept();
  }

  #deliverKept(): void {
    const kept = this.#kept;
    if (!this.#wanted) return;
    if (kept !== undefined) {
      this.#kept = undefined;
      this.handler?.onReceive(kept, kept.byteLength);
      poison(kept);
    }
    // The handler may have stopped, or closed.
    if (!this.#wanted) return;
    if (this.#end === undefined) {
      if (this.state === "idle") this.#shared.operations.start(this);
    } else if (!this.#endDelivered) {
      this.#endDelivered = true;
      this.handler?.onReceiveEnd(this.#end.error);
    }
  }
}

/** Sending one buffer, in as many parts as room allows. */
class SendOperation extends SimulatedOperation {
  readonly #shared: Shared;
  readonly #endpoint: Endpoint;
  readonly #receive: ReceiveOperation;
  #buffer: PooledBuffer | undefined;
  #sent = 0;
  #byteLength = 0;

  constructor(shared: Shared, endpoint: Endpoint, receive: ReceiveOperation) {
    super("send");
    this.#shared = shared;
    this.#endpoint = endpoint;
    this.#receive = receive;
  }

  begin(buffer: PooledBuffer, byteLength: number): void {
    assert(this.#buffer === undefined, "SimulatedSocket.send: the send before is not complete");
    assert(
      byteLength > 0 && byteLength <= buffer.bytes.byteLength,
      "SimulatedSocket.send: byteLength out of range",
    );
    this.#buffer = buffer;
    this.#sent = 0;
    this.#byteLength = byteLength;
    this.#shared.operations.start(this);
  }

  override strike(number: number): void {
    if (number === errno.ECONNRESET) this.#endpoint.reset();
  }

  override attempt(): void {
    const buffer = this.#buffer;
    assert(buffer !== undefined, "SendOperation.attempt: no buffer");
    const count = this.#endpoint.write(buffer.bytes.subarray(this.#sent, this.#byteLength));
    if (count < 0) {
      this.#shared.operations.decide(this, count);
      return;
    }
    this.#sent += count;
    if (this.#sent === this.#byteLength) this.#shared.operations.decide(this, this.#sent);
  }

  override complete(result: number): void {
    const buffer = this.#buffer;
    assert(buffer !== undefined, "SendOperation.complete: no buffer");
    this.#buffer = undefined;
    poison(buffer.bytes);
    this.#shared.buffers.release(buffer);
    const { handler } = this.#receive;
    // Closed meanwhile: there is no handler to notify.
    if (handler === undefined) return;
    if (result > 0) handler.onSent();
    else handler.onSendFailed(systemError("send", -result));
  }
}
