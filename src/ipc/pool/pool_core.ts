import { assert } from "../../base/mod.ts";
import {
  floatsOf,
  Members,
  MEMBERS_MAX,
  NOBODY,
  Notifier,
  ScanThrottle,
  type SharedRegion,
  Waits,
  wordsOf,
} from "../sharing/mod.ts";
import {
  POOL_COUNTER,
  POOL_MEMBER,
  POOL_MEMBER_BYTES,
  POOL_MEMBERS_AT,
  POOL_PHASE,
  POOL_WORD,
  POOL_WORDS_AT,
  type PoolGeometry,
  poolGeometryOf,
} from "./pool_layout.ts";
import { isImpossiblePoolWord, poolGenerationOf, poolOwnerOf, poolPhaseOf, poolWordOf } from "./pool_word.ts";

/** No block. */
export const NO_BLOCK = -1;

/** One opener of a pool. */
export class PoolCore {
  readonly members: Members;
  readonly room: Waits;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly blockCount: number;
  readonly geometry: PoolGeometry;
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  readonly #signal: Notifier;
  readonly #scans: ScanThrottle;
  /** Words of the blocks that this opener has or offers. */
  readonly #own = new Map<number, number>();
  #cursor = 0;
  #noneAt = NO_BLOCK;
  #closed = false;

  /** @throws {Deno.errors.Busy} when the pool has as many openers as it can */
  constructor(region: SharedRegion, blockCount: number, blockBytes: number) {
    const words = this.#words = wordsOf(region.bytes);
    const floats = this.#floats = floatsOf(region.bytes);
    this.bytes = region.bytes;
    this.blockCount = blockCount;
    this.geometry = poolGeometryOf(blockCount, blockBytes);
    const { byteLength } = region.bytes;
    assert(
      byteLength === this.geometry.byteLength,
      `PoolCore: ${byteLength} bytes are not those of its constants`,
    );
    this.#scans = new ScanThrottle(blockCount);
    const table = { region, words, floats, at: POOL_MEMBERS_AT, bytes: POOL_MEMBER_BYTES };
    this.members = new Members({ ...table, sessions: POOL_WORD.sessions, looked: POOL_WORD.looked });
    this.members.enter((number) => this.#sweep(number));
    this.#signal = new Notifier(words, POOL_WORD.room, this.members.recoveryCheck());
    this.room = new Waits(this.#signal, () => this.recover());
    this.recover();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** A free block, which is this opener's then, or {@linkcode NO_BLOCK}. */
  acquire(): number {
    const block = this.#findFree();
    if (block !== NO_BLOCK || !this.#scans.due) return block;
    this.recover();
    this.#scans.done();
    return this.#findFree();
  }

  /** The generation in which this opener has a block, offered or not; `undefined`: it has not. */
  generationOf(block: number): number | undefined {
    const word = this.#own.get(block);
    if (word === undefined || this.#load(block) !== word) return undefined;
    return poolGenerationOf(word);
  }

  /** Whether a block is this opener's, in that generation, and in that phase. */
  has(block: number, generation: number, phase: number = POOL_PHASE.owned): boolean {
    return this.#load(block) === poolWordOf(generation, phase, this.members.number);
  }

  /** Gives a block back; false when it is not this opener's in that generation. */
  release(block: number, generation: number, phase: number = POOL_PHASE.owned): boolean {
    const word = poolWordOf(generation, phase, this.members.number);
    if (!this.#free(block, word)) return false;
    this.#own.delete(block);
    this.#count(POOL_COUNTER.released);
    this.#signal.wake();
    return true;
  }

  /** Lets anybody take a block by its generation; false when it is not this opener's. */
  offer(block: number, generation: number): boolean {
    const { number } = this.members;
    const word = poolWordOf(generation, POOL_PHASE.offered, number);
    if (!this.#move(block, poolWordOf(generation, POOL_PHASE.owned, number), word)) return false;
    this.#own.set(block, word);
    return true;
  }

  /** Takes an offer back; the generation in which the block is this opener's, or `undefined` when it does not offer it. */
  withdraw(block: number, generation: number): number | undefined {
    const { number } = this.members;
    const owned = poolWordOf(generation + 1, POOL_PHASE.owned, number);
    if (!this.#move(block, poolWordOf(generation, POOL_PHASE.offered, number), owned)) return undefined;
    this.#own.set(block, owned);
    return poolGenerationOf(owned);
  }

  /** Takes a block that is on offer. Returns the generation in which this participant owns it, or `undefined` when it is not on offer. */
  take(block: number, generation: number): number | undefined {
    const word = this.#load(block);
    if (poolGenerationOf(word) !== generation || poolPhaseOf(word) !== POOL_PHASE.offered) return undefined;
    const owned = poolWordOf(generation + 1, POOL_PHASE.owned, this.members.number);
    if (!this.#move(block, word, owned)) return undefined;
    this.#own.set(block, owned);
    this.#count(POOL_COUNTER.taken);
    return poolGenerationOf(owned);
  }

  /** What is with a block, for errors. */
  describe(block: number): string {
    const word = this.#load(block);
    switch (poolPhaseOf(word)) {
      case POOL_PHASE.free:
        return "it is free";
      case POOL_PHASE.offered:
        return "it is offered";
      default:
        return poolOwnerOf(word) === this.members.number
          ? "this opener has it anew"
          : "another participant has it";
    }
  }

  /** Frees what the dead have, and what is damaged. */
  recover(): void {
    const owners = new Uint8Array(MEMBERS_MAX + 1);
    let freed = 0;
    for (let block = 0; block < this.blockCount; block++) {
      const word = this.#load(block);
      const isLost = poolOwnerOf(word) === this.members.number && this.#own.get(block) !== word;
      if (!isImpossiblePoolWord(word) && !isLost) owners[poolOwnerOf(word)] = 1;
      else if (this.#free(block, word)) freed++;
    }
    // One may have died, or be stopped, between freeing a block and saying so.
    this.#noneAt = NO_BLOCK;
    this.members.clearDead((number) => freed += this.#sweep(number), (number) => owners[number] !== 0);
    if (freed === 0) return;
    this.#count(POOL_COUNTER.recovered, freed);
    this.#signal.wakeAll();
  }

  /** How many blocks are in a phase. */
  countOf(phase: number): number {
    let count = 0;
    for (let block = 0; block < this.blockCount; block++) {
      if (poolPhaseOf(this.#load(block)) === phase) count++;
    }
    return count;
  }

  /** What all who have ever been have counted; see `POOL_COUNTER`. */
  total(counter: number): number {
    let sum = 0;
    for (let number = 1; number <= MEMBERS_MAX; number++) {
      sum += this.#floats[countersAt(number) + counter];
    }
    return sum;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.room.close(new Deno.errors.BadResource("wait for a block of the pool: it is closed"));
    let freed = 0;
    this.members.leave((number) => freed = this.#sweep(number));
    if (freed > 0) this.#signal.wakeAll();
    // What woke this opener last may have been meant for a call that is rejected now.
    else this.#signal.wake();
  }

  /** Frees what `number` has, who is gone; how many. */
  #sweep(number: number): number {
    let freed = 0;
    for (let block = 0; block < this.blockCount; block++) {
      const word = this.#load(block);
      if (poolOwnerOf(word) === number && number !== NOBODY && this.#free(block, word)) freed++;
    }
    return freed;
  }

  #free(block: number, word: number): boolean {
    if (!this.#move(block, word, poolWordOf(poolGenerationOf(word) + 1, POOL_PHASE.free, NOBODY))) {
      return false;
    }
    Atomics.add(this.#words, POOL_WORD.freed, 1);
    return true;
  }

  #findFree(): number {
    const freed = Atomics.load(this.#words, POOL_WORD.freed);
    if (freed === this.#noneAt) return NO_BLOCK;
    for (let count = 0; count < this.blockCount; count++) {
      const block = this.#cursor;
      this.#cursor = block + 1 === this.blockCount ? 0 : block + 1;
      const word = this.#load(block);
      if (poolPhaseOf(word) !== POOL_PHASE.free || poolOwnerOf(word) !== NOBODY) continue;
      const owned = poolWordOf(poolGenerationOf(word), POOL_PHASE.owned, this.members.number);
      if (!this.#move(block, word, owned)) continue;
      this.#own.set(block, owned);
      this.#count(POOL_COUNTER.acquired);
      return block;
    }
    this.#noneAt = freed;
    return NO_BLOCK;
  }

  #count(counter: number, more = 1): void {
    this.#floats[countersAt(this.members.number) + counter] += more;
  }

  #load(block: number): number {
    return Atomics.load(this.#words, POOL_WORDS_AT + block);
  }

  #move(block: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, POOL_WORDS_AT + block, from, to) === from;
  }
}

/** Index of the first counter of a member among the floats. */
function countersAt(number: number): number {
  return (POOL_MEMBERS_AT + number * POOL_MEMBER_BYTES >> 3) + (POOL_MEMBER.counters >> 1);
}
