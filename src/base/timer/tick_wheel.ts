import { assert } from "../mod.ts";

/*
 * A tick is a whole number of up to 53 bits, cut into groups of five. The lowest six groups (30 bits, one
 * small integer) are `low`, the other five `high`. Each group is a level of 32 slots, and each slot a list:
 *
 *   level      10 ... 6 | 5      4      3      2      1      0
 *   bits of      high   | 25-29  20-24  15-19  10-14  5-9    0-4     of the tick
 *
 * An entry lies at the highest level where its tick differs from the wheel's, in the slot that its own group
 * names. From this follow the rules which the code relies on:
 *
 *  - all of a level is due before any of a higher level, and the slots of a level are due in their order;
 *  - entries of one tick share a list, in the order of arrival, because their place depends on the tick alone;
 *  - when the wheel moves into a slot of a higher level, all lower levels are empty, so its list spreads out
 *    in order.
 */
const SLOT_BITS = 5;
const SLOT_COUNT = 1 << SLOT_BITS;
const SLOT_MASK = SLOT_COUNT - 1;
const LOW_LEVEL_COUNT = 6;
const LEVEL_COUNT = 11;
const LOW_RANGE = 2 ** (SLOT_BITS * LOW_LEVEL_COUNT);

/** Entries below this one are heads of the slots' lists; this one heads the list of due entries. */
const DUE_HEAD = LEVEL_COUNT * SLOT_COUNT;
const HEAD_COUNT = DUE_HEAD + 1;
const ENTRY_COUNT_INITIAL = 512;
const NO_ENTRY = -1;

// Words of one entry. A free entry links to the next free one.
const ENTRY_WORDS = 4;
const NEXT = 0;
const PREVIOUS = 1;
const LOW = 2;
const GENERATION = 3;

/** A generation stays a small integer on every build of V8. */
const GENERATION_MAX = 2 ** 30 - 1;

/**
 * Callbacks ordered by tick: scheme 7 of Varghese and Lauck, "Hashed and Hierarchical Timing Wheels: Data
 * Structures for the Efficient Implementation of a Timer Facility" (SOSP 1987), with a bitmap of the occupied
 * slots of each level so that a jump in time costs nothing for the slots it skips. Knows no clock.
 *
 * Entries are indexes into typed arrays rather than linked objects: with very many timers that saves the garbage
 * collector the links. An index is reused after its entry is freed, so keep its generation with it; an entry that has
 * used up its generations is never reused.
 */
export class TickWheel {
  /** Called when a cancellation removes the last entry. */
  onEmpty: (() => void) | undefined = undefined;

  #words = new Int32Array(ENTRY_COUNT_INITIAL * ENTRY_WORDS);
  #highs = new Int32Array(ENTRY_COUNT_INITIAL);
  readonly #callbacks: ((() => void) | undefined)[] = [];
  #firstFree = NO_ENTRY;
  #size = 0;

  /** Bit `l` is set when level `l` has entries; bit `s` of word `l` when slot `s` of level `l` has. */
  #occupiedLevels = 0;
  readonly #occupiedSlots = new Int32Array(LEVEL_COUNT);

  #tick = 0;
  #tickLow = 0;
  #tickHigh = 0;

  readonly #sizeMax: number;
  readonly #generationMax: number;

  constructor(sizeMax: number, generationMax = GENERATION_MAX) {
    this.#sizeMax = sizeMax;
    this.#generationMax = generationMax;
    for (let head = 0; head < HEAD_COUNT; head++) {
      this.#words[head * ENTRY_WORDS + NEXT] = head;
      this.#words[head * ENTRY_WORDS + PREVIOUS] = head;
      this.#callbacks.push(undefined);
    }
  }

  /** Entries held, including due ones. */
  get size(): number {
    return this.#size;
  }

  /** The tick reached by the last `collect()`. */
  get tick(): number {
    return this.#tick;
  }

  /** No entry is due before this tick, which may be early by up to the width of a slot; infinite without entries. */
  get nextTick(): number {
    const words = this.#words;
    if (words[DUE_HEAD * ENTRY_WORDS + NEXT] !== DUE_HEAD) return this.#tick;
    if (this.#occupiedLevels === 0) return Infinity;
    const level = lowestBit(this.#occupiedLevels);
    return this.#slotTick(level, lowestBit(this.#occupiedSlots[level]));
  }

  /**
   * Adds a callback for `tick`, at the earliest the present tick, and returns its entry.
   *
   * @throws {RangeError} when `sizeMax` entries are held
   */
  add(tick: number, callback: () => void): number {
    if (this.#size >= this.#sizeMax) {
      throw new RangeError(`TimerWheel.schedule: ${this.#size} timers held, expected fewer than sizeMax`);
    }
    const placedTick = tick < this.#tick ? this.#tick : tick;
    const high = Math.floor(placedTick / LOW_RANGE) | 0;
    const low = (placedTick - high * LOW_RANGE) | 0;
    const entry = this.#takeFree(callback);
    this.#words[entry * ENTRY_WORDS + LOW] = low;
    this.#highs[entry] = high;
    this.#size++;
    this.#place(entry, low, high);
    return entry;
  }

  /** Distinguishes this use of `entry` from later ones. */
  generationOf(entry: number): number {
    return this.#words[entry * ENTRY_WORDS + GENERATION];
  }

  /** Removes an entry; false when that use of it is over. */
  cancel(entry: number, generation: number): boolean {
    if (this.#words[entry * ENTRY_WORDS + GENERATION] !== generation) return false;
    this.#remove(entry);
    if (this.#size === 0) this.onEmpty?.();
    return true;
  }

  /** Moves to `tick` and puts every entry up to it on the due list, by tick and, within one, by arrival. */
  collect(tick: number): void {
    while (this.#occupiedLevels !== 0) {
      const level = lowestBit(this.#occupiedLevels);
      const slot = lowestBit(this.#occupiedSlots[level]);
      const slotTick = this.#slotTick(level, slot);
      if (slotTick > tick) break;
      this.#moveTo(slotTick);
      this.#setVacant(level, slot);
      const head = level * SLOT_COUNT + slot;
      if (level === 0) this.#appendToDue(head);
      else this.#spread(head);
    }
    if (tick > this.#tick) this.#moveTo(tick);
  }

  /** Removes the first due entry and returns its callback, or `undefined` when none is due. */
  takeDue(): (() => void) | undefined {
    const entry = this.#words[DUE_HEAD * ENTRY_WORDS + NEXT];
    if (entry === DUE_HEAD) return undefined;
    const callback = this.#callbacks[entry];
    this.#remove(entry);
    return callback;
  }

  #slotTick(level: number, slot: number): number {
    if (level < LOW_LEVEL_COUNT) {
      return this.#tickHigh * LOW_RANGE + withGroup(this.#tickLow, level, slot);
    }
    return withGroup(this.#tickHigh, level - LOW_LEVEL_COUNT, slot) * LOW_RANGE;
  }

  #moveTo(tick: number): void {
    assert(tick >= this.#tick, `timer wheel: moving to tick ${tick}, expected ${this.#tick} or later`);
    this.#tick = tick;
    this.#tickHigh = Math.floor(tick / LOW_RANGE) | 0;
    this.#tickLow = (tick - this.#tickHigh * LOW_RANGE) | 0;
  }

  #place(entry: number, low: number, high: number): void {
    const differingHigh = high ^ this.#tickHigh;
    let level: number;
    let slot: number;
    if (differingHigh === 0) {
      level = highestGroup(low ^ this.#tickLow);
      slot = (low >>> (level * SLOT_BITS)) & SLOT_MASK;
    } else {
      const group = highestGroup(differingHigh);
      level = group + LOW_LEVEL_COUNT;
      slot = (high >>> (group * SLOT_BITS)) & SLOT_MASK;
    }
    const words = this.#words;
    const head = level * SLOT_COUNT + slot;
    const last = words[head * ENTRY_WORDS + PREVIOUS];
    words[entry * ENTRY_WORDS + NEXT] = head;
    words[entry * ENTRY_WORDS + PREVIOUS] = last;
    words[last * ENTRY_WORDS + NEXT] = entry;
    words[head * ENTRY_WORDS + PREVIOUS] = entry;
    if (last === head) {
      this.#occupiedSlots[level] |= 1 << slot;
      this.#occupiedLevels |= 1 << level;
    }
  }

  #setVacant(level: number, slot: number): void {
    this.#occupiedSlots[level] &= ~(1 << slot);
    if (this.#occupiedSlots[level] === 0) this.#occupiedLevels &= ~(1 << level);
  }

  /** Moves a slot's whole list, which must have entries, behind the due ones. */
  #appendToDue(head: number): void {
    const words = this.#words;
    const first = words[head * ENTRY_WORDS + NEXT];
    const last = words[head * ENTRY_WORDS + PREVIOUS];
    const lastDue = words[DUE_HEAD * ENTRY_WORDS + PREVIOUS];
    words[lastDue * ENTRY_WORDS + NEXT] = first;
    words[first * ENTRY_WORDS + PREVIOUS] = lastDue;
    words[last * ENTRY_WORDS + NEXT] = DUE_HEAD;
    words[DUE_HEAD * ENTRY_WORDS + PREVIOUS] = last;
    words[head * ENTRY_WORDS + NEXT] = head;
    words[head * ENTRY_WORDS + PREVIOUS] = head;
  }

  /** Places a slot's entries anew, after the wheel has moved to the slot's first tick. */
  #spread(head: number): void {
    const words = this.#words;
    let entry = words[head * ENTRY_WORDS + NEXT];
    words[head * ENTRY_WORDS + NEXT] = head;
    words[head * ENTRY_WORDS + PREVIOUS] = head;
    while (entry !== head) {
      const next = words[entry * ENTRY_WORDS + NEXT];
      this.#place(entry, words[entry * ENTRY_WORDS + LOW], this.#highs[entry]);
      entry = next;
    }
  }

  #remove(entry: number): void {
    const words = this.#words;
    const base = entry * ENTRY_WORDS;
    const next = words[base + NEXT];
    const previous = words[base + PREVIOUS];
    words[previous * ENTRY_WORDS + NEXT] = next;
    words[next * ENTRY_WORDS + PREVIOUS] = previous;
    // Only a list's head can be on both sides: the list is empty now.
    if (next === previous && next < DUE_HEAD) this.#setVacant(next >>> SLOT_BITS, next & SLOT_MASK);
    this.#callbacks[entry] = undefined;
    this.#size--;
    const generation = ++words[base + GENERATION];
    if (generation > this.#generationMax) return;
    words[base + NEXT] = this.#firstFree;
    this.#firstFree = entry;
  }

  #takeFree(callback: () => void): number {
    const free = this.#firstFree;
    if (free !== NO_ENTRY) {
      this.#firstFree = this.#words[free * ENTRY_WORDS + NEXT];
      this.#callbacks[free] = callback;
      return free;
    }
    const entry = this.#callbacks.length;
    if (entry === this.#highs.length) this.#grow();
    this.#callbacks.push(callback);
    return entry;
  }

  #grow(): void {
    const words = new Int32Array(this.#words.length * 2);
    words.set(this.#words);
    this.#words = words;
    const highs = new Int32Array(this.#highs.length * 2);
    highs.set(this.#highs);
    this.#highs = highs;
  }
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

/** The highest five-bit group of `bits` with a bit set; group 0 when none is. */
function highestGroup(bits: number): number {
  return ((31 - Math.clz32(bits | 1)) / SLOT_BITS) | 0;
}

/** `bits` with `slot` in group `group` and zeros in the groups below. */
function withGroup(bits: number, group: number, slot: number): number {
  const shift = group * SLOT_BITS;
  return (bits & ~((SLOT_COUNT << shift) - 1)) | (slot << shift);
}
