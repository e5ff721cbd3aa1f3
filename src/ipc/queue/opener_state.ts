import { QUEUE_STATE } from "../../../ffi/mod.ts";
import { laneAt, PARTICIPANT, participantAt, WORD } from "./layout.ts";
import type { OwnSlots } from "./own_slots.ts";
import type { Participants } from "./participants.ts";
import type { QueueMemory } from "./queue_memory.ts";
import { SLAB_BYTES } from "../sharing/mod.ts";

/** What native code and TypeScript share of one opener of a queue, besides the region: where things are in it, and how far the opener is. */
export class OpenerState {
  readonly words: Int32Array<ArrayBuffer>;
  readonly #floats: Float64Array<ArrayBuffer>;
  readonly #participants: Participants;

  constructor(
    { constants, geometry }: QueueMemory,
    participants: Participants,
    own: OwnSlots,
  ) {
    this.#participants = participants;
    this.words = own.state;
    this.#floats = new Float64Array(own.state.buffer, 0, QUEUE_STATE.words >> 1);
    const entries: Record<
      Exclude<keyof typeof QUEUE_STATE, "cursor" | "lastMs" | "sequence" | "previous" | "words">,
      number
    > = {
      capacity: constants.capacity,
      number: participants.number,
      slotsAt: geometry.slotsAt,
      recordsAt: geometry.recordsAt,
      recordBytes: geometry.recordBytes,
      lanesAt: geometry.lanesAt,
      laneBytes: laneAt(geometry, 1) - laneAt(geometry, 0),
      cellsAt: geometry.cellsAt,
      cellCount: geometry.cellCount,
      countersAt: participantAt(participants.number) + PARTICIPANT.counters * 4,
      itemsAt: WORD.items * 4,
      roomAt: WORD.room * 4,
      deliveryCountMax: constants.deliveryCountMax,
      messageBytesMax: constants.messageBytesMax,
      laneCount: geometry.laneCount,
      dataBytes: SLAB_BYTES,
      session: participants.session,
    };
    for (const [name, value] of Object.entries(entries)) {
      this.words[QUEUE_STATE[name as keyof typeof QUEUE_STATE]] = value;
    }
  }

  get session(): number {
    return this.words[QUEUE_STATE.session];
  }

  /** Of the message that was sent last. */
  get sequence(): number {
    return this.words[QUEUE_STATE.sequence];
  }

  /** Slot at which the next search for a free one starts. */
  get cursor(): number {
    return this.words[QUEUE_STATE.cursor];
  }

  set cursor(slot: number) {
    this.words[QUEUE_STATE.cursor] = slot;
  }

  /** Slot of the last message of `lane`, counted from 1; 0: none. */
  previousSlot(lane: number): number {
    return this.words[QUEUE_STATE.previous + 2 * lane];
  }

  /** Its generation. */
  previousGeneration(lane: number): number {
    return this.words[QUEUE_STATE.previous + 2 * lane + 1];
  }

  /** Remembers the last message of `lane`. */
  setPrevious(lane: number, slot: number, generation: number): void {
    this.words[QUEUE_STATE.previous + 2 * lane] = slot + 1;
    this.words[QUEUE_STATE.previous + 2 * lane + 1] = generation;
  }

  /** Sees to it that the next `count` sequence numbers belong to one session. */
  prepare(count: number): void {
    if ((this.sequence >>> 0) + count < 2 ** 32) return;
    this.words[QUEUE_STATE.session] = this.#participants.nextSession();
    this.words[QUEUE_STATE.sequence] = 0;
  }

  /** The next sequence number. */
  next(): number {
    return this.words[QUEUE_STATE.sequence] = this.sequence + 1 | 0;
  }

  /** `nowMs`, or the last time if that was later: the search for the oldest message relies on it. */
  stamp(nowMs: number): number {
    const at = QUEUE_STATE.lastMs >> 1;
    if (nowMs > this.#floats[at]) this.#floats[at] = nowMs;
    return this.#floats[at];
  }
}
