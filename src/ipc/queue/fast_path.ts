import {
  type NativeQueue,
  nativeQueueAck,
  nativeQueueReceive,
  nativeQueueReserve,
  nativeQueueSend,
  nativeQueueSendMany,
  QUEUE_LEFT,
  QUEUE_RECEIVED,
} from "../../../ffi/mod.ts";
import type { OpenerState } from "./opener_state.ts";
import type { QueueMemory } from "./queue_memory.ts";
import { NOBODY, type Slab } from "../sharing/mod.ts";
import { routeOf } from "./route.ts";
import type { Envelope } from "./sender.ts";

/** Messages that one call of native code takes at most. */
export const BATCH_MAX = 64;
/** Bytes of messages that are gathered for one call. */
const BATCH_BYTES_MAX = 65_536;

/** A message that native code has received; the next call overwrites what it says. */
export interface ReceivedRecord {
  readonly slot: number;
  readonly session: number;
  readonly sequence: number;
  readonly deliveryCount: number;
  readonly route: number;
  readonly sentMs: number;
  /** Its bytes; `undefined`: it is reserved, and the rest is to be done. */
  readonly data: Uint8Array<ArrayBuffer> | undefined;
}

/** Messages that native code has reserved, and left where they are. */
export class ReservedBatch {
  /** How many. */
  count = 0;
  /** How many of them are done with, from the first. */
  done = 0;
  readonly #queue: NativeQueue;
  readonly #laneCount: number;
  readonly #received = new Int32Array(BATCH_MAX * QUEUE_RECEIVED.words);

  constructor(queue: NativeQueue, laneCount: number) {
    this.#queue = queue;
    this.#laneCount = laneCount;
  }

  /** Reserves up to `countMax` messages that there are hints for, {@linkcode BATCH_MAX} at most, without counting a delivery of any. */
  reserve(countMax: number): void {
    this.done = 0;
    this.count = nativeQueueReserve(
      this.#queue,
      0,
      this.#laneCount,
      this.#received,
      Math.min(countMax, BATCH_MAX),
    );
  }

  /** Acknowledges those that are done with, but for what was left out. */
  ack(): void {
    if (this.done > 0) nativeQueueAck(this.#queue, this.#received, this.done);
  }

  slotOf(index: number): number {
    return this.#received[index * QUEUE_RECEIVED.words + QUEUE_RECEIVED.slot];
  }

  /** Bytes of a message, and `QUEUE_LEFT` where the rest is to be done. */
  byteLengthOf(index: number): number {
    return this.#received[index * QUEUE_RECEIVED.words + QUEUE_RECEIVED.byteLength];
  }

  routeOf(index: number): number {
    return this.#received[index * QUEUE_RECEIVED.words + QUEUE_RECEIVED.route];
  }

  /** The caller takes that message out of the batch, and settles it. */
  leaveOut(index: number): void {
    this.#received[index * QUEUE_RECEIVED.words + QUEUE_RECEIVED.slot] = -1;
  }
}

/**
 * The steps of most messages, taken by native code in one call: about twice as fast as the same steps in TypeScript (`Sender`,
 * `Receiver`), which are there for everything else, and for the tests to compare. For queues without partitions and checksums.
 */
export class FastPath {
  readonly #queue: NativeQueue;
  readonly #state: OpenerState;
  readonly #slab: Slab;
  readonly #laneCount: number;
  readonly #received = new Int32Array(BATCH_MAX * QUEUE_RECEIVED.words);
  readonly #receivedFloats = new Float64Array(this.#received.buffer);
  readonly #batch = new Uint8Array(BATCH_BYTES_MAX);
  readonly #lengths = new Int32Array(BATCH_MAX);

  constructor(memory: QueueMemory, state: OpenerState, slab: Slab) {
    this.#queue = { state: state.words, region: memory.bytes };
    this.#state = state;
    this.#slab = slab;
    this.#laneCount = memory.geometry.laneCount;
  }

  /** Whether a queue is one for this. */
  static serves({ constants }: QueueMemory): boolean {
    return constants.partitions === 0 && constants.checksums === 0;
  }

  /** As `Sender.trySend()`, for what is no request; wakes who waits for it. */
  trySend(data: Uint8Array, { lane, flags, expiresMs }: Envelope): number {
    this.#state.prepare(1);
    return nativeQueueSend(this.#queue, data, routeOf(lane, NOBODY, flags), expiresMs);
  }

  /** Sends those of `messages` from index `from` on, before `end`, that there is room for in the queue and in one call; how many. */
  trySendMany(messages: readonly Uint8Array[], from: number, end: number, envelope: Envelope): number {
    let [count, at] = [0, 0];
    for (let index = from; index < end && count < BATCH_MAX; index++) {
      const message = messages[index];
      if (at + message.length > BATCH_BYTES_MAX) break;
      this.#batch.set(message, at);
      this.#lengths[count++] = message.length;
      at += message.length;
    }
    if (count <= 1) return this.trySend(messages[from], envelope) < 0 ? 0 : 1;
    this.#state.prepare(count);
    const route = routeOf(envelope.lane, NOBODY, envelope.flags);
    return nativeQueueSendMany(this.#queue, this.#batch, this.#lengths, count, route, envelope.expiresMs);
  }

  /** Receives up to `count` messages that there are hints for, {@linkcode BATCH_MAX} at most; how many. `told()` says what they are. */
  receive(acknowledge: boolean, count: number): number {
    const slab = this.#slab;
    slab.makeRoom();
    const countMax = Math.min(count, BATCH_MAX);
    return nativeQueueReceive(
      this.#queue,
      0,
      this.#laneCount,
      acknowledge,
      this.#received,
      countMax,
      slab.bytes,
      slab.at,
    );
  }

  /** The message `index` of those that were received last; to be asked for in order. */
  recordAt(index: number): ReceivedRecord {
    const received = this.#received;
    const from = index * QUEUE_RECEIVED.words;
    const byteLength = received[from + QUEUE_RECEIVED.byteLength];
    return {
      slot: received[from + QUEUE_RECEIVED.slot],
      session: received[from + QUEUE_RECEIVED.session],
      sequence: received[from + QUEUE_RECEIVED.sequence],
      deliveryCount: received[from + QUEUE_RECEIVED.deliveryCount],
      route: received[from + QUEUE_RECEIVED.route],
      sentMs: this.#receivedFloats[from + QUEUE_RECEIVED.sentMs >> 1],
      data: byteLength === QUEUE_LEFT
        ? undefined
        : this.#slab.take(received[from + QUEUE_RECEIVED.dataAt], byteLength),
    };
  }

  /** For messages that are worked off where they are. */
  newBatch(): ReservedBatch {
    return new ReservedBatch(this.#queue, this.#laneCount);
  }
}
