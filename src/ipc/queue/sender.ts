import type { HandOver } from "./boxes.ts";
import { checksumOf } from "./checksum.ts";
import { COUNTER, FLAG, RECORD } from "./layout.ts";
import type { Hints } from "./hints.ts";
import type { OpenerState } from "./opener_state.ts";
import type { Participants } from "./participants.ts";
import type { QueueMemory } from "./queue_memory.ts";
import { routeOf } from "./route.ts";
import { generationOf, moved, PHASE, phaseOf } from "./slot_word.ts";
import { NOBODY } from "../sharing/mod.ts";

/** What `Sender.trySend()` gives when there is no free slot. */
export const NO_SLOT = -1;

/** What goes with a message, apart from its bytes. */
export interface Envelope {
  readonly lane: number;
  /** Bits of `FLAG`. */
  readonly flags: number;
  /** Milliseconds since 1970; 0: never. */
  readonly expiresMs: number;
  /** A box of the mailbox that goes with it. */
  readonly box?: HandOver | undefined;
}

/** Puts messages into slots, and leaves hints. */
export class Sender {
  readonly #memory: QueueMemory;
  readonly #words: Int32Array;
  readonly #hints: Hints;
  readonly #participants: Participants;
  readonly #state: OpenerState;
  readonly #checksums: boolean;

  constructor(memory: QueueMemory, hints: Hints, participants: Participants, state: OpenerState) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#hints = hints;
    this.#participants = participants;
    this.#state = state;
    this.#checksums = memory.constants.checksums !== 0;
  }

  /** Puts a copy of `data` into a free slot, and returns the slot; {@linkcode NO_SLOT} when there is none. It is acknowledged then. */
  trySend(data: Uint8Array, envelope: Envelope, nowMs: number): number {
    envelope.box?.check();
    const byteLength = data.length;
    // A buffer that can be resized may have been since anybody looked.
    checkLength(this.#memory, byteLength);
    const slot = this.#claim();
    if (slot === NO_SLOT) return slot;
    const memory = this.#memory;
    const record = memory.recordOf(slot);
    const { lane } = envelope;
    this.#describe(record, byteLength, envelope, nowMs);
    const copy = memory.bytes.subarray(memory.messageOf(slot), memory.messageOf(slot) + byteLength);
    copy.set(data);
    const word = memory.load(slot);
    if (this.#checksums) {
      this.#words[record + RECORD.checksum] = checksumOf(memory, record, generationOf(word), copy);
    }
    this.#state.setPrevious(lane, slot, generationOf(word));
    envelope.box?.go();
    // Before the request can be answered: a reply that nobody is known to wait for is freed by who looks after the dead.
    if ((envelope.flags & FLAG.request) !== 0) this.#participants.requests.set(slot, generationOf(word));
    memory.move(slot, word, moved(word, PHASE.ready, NOBODY));
    this.#hints.leave(lane, slot);
    this.#participants.count(COUNTER.sent);
    return slot;
  }

  /** Takes a free slot, to write to. */
  #claim(): number {
    const memory = this.#memory;
    const { capacity } = memory;
    let slot = this.#state.cursor;
    for (let looked = 0; looked < capacity; looked++) {
      const word = memory.load(slot);
      const next = slot + 1 < capacity ? slot + 1 : 0;
      if (
        phaseOf(word) === PHASE.free &&
        memory.move(slot, word, moved(word, PHASE.writing, this.#participants.number))
      ) {
        this.#state.cursor = next;
        return slot;
      }
      slot = next;
    }
    return NO_SLOT;
  }

  #describe(
    record: number,
    byteLength: number,
    { lane, flags, expiresMs, box }: Envelope,
    nowMs: number,
  ): void {
    const words = this.#words;
    const { floats } = this.#memory;
    const state = this.#state;
    state.prepare(1);
    words[record + RECORD.byteLength] = byteLength;
    words[record + RECORD.deliveryCount] = 0;
    words[record + RECORD.sequence] = state.next();
    words[record + RECORD.session] = state.session;
    const isRequest = (flags & FLAG.request) !== 0;
    words[record + RECORD.route] = routeOf(lane, isRequest ? this.#participants.number : NOBODY, flags);
    Atomics.store(words, record + RECORD.boxGeneration, box?.generation ?? 0);
    Atomics.store(words, record + RECORD.box, box === undefined ? 0 : box.box + 1);
    floats[record + RECORD.sentMs >> 1] = state.stamp(nowMs);
    floats[record + RECORD.expiresMs >> 1] = expiresMs;
    words[record + RECORD.requestSession] = isRequest ? this.#participants.session : 0;
    // Generations come round: the mark of a request that was given up here long ago is not for this one.
    if (isRequest) Atomics.store(words, record + RECORD.cancelled, 0);
    words[record + RECORD.previousSlot] = state.previousSlot(lane);
    words[record + RECORD.previousGeneration] = state.previousGeneration(lane);
  }
}

/** @throws {RangeError} when a message is longer than those that the queue is made for */
export function checkLength(
  { label, constants: { messageBytesMax } }: QueueMemory,
  byteLength: number,
): void {
  if (byteLength <= messageBytesMax) return;
  throw new RangeError(
    `send to ${label}: the message has ${byteLength} bytes, expected at most ${messageBytesMax}`,
  );
}
