import { assert } from "../../base/mod.ts";
import type { BufferPool, PooledBuffer } from "./buffer_pool.ts";
import type { DriverSocket } from "./driver.ts";

/** Buffers that one connection may have queued for sending, besides the one under way. */
export const SEND_QUEUE_BUFFERS_MAX = 4;

/**
 * Data queued for sending on one connection, encoded in place into pooled buffers.
 *
 * ```text
 * reserve(n) ──▶ write bytes[at ..] ──▶ commit(n) ──▶ … ──▶ flush() ──▶ one send for everything committed
 * ```
 * An idle queue holds no buffer. When the pool is empty or the queue has {@linkcode SEND_QUEUE_BUFFERS_MAX} buffers,
 * `reserve()` returns false, and the owner goes on after `sent()`, or when the pool has a buffer again.
 */
export class SendQueue {
  /** The buffer to write into, after a successful `reserve()`. */
  bytes: Uint8Array<ArrayBuffer> = EMPTY;
  /** Where in {@linkcode SendQueue.bytes} the next byte goes. */
  at = 0;
  readonly #socket: DriverSocket;
  readonly #pool: BufferPool;
  #filling: PooledBuffer | undefined;
  #full: { readonly buffer: PooledBuffer; readonly byteLength: number }[] | undefined;
  #sending = false;
  #sendingBytes = 0;
  #sentBytes = 0;
  #closed = false;

  /** A queue for `socket`, whose owner passes its events on to `sent()`. */
  constructor(socket: DriverSocket, pool: BufferPool) {
    this.#socket = socket;
    this.#pool = pool;
  }

  /** The most that one `reserve()` can request, in bytes. */
  get reserveBytesMax(): number {
    return this.#pool.bufferByteLength;
  }

  /** Whether everything committed is with the kernel. */
  get idle(): boolean {
    return !this.#sending && this.at === 0;
  }

  /** Whether a send is under way, so that `sent()` or a failure will follow. */
  get sending(): boolean {
    return this.#sending;
  }

  /** How many of the committed bytes are with the kernel, in total. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Makes room for `byteLength` bytes in one piece; false when there is none now. */
  reserve(byteLength: number): boolean {
    if (this.#filling !== undefined && this.bytes.byteLength - this.at >= byteLength) return true;
    return this.#nextBuffer(byteLength);
  }

  /** Adds the `byteLength` bytes written at {@linkcode SendQueue.at}. */
  commit(byteLength: number): void {
    this.at += byteLength;
    assert(this.at <= this.bytes.byteLength, "SendQueue.commit: more than was reserved");
  }

  /** Copies as much of `data` from `start` as there is room for; returns how many bytes. */
  append(data: Uint8Array, start: number): number {
    let copied = 0;
    const length = data.byteLength - start;
    while (copied < length && this.reserve(1)) {
      const count = Math.min(length - copied, this.bytes.byteLength - this.at);
      const whole = count === data.byteLength;
      this.bytes.set(whole ? data : data.subarray(start + copied, start + copied + count), this.at);
      this.at += count;
      copied += count;
    }
    return copied;
  }

  /** Sends what is committed. While a send is under way, that goes out right after it. */
  flush(): void {
    if (!this.#sending) this.#sendNext();
  }

  /** To be called when the socket reports that the last send is done. */
  sent(): void {
    assert(this.#sending, "SendQueue.sent: no send is under way");
    this.#sending = false;
    this.#sentBytes += this.#sendingBytes;
    this.#sendNext();
  }

  /** Gives back every buffer that is not being sent. Nothing may be added afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#filling !== undefined) this.#pool.release(this.#filling);
    for (const { buffer } of this.#full ?? []) this.#pool.release(buffer);
    this.#filling = this.#full = undefined;
    this.bytes = EMPTY;
    this.at = 0;
  }

  #nextBuffer(byteLength: number): boolean {
    assert(byteLength <= this.#pool.bufferByteLength, "SendQueue.reserve: more than one buffer holds");
    if (this.#closed) return false;
    if (this.#filling !== undefined && (this.#full?.length ?? 0) + 1 >= SEND_QUEUE_BUFFERS_MAX) return false;
    const buffer = this.#pool.acquire();
    if (buffer === undefined) return false;
    if (this.#filling !== undefined) {
      (this.#full ??= []).push({ buffer: this.#filling, byteLength: this.at });
    }
    this.#filling = buffer;
    this.bytes = buffer.bytes;
    this.at = 0;
    return true;
  }

  #sendNext(): void {
    if (this.#closed) return;
    const next = this.#full?.shift();
    if (next !== undefined) {
      this.#send(next.buffer, next.byteLength);
      return;
    }
    const filling = this.#filling;
    if (filling === undefined || this.at === 0) return;
    const byteLength = this.at;
    this.#filling = undefined;
    this.bytes = EMPTY;
    this.at = 0;
    this.#send(filling, byteLength);
  }

  #send(buffer: PooledBuffer, byteLength: number): void {
    this.#sending = true;
    this.#sendingBytes = byteLength;
    this.#socket.send(buffer, byteLength);
  }
}

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);
