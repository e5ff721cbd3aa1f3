import { PARTICIPANT, participantAt, RECORD } from "./layout.ts";
import type { Participants } from "./participants.ts";
import type { QueueMemory } from "./queue_memory.ts";

/**
 * Which requests of an opener may have been replied to, so that one reply costs it no look at all of its requests.
 *
 * It is a list in shared memory: a word of the requester names the slot that came last, and each slot the one before it. Who replies puts a
 * slot there while it is its own, before it hands the slot over; only the requester takes slots out, all at once, and does so before it frees
 * one. A list may still be wrong when a requester has died, or given up in the very moment of a reply: slots may be missing in it, or be
 * another's. So it is a hint, as those of lanes are: the slots themselves say what is so, and are all looked at now and then.
 */
export class ReplyHints {
  readonly #memory: QueueMemory;
  readonly #participants: Participants;
  /** Slots of requests of this opener that were in the list, and still wait. */
  readonly #hinted = new Set<number>();

  constructor(memory: QueueMemory, participants: Participants) {
    this.#memory = memory;
    this.#participants = participants;
  }

  /** Puts a slot that this participant writes a reply to into the list of `requester`. SYNC replied. */
  leave(requester: number, slot: number): void {
    const { words } = this.#memory;
    const head = headOf(requester);
    const next = this.#nextOf(slot);
    for (;;) {
      const first = Atomics.load(words, head);
      Atomics.store(words, next, first);
      if (Atomics.compareExchange(words, head, first, slot + 1) === first) return;
    }
  }

  /** Has `requester` look at all of its requests: one has gone without a reply, or may have. To be called before it is woken. */
  lose(requester: number): void {
    // SYNC lost: behind what became of the request.
    Atomics.store(this.#memory.words, (participantAt(requester) >> 2) + PARTICIPANT.lost, 1);
  }

  /** Slots in which there may be something new; what is taken from the list stays here until it is forgotten. */
  due(): Iterable<number> {
    this.take();
    const { number, requests } = this.#participants;
    // SYNC lost
    const isLost =
      Atomics.exchange(this.#memory.words, (participantAt(number) >> 2) + PARTICIPANT.lost, 0) !== 0;
    return isLost ? [...requests.keys()] : this.#hinted;
  }

  /** Takes all out of the list. SYNC replied: a slot that holds a reply has been in it. */
  take(): void {
    const { words, capacity } = this.#memory;
    let next = Atomics.exchange(words, headOf(this.#participants.number), 0);
    for (let steps = 0; steps < capacity && next > 0 && next <= capacity; steps++) {
      const slot = next - 1;
      next = Atomics.load(words, this.#nextOf(slot));
      if (this.#participants.requests.has(slot)) this.#hinted.add(slot);
    }
  }

  /** Nobody waits for a reply in that slot any more. */
  forget(slot: number): void {
    this.#hinted.delete(slot);
  }

  #nextOf(slot: number): number {
    return this.#memory.recordOf(slot) + RECORD.nextReplied;
  }
}

function headOf(number: number): number {
  return (participantAt(number) >> 2) + PARTICIPANT.replied;
}
