import { HALF, HEADER_BYTES, RECORD_HEADER_BYTES, recordBytes, WORD } from "./layout.ts";
import { RingClosedError, type RingEnd } from "./errors.ts";
import type { RingState } from "./ring_state.ts";
import { assert, type WaitOptions } from "../../base/mod.ts";
import { type RingWaitSyncOptions, waitFor, waitForSync } from "./wait.ts";

/**
 * The writing half of a ring. What it writes becomes visible to the consumer with `flush()`, or when a quarter of the ring
 * is full of it.
 *
 * ```ts
 * import { SpscRing } from "@millrace/millrace/ring";
 *
 * const ring = SpscRing.create({ capacityBytes: 65_536 });
 * using producer = ring.producer();
 * producer.tryWrite(new TextEncoder().encode("hello"));
 * // In place:
 * const at = producer.tryClaim(8);
 * if (at >= 0) {
 *   producer.view.setFloat64(at, Math.PI);
 *   producer.commit();
 * }
 * producer.flush();
 * ```
 */
export class RingProducer implements Disposable {
  /** The longest message, in bytes. */
  readonly messageBytesMax: number;
  /** The ring's memory, to encode into what was claimed. */
  readonly bytes: Uint8Array;
  /** The same as {@linkcode RingProducer.bytes}. */
  readonly view: DataView;
  readonly #state: RingState;
  readonly #words: Int32Array;
  readonly #capacityBytes: number;
  readonly #mask: number;
  /** Bytes written after which they are published without a `flush()`. */
  readonly #publishBytes: number;
  /** Behind the last message. */
  #tail: number;
  /** What the consumer sees of it. */
  #published: number;
  /** The consumer's position when it was last read: at least this is free. */
  #head: number;
  /** Bytes claimed and not committed; -1: none. */
  #claimed = -1;
  /** Calls of `write()` that wait, first to last. */
  readonly #writes: object[] = [];
  #closed = false;

  /** The producer of `state`, whose half has been acquired. */
  constructor(state: RingState) {
    this.#state = state;
    this.#words = state.words;
    this.#capacityBytes = state.capacityBytes;
    this.#mask = state.capacityBytes - 1;
    this.#publishBytes = state.capacityBytes >> 2;
    this.messageBytesMax = state.messageBytesMax;
    this.bytes = state.bytes;
    this.view = new DataView(state.bytes.buffer, state.bytes.byteOffset, state.bytes.byteLength);
    this.#tail = this.#published = Atomics.load(state.words, WORD.tail);
    this.#head = Atomics.load(state.words, WORD.head);
  }

  /** How the ring has ended, if it has: what is written then has no reader. */
  get end(): RingEnd | undefined {
    return this.#closed ? "closed here" : this.#state.endOf("consumer");
  }

  /** Bytes of the ring in use, those of messages not flushed yet included. */
  get usedBytes(): number {
    return this.#state.gone ? 0 : this.#tail - Atomics.load(this.#words, WORD.head) | 0;
  }

  /**
   * Writes a copy of `message`; false when the ring is full, or has ended, which `end` tells apart.
   *
   * @throws {RangeError} when it is longer than `messageBytesMax`
   * @throws {TypeError} when it is no `Uint8Array`, or its memory was transferred
   */
  tryWrite(message: Uint8Array): boolean {
    if (!(message instanceof Uint8Array)) refuseType(message);
    const { length } = message;
    const tail = this.#tail;
    const index = tail & this.#mask;
    const record = recordBytes(length);
    const capacityBytes = this.#capacityBytes;
    let at = index + RECORD_HEADER_BYTES;
    // What most messages find: room where the last one ended, as far as is known. The rest is a claim's.
    if (
      length > this.messageBytesMax || index + record > capacityBytes ||
      (tail - this.#head | 0) + record > capacityBytes
    ) {
      at = this.tryClaim(length);
      if (at < 0) return false;
    }
    try {
      this.bytes.set(message, at);
    } catch (error) {
      if (this.#words.length === 0) return false;
      throw new TypeError("write to the ring: the message is memory that was transferred", { cause: error });
    }
    this.#append(length);
    return true;
  }

  /**
   * Makes room for a message of `byteLength` bytes, to be encoded into {@linkcode RingProducer.bytes} or
   * {@linkcode RingProducer.view} from the index that is returned, a multiple of 8; -1 when the ring is full, or has ended.
   * A claim that is not committed is forgotten with the next one.
   *
   * @throws {RangeError} when `byteLength` is none, or above `messageBytesMax`
   */
  tryClaim(byteLength: number): number {
    if (!(byteLength >= 0 && byteLength <= this.messageBytesMax)) this.#refuse(byteLength);
    if (this.#words.length === 0) return -1;
    const record = recordBytes(byteLength);
    const tail = this.#tail;
    let index = tail & this.#mask;
    const left = this.#capacityBytes - index;
    const needed = record <= left ? record : left + record;
    if ((tail - this.#head | 0) + needed > this.#capacityBytes && !this.#makeRoom(needed)) return -1;
    if (record > left) {
      this.#words[(HEADER_BYTES + index) >> 2] = -left;
      this.#tail = tail + left | 0;
      index = 0;
    }
    this.#claimed = byteLength;
    return index + RECORD_HEADER_BYTES;
  }

  /**
   * Adds what was claimed to the ring, or the first `byteLength` bytes of it.
   *
   * @throws {RangeError} when `byteLength` is more than was claimed
   * @throws {Error} when nothing is claimed, or this half was closed since
   */
  commit(byteLength: number = this.#claimed): void {
    if (!(byteLength >= 0 && byteLength <= this.#claimed)) this.#refuseCommit(byteLength);
    this.#append(byteLength);
  }

  /** Publishes everything written, and wakes the consumer if it sleeps. Without anything new it costs next to nothing. */
  flush(): void {
    const words = this.#words;
    if (this.#closed || words.length === 0) return;
    if (this.#tail !== this.#published) this.#publish();
    // SYNC ring.sleeping: either this sees that the consumer sleeps, or the consumer sees the tail before it does.
    if (Atomics.load(words, WORD.consumerSleeping) !== 0) this.#state.wake("consumer");
    if (Atomics.load(words, WORD.consumer) === HALF.closed) this.#takeNothing();
  }

  /**
   * Writes a copy of `message` and publishes it; waits while the ring is full. Of several that wait the first has the first turn.
   *
   * @throws {RangeError} when it is longer than `messageBytesMax`
   * @throws {RingClosedError} when it has no reader any more, or this half is closed
   */
  async write(message: Uint8Array, options: WaitOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    if (this.#writes.length > 0 || !this.tryWrite(message)) await this.#writeInTurn(message, options);
    this.flush();
  }

  /**
   * The same as {@linkcode RingProducer.write}, holding up the thread; false when the time was over first.
   *
   * @throws {RangeError} when it is longer than `messageBytesMax`
   * @throws {RingClosedError} when it has no reader any more
   */
  writeSync(message: Uint8Array, options: RingWaitSyncOptions = {}): boolean {
    while (!this.tryWrite(message)) {
      if (!waitForSync(this.#state, "producer", this.#roomFor(message.length), options)) return false;
      this.#throwIfEnded("write to the ring");
    }
    this.flush();
    return true;
  }

  /**
   * Resolves when there is room for a message of `byteLength` bytes.
   *
   * @throws {RingClosedError} when the ring ends first
   */
  async writable(byteLength: number, options: WaitOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await this.#wait(this.#roomFor(byteLength), options);
  }

  /**
   * Asks the consumer to wake this side when it has made room, for an owner that waits in a way of its own (see
   * `RingAttachOptions.wakePeer`); false when there is room for `byteLength` bytes, or the ring has ended, so that it must not wait.
   */
  arm(byteLength: number): boolean {
    if (this.#closed || this.#state.gone) return false;
    // SYNC ring.sleeping: either this sees the room that the consumer has made, or the consumer sees that this sleeps.
    Atomics.store(this.#words, WORD.producerSleeping, 1);
    return !this.#roomFor(byteLength)() && !this.#state.closed("consumer");
  }

  /** Takes {@linkcode RingProducer.arm} back. */
  disarm(): void {
    if (!this.#state.gone) Atomics.store(this.#words, WORD.producerSleeping, 0);
  }

  /** Publishes what is written and ends the ring: the consumer reads what is there, and then finds it closed. */
  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#claimed = -1;
    this.#takeNothing();
    this.#state.release("producer");
  }

  /** Closes this half. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #writeInTurn(message: Uint8Array, options: WaitOptions): Promise<void> {
    const hasRoom = this.#roomFor(message.length);
    const turn = {};
    this.#writes.push(turn);
    const ready = () => hasRoom() && this.#writes[0] === turn;
    try {
      do await this.#wait(ready, options); while (!this.tryWrite(message));
    } finally {
      const index = this.#writes.indexOf(turn);
      assert(index >= 0, "ring: a write that waited has lost its turn");
      this.#writes.splice(index, 1);
      if (this.#writes.length > 0) this.#state.stir("producer");
    }
  }

  async #wait(ready: () => boolean, options: WaitOptions): Promise<void> {
    this.#throwIfEnded("wait for room in the ring");
    this.flush();
    await waitFor(this.#state, "producer", ready, options);
    this.#throwIfEnded("wait for room in the ring");
  }

  #append(byteLength: number): void {
    const tail = this.#tail;
    this.#claimed = -1;
    this.#words[(HEADER_BYTES + (tail & this.#mask)) >> 2] = byteLength;
    this.#tail = tail + recordBytes(byteLength) | 0;
    if ((this.#tail - this.#published | 0) > this.#publishBytes) this.#publish();
  }

  #publish(): void {
    this.#published = this.#tail;
    // SYNC ring.tail: the records before it become visible to the consumer.
    Atomics.store(this.#words, WORD.tail, this.#tail);
  }

  /** Reads where the consumer is now; when that does not help, publishes everything, so that it gets on. */
  #makeRoom(needed: number): boolean {
    assert(needed % RECORD_HEADER_BYTES === 0, "ring: a record is not aligned");
    const unpublished = this.#tail - this.#published | 0;
    assert(unpublished >= 0 && unpublished <= this.#capacityBytes, "ring: more is written than it holds");
    if (this.#closed || Atomics.load(this.#words, WORD.consumer) === HALF.closed) return false;
    // SYNC ring.head: the consumer is done with the bytes before it.
    this.#head = Atomics.load(this.#words, WORD.head);
    if ((this.#tail - this.#head | 0) + needed > this.#capacityBytes) {
      this.flush();
      return false;
    }
    return true;
  }

  /** Has every claim go through `#makeRoom()`, which knows that the ring has ended. */
  #takeNothing(): void {
    this.#head = this.#tail - this.#capacityBytes | 0;
  }

  #roomFor(byteLength: number): () => boolean {
    if (!(byteLength >= 0 && byteLength <= this.messageBytesMax)) this.#refuse(byteLength);
    const record = recordBytes(byteLength);
    return () => {
      if (this.#closed) this.#throwIfEnded("wait for room in the ring");
      if (this.#words.length === 0) return false;
      const left = this.#capacityBytes - (this.#tail & this.#mask);
      const needed = record <= left ? record : left + record;
      return (this.#tail - Atomics.load(this.#words, WORD.head) | 0) + needed <= this.#capacityBytes;
    };
  }

  #throwIfEnded(operation: string): void {
    const { end } = this;
    if (end !== undefined) throw new RingClosedError(operation, end);
  }

  #refuse(byteLength: number): never {
    throw new RangeError(
      `write to the ring: the message has ${byteLength} bytes, expected 0 to ${this.messageBytesMax}`,
    );
  }

  #refuseCommit(byteLength: number): never {
    if (this.#claimed < 0) throw new Error("commit to the ring: nothing is claimed");
    throw new RangeError(
      `commit to the ring: ${byteLength} bytes, expected 0 to the ${this.#claimed} claimed`,
    );
  }
}

function refuseType(message: unknown): never {
  const found = Object.prototype.toString.call(message).slice("[object ".length, -1);
  throw new TypeError(`write to the ring: the message is of type ${found}, expected a Uint8Array`);
}
