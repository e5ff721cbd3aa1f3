import { PARTICIPANT, participantAt, RECORD, WORD } from "./layout.ts";
import type { BoxPlace } from "./mailbox_layout.ts";
import type { Participants } from "./participants.ts";
import { type QueueMemory } from "./queue_memory.ts";
import { NOBODY, Notifier, Waits, wordsOf } from "../sharing/mod.ts";
import { freed, generationOf, moved, ownerOf, PHASE, phaseOf } from "./slot_word.ts";

/** A box that is to go with a message. */
export interface HandOver {
  readonly box: number;
  readonly generation: number;
  /** Throws where it can go no more: it was released, sent or lost while its message waited for room. To be called before `go()`. */
  readonly check: () => void;
  /** Makes the box the message's: to be called when the record names it, and before the message is ready. */
  readonly go: () => void;
}

/** What boxes need of the opener of their queue. */
export interface BoxQueue {
  readonly memory: QueueMemory;
  readonly participants: Participants;
  /** Frees the slots of messages that are too old. */
  freeExpired(): void;
}

/** The boxes of a mailbox: who has which, and what becomes of those of the dead. */
export class Boxes {
  readonly places: readonly BoxPlace[];
  readonly waits: Waits;
  readonly #queue: BoxQueue;
  readonly #signal: Notifier;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Int32Array;
  /** Word that tells others that boxes of this participant's number are this one's. */
  readonly #mark: number;
  #closed = false;

  constructor(queue: BoxQueue, bytes: Uint8Array<ArrayBuffer>, places: readonly BoxPlace[]) {
    this.#queue = queue;
    this.#bytes = bytes;
    this.#words = wordsOf(bytes);
    this.places = places;
    // In the queue's memory, where those reach it who take messages away and have no mailbox open.
    this.#signal = new Notifier(queue.memory.words, WORD.boxes, queue.participants.recoveryCheck());
    this.waits = new Waits(this.#signal, () => this.recover());
    this.#mark = markOf(queue.participants.number);
    this.#freeOwn();
    // SYNC mailbox.mark: what a predecessor of the same number had is free; from now on it is this one's.
    Atomics.store(queue.memory.words, this.#mark, 1);
    this.recover();
  }

  get freeCount(): number {
    return this.places.filter((_, index) => phaseOf(this.#load(index)) === PHASE.free).length;
  }

  /** Takes the smallest free box that has room; its index, or -1. */
  acquire(byteLength: number): number {
    const found = this.#acquireFree(byteLength);
    if (found >= 0 || !this.recover()) return found;
    return this.#acquireFree(byteLength);
  }

  bytesOf(index: number, byteLength: number): Uint8Array<ArrayBuffer> {
    const { at } = this.places[index];
    return this.#bytes.subarray(at, at + byteLength);
  }

  generationOf(index: number): number {
    return generationOf(this.#load(index));
  }

  /** Bytes that the sender of a box has used. */
  usedBytes(index: number): number {
    const { state, byteLength } = this.places[index];
    return Math.min(this.#words[state + 1] >>> 0, byteLength);
  }

  /** Makes a box of this participant's that of the message that names it. */
  send(index: number, byteLength: number): void {
    const word = this.#load(index);
    this.#words[this.places[index].state + 1] = byteLength;
    // SYNC box: its contents are visible to who receives the message.
    this.#move(index, word, moved(word, PHASE.ready, NOBODY));
  }

  /** Frees a box that this participant has. */
  release(index: number): void {
    const word = this.#load(index);
    if (phaseOf(word) === PHASE.writing && ownerOf(word) === this.#queue.participants.number) {
      this.#free(index, word);
    }
  }

  /** The box that goes with the message in a slot that this participant has. */
  ofSlot(slot: number): number | undefined {
    const { words } = this.#queue.memory;
    const record = this.#queue.memory.recordOf(slot);
    const index = words[record + RECORD.box] - 1;
    if (index < 0 || index >= this.places.length) return undefined;
    // SYNC box
    const word = this.#load(index);
    const isIts = phaseOf(word) === PHASE.ready &&
      generationOf(word) === words[record + RECORD.boxGeneration];
    return isIts ? index : undefined;
  }

  /** Frees a box of that generation, whose message is no more. */
  freeSent(index: number, generation: number): void {
    const word = this.#load(index);
    if (phaseOf(word) === PHASE.ready && generationOf(word) === generation) this.#free(index, word);
  }

  /** Frees the boxes of the dead, and of messages that are no more; whether there were any. */
  recover(): boolean {
    let found = false;
    // In this order: see #named().
    const words = this.places.map((_, index) => this.#load(index));
    const areSent = words.some((word) => phaseOf(word) === PHASE.ready);
    if (areSent) this.#queue.freeExpired();
    const named = areSent ? this.#named() : new Set<string>();
    for (const [index, word] of words.entries()) {
      const phase = phaseOf(word);
      const isLost = phase === PHASE.writing
        ? !this.#hasOwner(ownerOf(word))
        : phase !== PHASE.free && !named.has(`${index}.${generationOf(word)}`);
      if (isLost && this.#free(index, word)) found = true;
    }
    return found;
  }

  /** Ends with the mailbox, or with the queue, whichever is first: behind that, the number is another's, and so are its boxes. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.waits.close(new Deno.errors.BadResource("wait for a box: the mailbox is closed"));
    this.#freeOwn();
    Atomics.store(this.#queue.memory.words, this.#mark, 0);
  }

  #acquireFree(byteLength: number): number {
    for (let index = 0; index < this.places.length; index++) {
      if (this.places[index].byteLength < byteLength) continue;
      const word = this.#load(index);
      if (phaseOf(word) !== PHASE.free) continue;
      if (this.#move(index, word, moved(word, PHASE.writing, this.#queue.participants.number))) return index;
    }
    return -1;
  }

  #freeOwn(): void {
    for (let index = 0; index < this.places.length; index++) this.release(index);
  }

  #free(index: number, word: number): boolean {
    const isFreed = this.#move(index, word, freed(word));
    if (isFreed) this.#signal.wakeAll();
    return isFreed;
  }

  /** Whether who has that number is alive and knows of its boxes. SYNC mailbox.mark. */
  #hasOwner(number: number): boolean {
    const { participants, memory } = this.#queue;
    if (number === participants.number) return true;
    return Atomics.load(memory.words, markOf(number)) !== 0 && memory.region.isLocked(number);
  }

  /**
   * Boxes that messages name, each as index and generation. A sender names a box before it is the message's; so one that was a message's
   * before this looks, and is named nowhere, belongs to none.
   */
  #named(): Set<string> {
    const { memory } = this.#queue;
    const named = new Set<string>();
    for (let slot = 0; slot < memory.capacity; slot++) {
      if (phaseOf(memory.load(slot)) === PHASE.free) continue;
      const record = memory.recordOf(slot);
      const box = Atomics.load(memory.words, record + RECORD.box) - 1;
      if (box >= 0) named.add(`${box}.${Atomics.load(memory.words, record + RECORD.boxGeneration)}`);
    }
    return named;
  }

  #load(index: number): number {
    return Atomics.load(this.#words, this.places[index].state);
  }

  #move(index: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, this.places[index].state, from, to) === from;
  }
}

function markOf(number: number): number {
  return (participantAt(number) >> 2) + PARTICIPANT.mailbox;
}
