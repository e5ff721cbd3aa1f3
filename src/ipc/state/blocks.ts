import { NOBODY } from "../sharing/mod.ts";
import { isImpossible, isSameGeneration, moved, ownerOf, PHASE, phaseOf, renewed } from "./block_word.ts";
import { SPARES_MAX, WORD } from "./layout.ts";
import { NONE, type StateMemory } from "./state_memory.ts";
import type { Table } from "./table.ts";

/**
 * The blocks of a state, for one opener: where it gets one to write to, and where those go that no bucket leads to any more.
 *
 * What it has taken from a bucket it writes to again only after it has written to another: who is reading it meanwhile has so long.
 */
export class Blocks {
  /** Number of this opener. */
  owner: number = NOBODY;
  readonly #memory: StateMemory;
  readonly #table: Table;
  /** Blocks that are this opener's, the one that was taken first at the front. */
  readonly #spares: number[] = [];
  #cursor = 0;
  /** How often blocks had become free when there was none. */
  #noneAt = NONE;

  constructor(memory: StateMemory, table: Table) {
    this.#memory = memory;
    this.#table = table;
  }

  /** A block to write to, or {@linkcode NONE}. */
  take(): number {
    const spares = this.#spares;
    while (spares.length < SPARES_MAX) {
      const block = this.#findFree();
      if (block === NONE) break;
      // It may be written to at once: nobody has been reading it.
      spares.unshift(block);
    }
    return spares.length === 0 ? NONE : spares.shift() as number;
  }

  /** Says that a block of this opener's is about to be written to. SYNC generation: who is still reading it sees that. */
  begin(block: number): void {
    const word = this.#memory.load(block);
    this.#memory.move(block, word, renewed(word, PHASE.owned, this.owner));
  }

  /** Gives back a block that was taken, and that no bucket has led to. */
  putBack(block: number): void {
    this.#spares.unshift(block);
    this.#trim();
  }

  /** Says that a bucket leads to a block of this opener's. */
  published(block: number): void {
    const word = this.#memory.load(block);
    const live = moved(word, PHASE.live, NOBODY);
    if (!this.#memory.move(block, word, live)) return;
    // SYNC live: who takes it from its bucket meanwhile sees that it is live, or this sees that it was taken.
    if (this.#table.leadsTo(block) === false) this.#takeOver(block, live);
  }

  /** Takes a block that this opener has taken from its bucket; `word` is what its word was while the bucket still led to it. */
  unlinked(block: number, word: number): void {
    const now = this.#memory.load(block);
    // It may have another owner by now. If it is not live yet, the participant that published it makes it so. SYNC live.
    if (isSameGeneration(now, word) && phaseOf(now) === PHASE.live) this.#takeOver(block, now);
  }

  /** Puts in order what `number` has: who is dead, or is leaving, or had this opener's number before. */
  sweep(number: number): void {
    if (number === this.owner) this.#spares.length = 0;
    for (let block = 0; block < this.#memory.blockCount; block++) {
      const word = this.#memory.load(block);
      if (phaseOf(word) === PHASE.owned && ownerOf(word) === number) this.#settle(block, word);
    }
  }

  /** Frees what no bucket leads to and nobody has, and what is damaged. To be called while nothing is being written. */
  audit(): void {
    for (let block = 0; block < this.#memory.blockCount; block++) {
      const word = this.#memory.load(block);
      const isLost = phaseOf(word) === PHASE.owned && ownerOf(word) === this.owner &&
        !this.#spares.includes(block);
      if (isImpossible(word) || isLost) this.#settle(block, word);
      else if (phaseOf(word) === PHASE.live && this.#table.leadsTo(block) === false) this.#free(block, word);
    }
    this.#noneAt = NONE;
  }

  /** Marks in `owners` who has blocks. */
  markOwners(owners: Uint8Array): void {
    for (let block = 0; block < this.#memory.blockCount; block++) {
      const word = this.#memory.load(block);
      if (phaseOf(word) === PHASE.owned) owners[ownerOf(word)] = 1;
    }
  }

  /** How many are live. */
  countLive(): number {
    let count = 0;
    for (let block = 0; block < this.#memory.blockCount; block++) {
      if (phaseOf(this.#memory.load(block)) === PHASE.live) count++;
    }
    return count;
  }

  /** Live where a bucket leads to it, else free; unchanged if that is unknown. */
  #settle(block: number, word: number): void {
    const leads = this.#table.leadsTo(block);
    if (leads === false) return this.#free(block, word);
    const live = moved(word, PHASE.live, NOBODY);
    if (leads === undefined || !this.#memory.move(block, word, live)) return;
    // SYNC live
    if (this.#table.leadsTo(block) === false) this.#free(block, live);
  }

  #takeOver(block: number, word: number): void {
    if (!this.#memory.move(block, word, moved(word, PHASE.owned, this.owner))) return;
    this.#spares.push(block);
    this.#trim();
  }

  #trim(): void {
    while (this.#spares.length > SPARES_MAX) {
      const block = this.#spares.shift() as number;
      this.#free(block, this.#memory.load(block));
    }
  }

  #free(block: number, word: number): void {
    const { words } = this.#memory;
    if (!this.#memory.move(block, word, renewed(word, PHASE.free, NOBODY))) return;
    Atomics.store(words, WORD.lastFreed, block);
    Atomics.add(words, WORD.freed, 1);
  }

  #findFree(): number {
    const { words, blockCount } = this.#memory;
    const freed = Atomics.load(words, WORD.freed);
    if (freed === this.#noneAt) return NONE;
    const hint = Atomics.load(words, WORD.lastFreed);
    if (hint >>> 0 < blockCount && this.#own(hint)) return hint;
    for (let count = 0; count < blockCount; count++) {
      const block = this.#cursor;
      this.#cursor = block + 1 === blockCount ? 0 : block + 1;
      if (this.#own(block)) return block;
    }
    this.#noneAt = freed;
    return NONE;
  }

  #own(block: number): boolean {
    const word = this.#memory.load(block);
    return phaseOf(word) === PHASE.free && !isImpossible(word) &&
      this.#memory.move(block, word, moved(word, PHASE.owned, this.owner));
  }
}
