import {
  type NativeQueue,
  nativeQueueReceive,
  nativeQueueSend,
  nativeQueueSendMany,
  QUEUE_LEFT,
  QUEUE_TOLD,
  QUEUE_TOLD_WORDS,
} from "../../ffi/mod.ts";
import type { OpenerState } from "./_opener_state.ts";
import type { QueueMemory } from "./_queue_memory.ts";
import { NOBODY, type Slab } from "../shared/mod.ts";
import { routeOf } from "./_route.ts";
import type { Envelope } from "./_sender.ts";

/** Messages that one call of native code takes at most. */
export const BATCH_MAX = 64;
/** Bytes of messages that are gathered for one call. */
const BATCH_BYTES_MAX = 65_536;

/** A message that native code has received; the next call overwrites what it says. */
export interface Told {
  readonly slot: number;
  readonly session: number;
  readonly sequence: number;
  readonly deliveryCount: number;
  readonly route: number;
  readonly sentMs: number;
  /** Its bytes; `undefined`: it is reserved, and the rest is to be done. */
  readonly data: Uint8Array<ArrayBuffer> | undefined;
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
  readonly #told = new Int32Array(BATCH_MAX * QUEUE_TOLD_WORDS);
  readonly #toldFloats = new Float64Array(this.#told.buffer);
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
    return constants.partitions === 0 && !constants.checksums;
  }

  /** As `Sender.trySend()`, for what is no request; wakes who waits for it. */
  trySend(data: Uint8Array, { lane, flags, expiresMs }: Envelope): number {
    this.#state.prepare(1);
    return nativeQueueSend(this.#queue, data, routeOf(lane, NOBODY, flags), expiresMs);
  }

  /** Sends the first of `messages`, as many as there is room for in the queue and in one call; how many. */
  trySendMany(messages: readonly Uint8Array[], envelope: Envelope): number {
    let [count, at] = [0, 0];
    for (const message of messages) {
      if (count === BATCH_MAX || at + message.length > BATCH_BYTES_MAX) break;
      this.#batch.set(message, at);
      this.#lengths[count++] = message.length;
      at += message.length;
    }
    if (count <= 1) return this.trySend(messages[0], envelope) < 0 ? 0 : 1;
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
      this.#told,
      countMax,
      slab.bytes,
      slab.at,
    );
  }

  /** The message `index` of those that were received last; to be asked for in order. */
  told(index: number): Told {
    const told = this.#told;
    const from = index * QUEUE_TOLD_WORDS;
    const byteLength = told[from + QUEUE_TOLD.byteLength];
    return {
      slot: told[from + QUEUE_TOLD.slot],
      session: told[from + QUEUE_TOLD.session],
      sequence: told[from + QUEUE_TOLD.sequence],
      deliveryCount: told[from + QUEUE_TOLD.deliveryCount],
      route: told[from + QUEUE_TOLD.route],
      sentMs: this.#toldFloats[from + QUEUE_TOLD.sentMs >> 1],
      data: byteLength === QUEUE_LEFT ? undefined : this.#slab.take(told[from + QUEUE_TOLD.at], byteLength),
    };
  }
}
