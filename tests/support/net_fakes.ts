import { assert, assertStrictEquals } from "@std/assert";
import {
  type Address,
  BufferPool,
  type DriverSocket,
  type PooledBuffer,
  type SocketHandler,
} from "../../src/io/reactor/mod.ts";

/** A pool over ordinary memory. */
export function plainPool(options: { bufferByteLength?: number; bufferCountMax?: number } = {}): BufferPool {
  return new BufferPool({
    ...options,
    allocateSlab: (byteLength) => ({ bytes: new Uint8Array(byteLength) }),
  });
}

/** A socket whose sends end when the test says so. It checks what a driver may rely on. */
export class FakeSocket implements DriverSocket {
  readonly localAddress: Address = { hostname: "127.0.0.1", port: 1 };
  readonly remoteAddress: Address = { hostname: "127.0.0.1", port: 2 };
  /** Bytes of every send so far, in order. */
  readonly sent: Uint8Array[] = [];
  handler: SocketHandler | undefined;
  /** Buffer of the send under way. */
  sending: PooledBuffer | undefined;
  receiving = false;
  shutdownCount = 0;
  closed = false;

  attach(handler: SocketHandler): void {
    assertStrictEquals(this.handler, undefined, "attach() was called twice");
    this.handler = handler;
  }

  startReceiving(): void {
    this.receiving = true;
  }

  stopReceiving(): void {
    this.receiving = false;
  }

  send(buffer: PooledBuffer, byteLength: number): void {
    assertStrictEquals(this.closed, false, "send() on a closed socket");
    assertStrictEquals(this.sending, undefined, "send() while another is under way");
    assertStrictEquals(this.shutdownCount, 0, "send() after shutdownSend()");
    assertStrictEquals(buffer.held, true, "send() of a buffer that nobody holds");
    assert(byteLength > 0 && byteLength <= buffer.bytes.byteLength, `send() of ${byteLength} bytes`);
    this.sending = buffer;
    this.sent.push(buffer.bytes.slice(0, byteLength));
  }

  /** Ends the send under way the way a driver does: the buffer goes back first. */
  complete(pool: BufferPool, error?: Error): void {
    const buffer = this.sending;
    assert(buffer !== undefined, "no send is under way");
    this.sending = undefined;
    pool.release(buffer);
    if (this.closed) return;
    if (error === undefined) this.handler?.onSent();
    else this.handler?.onSendFailed(error);
  }

  shutdownSend(): void {
    assertStrictEquals(this.sending, undefined, "shutdownSend() while a send is under way");
    this.shutdownCount++;
  }

  setNoDelay(): void {}

  setKeepAlive(): void {}

  setReferenced(): void {}

  close(): void {
    this.closed = true;
  }
}
