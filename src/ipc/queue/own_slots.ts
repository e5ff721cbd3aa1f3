import { QUEUE_STATE } from "../../../ffi/mod.ts";
import type { QueueMemory } from "./queue_memory.ts";
import { moved, PHASE } from "./slot_word.ts";
import { NOBODY } from "../sharing/mod.ts";

/**
 * The messages that one opener has, and knows that it has. Of a slot that is the opener's by its word alone, recovery takes the word for damaged
 * and frees it: so taking a slot and knowing it are one step, here and in native code, with no call between the two.
 */
export class OwnSlots {
  /** The opener's state that native code works on: `QUEUE_STATE.words`, and behind them a byte for each slot, 1 where it has the message. */
  readonly state: Int32Array<ArrayBuffer>;
  /** The opener's number, once it has one. */
  owner: number = NOBODY;
  readonly #memory: QueueMemory;
  readonly #known: Uint8Array<ArrayBuffer>;

  /** None yet, of the slots in `memory`. */
  constructor(memory: QueueMemory) {
    this.#memory = memory;
    this.state = new Int32Array(QUEUE_STATE.words + Math.ceil(memory.capacity / 4));
    this.#known = new Uint8Array(this.state.buffer, QUEUE_STATE.words * 4, memory.capacity);
  }

  /** Whether the opener knows to have the message in a slot. */
  has(slot: number): boolean {
    return this.#known[slot] !== 0;
  }

  /** Reserves the message in a slot whose word is `word`; false when that has changed. */
  reserve(slot: number, word: number): boolean {
    if (!this.#memory.move(slot, word, moved(word, PHASE.reserved, this.owner))) return false;
    this.#known[slot] = 1;
    return true;
  }

  /** Lets go of a slot whose word is `word`: `to` is its word then. False when its word had changed, which is damage. */
  leave(slot: number, word: number, to: number): boolean {
    this.#known[slot] = 0;
    return this.#memory.move(slot, word, to);
  }
}
