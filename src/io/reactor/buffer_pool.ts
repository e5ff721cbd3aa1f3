import { assert } from "../../base/mod.ts";

/** A piece of memory that a pool cuts into buffers. */
export interface Slab {
  /** All of it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A buffer out of a {@linkcode BufferPool}. Its holder passes it on or releases it, once. */
export class PooledBuffer<S extends Slab = Slab> {
  /** The memory, `bufferByteLength` long. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The slab it is cut from. */
  readonly slab: S;
  /** Its first byte in the slab. */
  readonly offset: number;
  /** Whether it is held. */
  held = false;

  /** `byteLength` bytes of `slab` from byte `offset`. */
  constructor(slab: S, offset: number, byteLength: number) {
    this.slab = slab;
    this.offset = offset;
    this.bytes = slab.bytes.subarray(offset, offset + byteLength);
  }
}

/** Options of {@linkcode BufferPool}. */
export interface BufferPoolOptions<S extends Slab> {
  /**
   * Bytes of one buffer, at least 1024.
   *
   * @default {16384}
   */
  bufferByteLength?: number;
  /**
   * Buffers at most, at least 1.
   *
   * @default {8192}
   */
  bufferCountMax?: number;
  /** Allocates the memory. Whole slabs of {@linkcode BUFFERS_PER_SLAB} buffers are allocated when needed, and kept. */
  allocateSlab: (byteLength: number) => S;
}

/** Buffers allocated at a time. */
export const BUFFERS_PER_SLAB = 32;
/** Default of `bufferByteLength`. */
export const BUFFER_BYTE_LENGTH = 16_384;
/** Default of `bufferCountMax`: with the default length, 128 MiB at most. */
export const BUFFER_COUNT_MAX = 8192;
/** Turns of the microtask queue that a waiter has to take a buffer; then the next waiter gets its chance. */
const TAKING_TURNS = 4;
/** Distance between buffers beyond their length: their first lines then fall into different cache sets. */
const COLOUR_BYTES = 128;

/**
 * Buffers of one size, bounded and counted. The most recently used is given out first, because it is warm in the cache.
 *
 * When all are held, `acquire()` returns nothing and `whenAvailable()` queues the caller, first come, first served: a released
 * buffer goes to the longest waiter, not to the next caller of `acquire()`, which is often the one that released it.
 *
 * ```ts
 * import { BufferPool } from "@millrace/millrace/reactor";
 *
 * const allocateSlab = (byteLength: number) => ({ bytes: new Uint8Array(byteLength) });
 * const pool = new BufferPool({ bufferCountMax: 1, allocateSlab });
 * const buffer = pool.acquire();
 * console.log(pool.heldCount, pool.acquire()); // 1 undefined
 * if (buffer !== undefined) pool.release(buffer);
 * ```
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
  /** Free buffers set aside for waiters, until their callbacks have been called. */
  #reservedCount = 0;
  #count = 0;

  /**
   * An empty pool.
   *
   * @throws {RangeError} when an option is out of range
   */
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

  /** Whether `acquire()` would return nothing. */
  get exhausted(): boolean {
    return this.#free.length <= this.#reservedCount && this.#count >= this.bufferCountMax;
  }

  /** A buffer, or `undefined` when all are held, or set aside for waiters. */
  acquire(): PooledBuffer<S> | undefined {
    if (this.exhausted) return undefined;
    if (this.#free.length === 0) this.#grow();
    const buffer = this.#free.pop();
    if (buffer === undefined) return undefined;
    assert(!buffer.held, "BufferPool.acquire: a free buffer is held");
    buffer.held = true;
    return buffer;
  }

  /** Takes a buffer back. */
  release(buffer: PooledBuffer<S>): void {
    assert(buffer.held, "BufferPool.release: the buffer is not held");
    buffer.held = false;
    this.#free.push(buffer);
    if (this.#waiting.size <= this.#reservedCount) return;
    this.#reservedCount++;
    queueMicrotask(() => this.#serve());
  }

  /** Calls back once when a buffer has been released: acquire it then, or wait again. Only to be called while `exhausted`. */
  whenAvailable(callback: () => void): void {
    this.#waiting.add(callback);
  }

  /** Withdraws a waiter of `whenAvailable()`. */
  forget(callback: () => void): void {
    this.#waiting.delete(callback);
  }

  /** The memory of the pool, for its owner to free. */
  get slabs(): readonly S[] {
    return this.#slabs;
  }

  /** Offers a released buffer to the waiters, each once at most, until one takes it. */
  async #serve(): Promise<void> {
    this.#reservedCount--;
    for (let left = this.#waiting.size; left > 0 && this.#free.length > this.#reservedCount; left--) {
      const [callback] = this.#waiting;
      if (callback === undefined) return;
      this.#waiting.delete(callback);
      callback();
      // A waiter that has closed meanwhile, or has given up, takes nothing: the next must not wait for ever.
      for (let turn = 0; turn < TAKING_TURNS; turn++) await null;
    }
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

/**
 * Waits for a buffer, first come, first served. Aborting the signal rejects with its reason.
 *
 * ```ts
 * import { BufferPool, waitForBuffer } from "@millrace/millrace/reactor";
 *
 * const pool = new BufferPool({ bufferCountMax: 1, allocateSlab: (length) => ({ bytes: new Uint8Array(length) }) });
 * const first = await waitForBuffer(pool);
 * const second = waitForBuffer(pool, AbortSignal.timeout(5000));
 * pool.release(first);
 * console.log((await second) === first); // true
 * ```
 */
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
