import { QUEUE_HINT } from "../../../ffi/mod.ts";
import { LANE, laneAt } from "./layout.ts";
import type { QueueMemory } from "./queue_memory.ts";

/** Reads of cells that others change meanwhile, or that are damaged, after which a call gives up. */
const LOOKS_MAX = 10_000;

const { slotMask: SLOT_MASK, full: FULL, lapShift: LAP_SHIFT, lapMask: LAP_MASK } = QUEUE_HINT;

/**
 * One ring of cells per lane that say in which slots messages are, in the order in which they came. Hints may be wrong, doubled
 * or missing: the slots hold the truth, and what a hint costs when it lies is time.
 *
 * A cell is `lap: 15 │ full: 1 │ slot: 16`. It may be filled in the lap that it says, and says the next one when it is emptied. A
 * participant that finds a full cell at the tail, or an emptied one at the head, moves these on in place of one that died before doing so.
 */
export class Hints {
  readonly #words: Int32Array;
  readonly #capacity: number;
  /** Index of the first word of each lane, and of its cells. */
  readonly #lanes: readonly number[];
  readonly #cells: readonly number[];
  readonly #mask: number;
  readonly #shift: number;
  /** Of the hint that `first()` found. */
  #foundLane = 0;
  #foundHead = 0;
  #foundCell = 0;

  constructor({ words, capacity, geometry }: QueueMemory) {
    this.#words = words;
    this.#capacity = capacity;
    const lanes = Array.from({ length: geometry.laneCount + 1 }, (_, lane) => lane);
    this.#lanes = lanes.map((lane) => laneAt(geometry, lane) >> 2);
    this.#cells = lanes.map((lane) => (geometry.cellsAt >> 2) + lane * geometry.cellCount);
    this.#mask = geometry.cellCount - 1;
    this.#shift = Math.log2(geometry.cellCount);
  }

  /** Leaves a hint that a message of `lane` is in `slot`; none when the ring is full, which costs its consumer a scan. */
  leave(lane: number, slot: number): void {
    const words = this.#words;
    const tailAt = this.#lanes[lane] + LANE.tail;
    const cells = this.#cells[lane];
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const tail = Atomics.load(words, tailAt);
      const at = cells + (tail & this.#mask);
      const cell = Atomics.load(words, at);
      const ahead = this.#ahead(cell, tail);
      if (ahead === 0 && (cell & FULL) === 0) {
        const full = this.#lapOf(tail) << LAP_SHIFT | FULL | slot;
        if (Atomics.compareExchange(words, at, cell, full) !== cell) continue;
        Atomics.compareExchange(words, tailAt, tail, tail + 1 | 0);
        return;
      }
      // Another's hint, perhaps emptied already, before the tail has moved: move it on for the one that left it.
      if (ahead === 0 || ahead === 1) Atomics.compareExchange(words, tailAt, tail, tail + 1 | 0);
      else if (ahead < 0) return;
    }
  }

  /** The slot that the oldest hint of `lane` names; -1: there is none. */
  first(lane: number): number {
    const words = this.#words;
    const headAt = this.#lanes[lane] + LANE.head;
    const cells = this.#cells[lane];
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const head = Atomics.load(words, headAt);
      const cell = Atomics.load(words, cells + (head & this.#mask));
      const ahead = this.#ahead(cell, head);
      if (ahead === 0 && (cell & FULL) !== 0) {
        this.#foundLane = lane;
        this.#foundHead = head;
        this.#foundCell = cell;
        const slot = cell & SLOT_MASK;
        if (slot < this.#capacity) return slot;
        this.pass();
      } else if (ahead === 1) Atomics.compareExchange(words, headAt, head, head + 1 | 0);
      else if (ahead <= 0) return -1;
    }
    return -1;
  }

  /** Removes the hint that the last `first()` found, unless another participant has. */
  pass(): void {
    const words = this.#words;
    const head = this.#foundHead;
    const at = this.#cells[this.#foundLane] + (head & this.#mask);
    const empty = this.#lapOf(head) + 1 << LAP_SHIFT;
    if (Atomics.load(words, at) === this.#foundCell) {
      Atomics.compareExchange(words, at, this.#foundCell, empty);
    }
    Atomics.compareExchange(words, this.#lanes[this.#foundLane] + LANE.head, head, head + 1 | 0);
  }

  #lapOf(position: number): number {
    return position >>> this.#shift & LAP_MASK;
  }

  /** How many laps the cell is ahead of the position, from -2^14 to 2^14. */
  #ahead(cell: number, position: number): number {
    const difference = (cell >>> LAP_SHIFT) - this.#lapOf(position) & LAP_MASK;
    return difference << 17 >> 17;
  }
}
