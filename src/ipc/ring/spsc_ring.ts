import { RingConsumer } from "./consumer.ts";
import {
  CAPACITY_BYTES_MAX,
  CAPACITY_BYTES_MIN,
  HEADER_BYTES,
  LAYOUT_HASH,
  messageBytesLimit,
  RING_MAGIC,
  RING_STATE,
  RING_VERSION,
  WORD,
} from "./layout.ts";
import { RingProducer } from "./producer.ts";
import { processBytes, type RingMemory, type RingRegion } from "./region.ts";
import { RingState } from "./ring_state.ts";

/** Options of {@linkcode SpscRing.create}. */
export interface RingOptions {
  /** Bytes of messages and their headers that the ring holds: a power of two from 64 to 2^30. */
  capacityBytes: number;
  /**
   * The longest message in bytes, at most half the capacity less 8.
   *
   * @default {capacityBytes / 2 - 8}
   */
  messageBytesMax?: number;
  /**
   * Where the ring is made: zeroes, as large as `SpscRing.byteLengthFor()` says.
   *
   * @default {a new SharedArrayBuffer}
   */
  memory?: RingMemory;
}

/** Options of {@linkcode SpscRing.attach}. */
export interface RingAttachOptions {
  /**
   * Wakes the other side when it has called `arm()` and sleeps in a way of its own: with one bell for many rings, say.
   *
   * @default {what the ring's own waiting calls sleep on}
   */
  wakePeer?: () => void;
}

/**
 * A queue of messages of any length from exactly one producer to exactly one consumer, in another worker or another process,
 * in the order in which they were written.
 *
 * ```ts
 * import { SpscRing } from "@millrace/millrace/ring";
 *
 * const ring = SpscRing.create({ capacityBytes: 65_536 });
 * // worker.postMessage(ring.memory), and there:
 * const attached = SpscRing.attach(ring.memory);
 * using producer = attached.producer();
 * using consumer = ring.consumer();
 * producer.tryWrite(new Uint8Array([1, 2, 3]));
 * producer.flush();
 * console.log(consumer.tryRead()); // Uint8Array(3) [ 1, 2, 3 ]
 * ```
 */
export class SpscRing {
  /** Where it lies: for the other side to attach to. */
  readonly memory: RingMemory;
  /** Bytes of messages and their headers that it holds. */
  readonly capacityBytes: number;
  /** The longest message in bytes. */
  readonly messageBytesMax: number;
  readonly #state: RingState;

  /**
   * Bytes of memory that a ring takes.
   *
   * @throws {RangeError} when an option is out of range
   */
  static byteLengthFor(options: Pick<RingOptions, "capacityBytes">): number {
    checkCapacity(options.capacityBytes);
    return HEADER_BYTES + options.capacityBytes;
  }

  /**
   * Makes a ring.
   *
   * @throws {RangeError | TypeError} when an option is out of range or of another type, or the memory too small
   * @throws {Deno.errors.BadResource} when the memory is a region that is closed
   * @throws {Deno.errors.AlreadyExists} when there is a ring in the memory already
   */
  static create(options: RingOptions): SpscRing {
    const byteLength = SpscRing.byteLengthFor(options);
    const { capacityBytes, messageBytesMax = messageBytesLimit(capacityBytes) } = options;
    if (
      !(Number.isInteger(messageBytesMax) && messageBytesMax >= 0 &&
        messageBytesMax <= messageBytesLimit(capacityBytes))
    ) {
      throw new RangeError(
        `create a ring: messageBytesMax is ${messageBytesMax}, expected 0 to ${
          messageBytesLimit(capacityBytes)
        }, ` +
          `half of capacityBytes less 8`,
      );
    }
    const memory = options.memory ?? new SharedArrayBuffer(byteLength);
    const words = wordsOf(memory, "create a ring");
    if (words.byteLength < byteLength) {
      throw new RangeError(
        `create a ring: the memory has ${words.byteLength} bytes, expected ${byteLength} at least`,
      );
    }
    if (Atomics.load(words, WORD.magic) !== 0) {
      throw new Deno.errors.AlreadyExists(
        "create a ring: the memory holds something already, expected zeroes",
      );
    }
    words[WORD.version] = RING_VERSION;
    words[WORD.layoutHash] = LAYOUT_HASH;
    words[WORD.capacityBytes] = capacityBytes;
    words[WORD.messageBytesMax] = messageBytesMax;
    words[WORD.magic] = RING_MAGIC;
    // SYNC ring.state: the header is valid.
    Atomics.store(words, WORD.state, RING_STATE.ready);
    return new SpscRing(memory, words);
  }

  /**
   * The ring that another worker or process made in `memory`.
   *
   * @throws {TypeError} when that is neither shared memory nor a region
   * @throws {Deno.errors.BadResource} when it is a region that is closed
   * @throws {Deno.errors.InvalidData} when there is none, or one of another version, or a damaged one; says what is wrong
   */
  static attach(memory: RingMemory, options: RingAttachOptions = {}): SpscRing {
    const words = wordsOf(memory, "attach to a ring");
    checkHeader(words);
    return new SpscRing(memory, words, options.wakePeer);
  }

  private constructor(memory: RingMemory, words: Int32Array, wakePeer?: () => void) {
    this.memory = memory;
    this.#state = new RingState(memory, words, wakePeer);
    this.capacityBytes = this.#state.capacityBytes;
    this.messageBytesMax = this.#state.messageBytesMax;
  }

  /**
   * The writing half.
   *
   * @throws {Deno.errors.Busy} when it is attached already
   * @throws {Deno.errors.BadResource} when it was closed
   */
  producer(): RingProducer {
    this.#state.acquire("producer");
    return new RingProducer(this.#state);
  }

  /**
   * The reading half.
   *
   * @throws {Deno.errors.Busy} when it is attached already
   * @throws {Deno.errors.BadResource} when it was closed
   */
  consumer(): RingConsumer {
    this.#state.acquire("consumer");
    return new RingConsumer(this.#state);
  }
}

function wordsOf(memory: RingMemory, operation: string): Int32Array {
  const bytes = processBytes(memory) ?? regionBytes(memory as RingRegion, operation);
  if (bytes.byteOffset % 8 !== 0) {
    throw new RangeError(
      `${operation}: the memory begins at byte ${bytes.byteOffset}, expected a multiple of 8`,
    );
  }
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
}

function regionBytes(region: RingRegion, operation: string): Uint8Array {
  const { bytes, tryLock } = region ?? {};
  if (!(bytes instanceof Uint8Array && typeof tryLock === "function")) {
    const found = Object.prototype.toString.call(region).slice("[object ".length, -1);
    throw new TypeError(
      `${operation}: the memory is of type ${found}, expected a SharedArrayBuffer or a region such as SharedMemory`,
    );
  }
  if (!bytes.buffer.detached) return bytes;
  throw new Deno.errors.BadResource(`${operation}: the region that it lies in is closed`);
}

function checkCapacity(capacityBytes: number): void {
  if (typeof capacityBytes !== "number") {
    throw new TypeError(`create a ring: capacityBytes is of type ${typeof capacityBytes}, expected a number`);
  }
  if (isCapacity(capacityBytes)) return;
  throw new RangeError(
    `create a ring: capacityBytes is ${capacityBytes}, expected a power of two from ${CAPACITY_BYTES_MIN} to ${CAPACITY_BYTES_MAX}`,
  );
}

function isCapacity(capacityBytes: number): boolean {
  return Number.isInteger(Math.log2(capacityBytes)) && capacityBytes >= CAPACITY_BYTES_MIN &&
    capacityBytes <= CAPACITY_BYTES_MAX;
}

/** Says what is wrong with the header of a ring, if anything is. */
function checkHeader(words: Int32Array): void {
  const refuse = (found: string): never => {
    throw new Deno.errors.InvalidData(`attach to a ring: ${found}`);
  };
  if (words.byteLength < HEADER_BYTES) {
    refuse(`the memory has ${words.byteLength} bytes, expected ${HEADER_BYTES} at least`);
  }
  // SYNC ring.state: what create() wrote before is visible.
  if (Atomics.load(words, WORD.state) !== RING_STATE.ready || words[WORD.magic] !== RING_MAGIC) {
    refuse("there is none in this memory");
  }
  const version = words[WORD.version];
  if (version !== RING_VERSION) refuse(`it has version ${version}, expected ${RING_VERSION}`);
  if (words[WORD.layoutHash] !== LAYOUT_HASH) refuse("its layout is another build's");
  const capacityBytes = words[WORD.capacityBytes];
  if (!isCapacity(capacityBytes)) refuse(`it is damaged: its capacity is ${capacityBytes}`);
  if (words.byteLength < HEADER_BYTES + capacityBytes) {
    refuse(
      `the memory has ${words.byteLength} bytes, expected ${HEADER_BYTES + capacityBytes} for its capacity`,
    );
  }
  const messageBytesMax = words[WORD.messageBytesMax];
  if (messageBytesMax < 0 || messageBytesMax > messageBytesLimit(capacityBytes)) {
    refuse(`it is damaged: its longest message has ${messageBytesMax} bytes`);
  }
  const used = usedBytes(words);
  if (used < 0 || used > capacityBytes || used % 8 !== 0) {
    refuse(`it is damaged: ${used} bytes of it are in use`);
  }
}

/** Bytes in use. Both sides may be at work: what is read of the tail belongs to the head only while that stands still. */
function usedBytes(words: Int32Array): number {
  for (let head = Atomics.load(words, WORD.head);;) {
    const used = Atomics.load(words, WORD.tail) - head | 0;
    const now = Atomics.load(words, WORD.head);
    if (now === head) return used;
    head = now;
  }
}
