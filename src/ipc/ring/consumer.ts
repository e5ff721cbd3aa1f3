import { HEADER_BYTES, RECORD_HEADER_BYTES, recordBytes, WORD } from "./layout.ts";
import { RingClosedError, type RingEnd } from "./errors.ts";
import type { RingState } from "./ring_state.ts";
import { ViewCache } from "./view_cache.ts";
import { assert, type WaitOptions } from "../../base/mod.ts";
import { type RingWaitSyncOptions, waitFor, waitForSync } from "./wait.ts";

/**
 * The reading half of a ring.
 *
 * ```ts
 * import { SpscRing } from "@millrace/millrace/ring";
 *
 * const ring = SpscRing.create({ capacityBytes: 65_536 });
 * using producer = ring.producer();
 * using consumer = ring.consumer();
 * producer.tryWrite(new TextEncoder().encode("hello"));
 * producer.flush();
 * consumer.drain((message) => console.log(message.length)); // 5
 * ```
 */
export class RingConsumer implements Disposable, AsyncIterable<Uint8Array<ArrayBuffer>> {
  /** The ring's memory, which the second argument of a `drain()` callback is an index of. */
  readonly bytes: Uint8Array;
  /** The same as {@linkcode RingConsumer.bytes}. */
  readonly view: DataView;
  readonly #state: RingState;
  readonly #words: Int32Array;
  readonly #capacityBytes: number;
  readonly #mask: number;
  /** Bytes read after which the producer is told within one `drain()`. */
  readonly #freeBytes: number;
  readonly #messageBytesMax: number;
  readonly #views: ViewCache;
  /** Behind the last message read. */
  #head: number;
  /** What the producer sees of it. */
  #published: number;
  /** The producer's position when it was last read: the messages before it can be read. */
  #tail: number;
  #draining = false;
  #closed = false;

  /** The consumer of `state`, whose half has been acquired. */
  constructor(state: RingState) {
    this.#state = state;
    this.#words = state.words;
    this.#capacityBytes = state.capacityBytes;
    this.#mask = state.capacityBytes - 1;
    this.#freeBytes = state.capacityBytes >> 2;
    this.#messageBytesMax = state.messageBytesMax;
    this.bytes = state.bytes;
    this.view = new DataView(state.bytes.buffer, state.bytes.byteOffset, state.bytes.byteLength);
    this.#views = new ViewCache(state.bytes);
    this.#head = this.#published = Atomics.load(state.words, WORD.head);
    // Not the producer's: `#hasMessages()` checks that when it reads it.
    this.#tail = this.#head;
  }

  /** How the ring has ended, if it has; what was published before can still be read. */
  get end(): RingEnd | undefined {
    return this.#closed ? "closed here" : this.#state.endOf("producer");
  }

  /** Bytes of the ring that hold messages to be read. */
  get readableBytes(): number {
    return this.#state.gone ? 0 : Atomics.load(this.#words, WORD.tail) - this.#head | 0;
  }

  /**
   * Passes messages, at most `limit`, to `onMessage`, and returns how many. The view is valid only until `onMessage` returns;
   * `at` is where the message begins in {@linkcode RingConsumer.view}, a multiple of 8. A message whose callback throws counts as
   * read, and the error goes on to the caller.
   *
   * @throws {RingClosedError} when this half is closed
   */
  drain(onMessage: (message: Uint8Array, at: number) => void, limit: number = Infinity): number {
    const views = this.#views;
    return this.drainInPlace((at, byteLength) => onMessage(views.get(at, byteLength), at), limit);
  }

  /**
   * The same without a view of each message: `at` is where it begins in {@linkcode RingConsumer.bytes} and
   * {@linkcode RingConsumer.view}, and has `byteLength` bytes there until `onMessage` returns. For short messages it is several times as fast.
   *
   * ```ts
   * import { SpscRing } from "@millrace/millrace/ring";
   *
   * const ring = SpscRing.create({ capacityBytes: 65_536 });
   * using producer = ring.producer();
   * using consumer = ring.consumer();
   * producer.tryWrite(new Uint8Array([7, 0, 0, 0]));
   * producer.flush();
   * consumer.drainInPlace((at, byteLength) => console.log(consumer.view.getInt32(at, true), byteLength)); // 7 4
   * ```
   *
   * @throws {RingClosedError} when this half is closed
   */
  drainInPlace(onMessage: (at: number, byteLength: number) => void, limit: number = Infinity): number {
    if (!this.#hasMessages()) return 0;
    if (this.#draining) throw new Error("drain the ring: called from within its own callback");
    this.#draining = true;
    const words = this.#words;
    const mask = this.#mask;
    const tail = this.#tail;
    const capacityBytes = this.#capacityBytes;
    let head = this.#head;
    let count = 0;
    try {
      while (head !== tail && count < limit && !this.#closed) {
        const index = head & mask;
        const length = words[(HEADER_BYTES + index) >> 2];
        if (length < 0) {
          head = this.#skip(head, -length);
          continue;
        }
        const record = recordBytes(length);
        if (
          !(length <= this.#messageBytesMax) || record > (tail - head | 0) || index + record > capacityBytes
        ) this.#damaged(index, length);
        const start = index + RECORD_HEADER_BYTES;
        head = head + record | 0;
        count++;
        onMessage(start, length);
        if ((head - this.#published | 0) > this.#freeBytes) this.#free(head);
      }
    } finally {
      this.#draining = false;
      this.#head = head;
      this.#free(head);
    }
    return count;
  }

  /**
   * The next message, copied into memory of its own; `undefined` when there is none.
   *
   * @throws {RingClosedError} when this half is closed
   */
  tryRead(): Uint8Array<ArrayBuffer> | undefined {
    let message: Uint8Array<ArrayBuffer> | undefined;
    this.drain((view) => message = new Uint8Array(view), 1);
    return message;
  }

  /**
   * Resolves to true when there is a message, and to false when there will be none: the producer has closed the ring, and
   * everything was read.
   *
   * @throws {RingClosedError} when this half is closed, or the process of the producer died without closing it
   */
  async readable(options: WaitOptions = {}): Promise<boolean> {
    options.signal?.throwIfAborted();
    if (this.#hasMessages()) return true;
    await waitFor(this.#state, "consumer", () => this.#hasMessages(), options);
    return this.#readableNow();
  }

  /**
   * The same as {@linkcode RingConsumer.readable}, holding up the thread; `undefined` when the time was over first.
   *
   * @throws {RingClosedError} when this half is closed, or the process of the producer died without closing it
   */
  readableSync(options: RingWaitSyncOptions = {}): boolean | undefined {
    if (this.#hasMessages()) return true;
    if (!waitForSync(this.#state, "consumer", () => this.#hasMessages(), options)) return undefined;
    return this.#readableNow();
  }

  /**
   * Copies of the messages, until the producer closes the ring.
   *
   * @throws {RingClosedError} when this half is closed meanwhile, or the process of the producer died
   */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    while (await this.readable()) {
      for (let message = this.tryRead(); message !== undefined; message = this.tryRead()) yield message;
    }
  }

  /**
   * Asks the producer to wake this side at its next flush, for an owner that waits in a way of its own (see
   * `RingAttachOptions.wakePeer`); false when there is something to read, or the ring has ended, so that it must not wait.
   */
  arm(): boolean {
    if (this.#state.gone) return false;
    // SYNC ring.sleeping: either this sees what the producer has published, or the producer sees that this sleeps.
    Atomics.store(this.#words, WORD.consumerSleeping, 1);
    return !this.#hasMessages() && !this.#state.closed("producer");
  }

  /** Takes {@linkcode RingConsumer.arm} back. */
  disarm(): void {
    if (!this.#state.gone) Atomics.store(this.#words, WORD.consumerSleeping, 0);
  }

  /** Ends the ring: what is not read yet is lost, and the producer finds it closed. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#state.release("consumer");
  }

  /** Closes this half. */
  [Symbol.dispose](): void {
    this.close();
  }

  #hasMessages(): boolean {
    if (this.#closed || this.#words.length === 0) {
      throw new RingClosedError("read from the ring", "closed here");
    }
    if (this.#head !== this.#tail) return true;
    // SYNC ring.tail: the records before it are visible.
    const tail = Atomics.load(this.#words, WORD.tail);
    if (tail === this.#tail) return false;
    const used = tail - this.#head | 0;
    if (used < 0 || used > this.#capacityBytes || used % RECORD_HEADER_BYTES !== 0) {
      throw new Error(`read from the ring: it is damaged: ${used} bytes of it are in use`);
    }
    this.#tail = tail;
    return true;
  }

  /** What is there after a wait. A message that came right before the end is one. */
  #readableNow(): boolean {
    const { end } = this;
    if (this.#hasMessages()) return true;
    if (end === "died") throw new RingClosedError("read from the ring", end);
    return false;
  }

  /** The position behind the end of the data, which holds no message. */
  #skip(head: number, byteLength: number): number {
    const index = head & this.#mask;
    if (byteLength !== this.#capacityBytes - index || byteLength > (this.#tail - head | 0)) {
      this.#damaged(index, -byteLength);
    }
    return head + byteLength | 0;
  }

  /** Gives the bytes before `head` back to the producer, and wakes it if it waits for them. */
  #free(head: number): void {
    const words = this.#words;
    if (head === this.#published || words.length === 0) return;
    const freed = head - this.#published | 0;
    assert(freed > 0 && freed <= this.#capacityBytes, "ring: more is given back than it holds");
    this.#published = head;
    // SYNC ring.head: the producer may overwrite the bytes before it.
    Atomics.store(words, WORD.head, head);
    // SYNC ring.sleeping: either this sees that the producer sleeps, or the producer sees the head before it does.
    if (Atomics.load(words, WORD.producerSleeping) !== 0) this.#state.wake("producer");
  }

  #damaged(index: number, length: number): never {
    // What lies in a region that a callback has closed reads as nothing.
    if (this.#words.length === 0) throw new RingClosedError("read from the ring", "closed here");
    throw new Error(`read from the ring: it is damaged at byte ${index}: a message of ${length} bytes`);
  }
}
