import { assert } from "@std/assert";
import { Deque } from "../../src/base/mod.ts";
import {
  type BufferPool,
  type DriverSocket,
  type SocketHandler,
  waitForBuffer,
} from "../../src/io/reactor/mod.ts";

/** One side of a connection under test: keeps what arrives, counts what is called, and waits for either. */
export class Peer implements SocketHandler {
  readonly socket: DriverSocket;
  readonly #buffers: BufferPool;
  readonly #chunks = new Deque<Uint8Array<ArrayBuffer>>();
  readonly #waiting = new Set<() => void>();
  /** Bytes that came in, all. */
  receivedBytes = 0;
  /** Bytes that came in and `receive()` has not taken. */
  waitingBytes = 0;
  /** How receiving ended, once it has. */
  end: { readonly error: Error | undefined } | undefined;
  endCount = 0;
  sentCount = 0;
  /** How sending failed, once it has. */
  sendError: Error | undefined;
  closed = false;
  /** What the driver called although the socket was closed. */
  readonly callsAfterClose: string[] = [];
  /** Called with each piece that comes in. */
  onPiece: (byteLength: number) => void = () => {};

  constructor(socket: DriverSocket, buffers: BufferPool) {
    this.socket = socket;
    this.#buffers = buffers;
    socket.attach(this);
  }

  onReceive(bytes: Uint8Array<ArrayBuffer>, byteLength: number): void {
    if (this.closed) this.callsAfterClose.push("onReceive");
    assert(byteLength > 0 && byteLength <= bytes.byteLength, `onReceive: byteLength is ${byteLength}`);
    this.#chunks.pushBack(bytes.slice(0, byteLength));
    this.receivedBytes += byteLength;
    this.waitingBytes += byteLength;
    this.onPiece(byteLength);
    this.#changed();
  }

  onReceiveEnd(error: Error | undefined): void {
    if (this.closed) this.callsAfterClose.push("onReceiveEnd");
    this.end = { error };
    this.endCount++;
    this.#changed();
  }

  onSent(): void {
    if (this.closed) this.callsAfterClose.push("onSent");
    this.sentCount++;
    this.#changed();
  }

  onSendFailed(error: Error): void {
    if (this.closed) this.callsAfterClose.push("onSendFailed");
    this.sendError = error;
    this.#changed();
  }

  /** Lets data come in. */
  start(): this {
    this.socket.startReceiving();
    return this;
  }

  /** Resolves when `condition` holds; looks whenever the driver calls. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** The next `byteLength` bytes. Rejects when receiving ends before. */
  async receive(byteLength: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.until(() => this.waitingBytes >= byteLength || this.end !== undefined);
    if (this.waitingBytes < byteLength) {
      const text = `receiving ended after ${this.waitingBytes} bytes, expected ${byteLength}`;
      throw new Error(text, { cause: this.end?.error });
    }
    return this.#take(byteLength);
  }

  /** How receiving ends: `undefined`, or the error. */
  async ended(): Promise<Error | undefined> {
    await this.until(() => this.end !== undefined);
    return this.end?.error;
  }

  /** Sends all of `bytes`, one pooled buffer after the other. Rejects with the error of the send. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength;) at += await this.sendPiece(bytes.subarray(at));
  }

  /** Sends as much of `bytes` as one buffer holds; resolves to how many bytes when it is with the kernel. */
  async sendPiece(bytes: Uint8Array): Promise<number> {
    const target = this.sentCount + 1;
    const count = await this.beginSend(bytes);
    await this.until(() => this.sentCount >= target || this.sendError !== undefined || this.closed);
    if (this.sendError !== undefined) throw this.sendError;
    if (this.closed) throw new Error("closed by this side");
    return count;
  }

  /** Starts to send as much of `bytes` as one buffer holds. */
  async beginSend(bytes: Uint8Array): Promise<number> {
    const buffer = await waitForBuffer(this.#buffers);
    if (this.closed) {
      this.#buffers.release(buffer);
      throw new Error("closed by this side");
    }
    const count = Math.min(bytes.byteLength, buffer.bytes.byteLength);
    buffer.bytes.set(bytes.subarray(0, count));
    this.socket.send(buffer, count);
    return count;
  }

  /** Closes the socket; what the driver calls afterwards is noted. */
  close(): void {
    this.closed = true;
    this.socket.close();
    this.#changed();
  }

  #take(byteLength: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(byteLength);
    this.waitingBytes -= byteLength;
    for (let at = 0; at < byteLength;) {
      const chunk = this.#chunks.popFront();
      assert(chunk !== undefined);
      const part = chunk.subarray(0, byteLength - at);
      bytes.set(part, at);
      at += part.byteLength;
      if (part.byteLength < chunk.byteLength) this.#chunks.pushFront(chunk.subarray(part.byteLength));
    }
    return bytes;
  }

  #changed(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
