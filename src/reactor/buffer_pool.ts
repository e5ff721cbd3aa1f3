import { assert } from "../base/mod.ts";

/** A piece of memory that a pool cuts into buffers. */
export interface Slab {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A buffer out of a {@linkcode BufferPool}. Whoever holds it gives it on or releases it, once. */
export class PooledBuffer<S extends Slab = Slab> {
  /** The memory, `bufferByteLength` long. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where it is cut from. */
  readonly slab: S;
  /** Its first byte in the slab. */
  readonly offset: number;
  /** Whether somebody holds it. */
  held = false;

  constructor(slab: S, offset: number, byteLength: number) {
    this.slab = slab;
    this.offset = offset;
    this.bytes = slab.bytes.subarray(offset, offset + byteLength);
  }
}

/** Options of {@linkcode BufferPool}. */
export interface BufferPoolOptions<S extends Slab> {
  /** Bytes of one buffer. @default {16384} */
  bufferByteLength?: number;
  /** Buffers at most. @default {8192} */
  bufferCountMax?: number;
  /** Makes the memory. Whole slabs of {@linkcode BUFFERS_PER_SLAB} buffers are made when needed, and kept. */
  allocateSlab: (byteLength: number) => S;
}

/** Buffers made at a time. */
export const BUFFERS_PER_SLAB = 32;
/** Default of `bufferByteLength`. */
export const BUFFER_BYTE_LENGTH = 16_384;
/** Default of `bufferCountMax`: with the default length, 128 MiB at most. */
export const BUFFER_COUNT_MAX = 8192;
/** Distance between buffers beyond their length: their first lines then fall into different cache sets. */
const COLOUR_BYTES = 128;

/**
 * Buffers of one size, bounded and counted; the most recently used is given first, because it is warm.
 *
 * When all are held, `acquire()` says so and `whenAvailable()` queues the caller, first come, first served.
 */
export class BufferPool<S extends Slab = Slab> {
  /** Bytes of one buffer. */
  readonly bufferByteLength: number;
  /** Buffers at most. */
  readonly bufferCountMax: number;
  readonly #allocateSlab: (byteLength: number) => S;
  readonly #free: PooledBuffer<S>[] = [];
  readonly #slabs: S[] = [];
  readonly #waiting = new Set<() => void>();
  #count = 0;

  constructor(options: BufferPoolOptions<S>) {
    const { bufferByteLength = BUFFER_BYTE_LENGTH, bufferCountMax = BUFFER_COUNT_MAX } = options;
    if (!(Number.isInteger(bufferByteLength) && bufferByteLength >= 1024)) {
      throw new RangeError(`BufferPool: bufferByteLength is ${bufferByteLength}, expected at least 1024`);
    }
    if (!(Number.isInteger(bufferCountMax) && bufferCountMax >= 1)) {
      throw new RangeError(`BufferPool: bufferCountMax is ${bufferCountMax}, expected at least 1`);
    }
    this.bufferByteLength = bufferByteLength;
    this.bufferCountMax = bufferCountMax;
    this.#allocateSlab = options.allocateSlab;
  }

  /** Buffers that are held now. */
  get heldCount(): number {
    return this.#count - this.#free.length;
  }

  /** Callers that wait for a buffer. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** A buffer, or `undefined` when all are held. */
  acquire(): PooledBuffer<S> | undefined {
    let buffer = this.#free.pop();
    if (buffer === undefined) {
      if (this.#count >= this.bufferCountMax) return undefined;
      this.#grow();
      buffer = this.#free.pop();
    }
    if (buffer !== undefined) buffer.held = true;
    return buffer;
  }

  /** Takes a buffer back. */
  release(buffer: PooledBuffer<S>): void {
    assert(buffer.held, "BufferPool.release: the buffer is not held");
    buffer.held = false;
    this.#free.push(buffer);
    if (this.#waiting.size === 0) return;
    for (const callback of this.#waiting) {
      this.#waiting.delete(callback);
      queueMicrotask(callback);
      return;
    }
  }

  /** Calls back once when a buffer has been released; try `acquire()` then, and again if another was faster. */
  whenAvailable(callback: () => void): void {
    this.#waiting.add(callback);
  }

  /** Withdraws a `whenAvailable()`. */
  forget(callback: () => void): void {
    this.#waiting.delete(callback);
  }

  /** The memory of the pool, for its owner to free. */
  get slabs(): readonly S[] {
    return this.#slabs;
  }

  #grow(): void {
    const count = Math.min(BUFFERS_PER_SLAB, this.bufferCountMax - this.#count);
    const stride = this.bufferByteLength + COLOUR_BYTES;
    const slab = this.#allocateSlab(stride * count);
    this.#slabs.push(slab);
    for (let index = count - 1; index >= 0; index--) {
      this.#free.push(new PooledBuffer(slab, index * stride, this.bufferByteLength));
    }
    this.#count += count;
  }
}

/** Waits for a buffer, first come, first served. Aborting the signal rejects with its reason. */
export async function waitForBuffer<S extends Slab>(
  pool: BufferPool<S>,
  signal?: AbortSignal,
): Promise<PooledBuffer<S>> {
  for (;;) {
    signal?.throwIfAborted();
    const buffer = pool.acquire();
    if (buffer !== undefined) return buffer;
    const { promise, resolve } = Promise.withResolvers<void>();
    pool.whenAvailable(resolve);
    const onAbort = () => resolve();
    signal?.addEventListener("abort", onAbort, { once: true });
    await promise;
    signal?.removeEventListener("abort", onAbort);
    pool.forget(resolve);
  }
}
