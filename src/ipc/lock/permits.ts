import { assert, type WaitOptions } from "../../base/mod.ts";
import {
  floatsOf,
  Members,
  MEMBERS_MAX,
  NOBODY,
  Notifier,
  type Participant,
  type SharedRegion,
  Waits,
  wordsOf,
} from "../sharing/mod.ts";
import {
  isAbandoned,
  isImpossiblePermit,
  nextPermit,
  PERMIT_PHASE,
  permitOwnerOf,
  permitPhaseOf,
} from "./permit_word.ts";
import {
  PERMIT_COUNTER,
  PERMIT_MEMBER,
  PERMIT_MEMBER_BYTES,
  PERMIT_MEMBERS_AT,
  PERMIT_WORD,
  PERMITS_AT,
} from "./permits_layout.ts";

/** Words that have a bit for each member. */
const WAITING_WORDS = (MEMBERS_MAX + 1) / 32;

/** A permit that this opener has. */
export interface Permit {
  readonly index: number;
  /** Its word: it is this opener's as long as it has that. */
  readonly word: number;
  /** Whether its previous holder died while holding it, and no holder was told so yet. */
  readonly abandoned: boolean;
}

/**
 * The permits of a lock or a semaphore, for one opener. Who gives one back hands it to who has waited longest; one that waits is named by its bit and
 * its ticket, and sleeps on a word of its own.
 */
export class Permits {
  readonly members: Members;
  readonly waits: Waits;
  readonly count: number;
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  readonly #signals: Notifier[] = [];
  /** Words of the permits that this opener has, by their indices; 0: it has not. */
  readonly #held: Int32Array;
  #heldCount = 0;
  readonly #region: SharedRegion;
  #waiting = false;
  #closed = false;

  /** @throws {Deno.errors.Busy} when there are as many openers as there can be */
  constructor(region: SharedRegion, count: number) {
    const words = this.#words = wordsOf(region.bytes);
    const floats = this.#floats = floatsOf(region.bytes);
    assert(
      words.length >= PERMITS_AT + count,
      `Permits: ${words.length} words have no room for ${count} permits`,
    );
    this.#region = region;
    this.count = count;
    this.#held = new Int32Array(count);
    const table = { region, words, floats, at: PERMIT_MEMBERS_AT, bytes: PERMIT_MEMBER_BYTES };
    this.members = new Members({ ...table, sessions: PERMIT_WORD.sessions, looked: PERMIT_WORD.looked });
    this.members.enter((number) => this.#setWaiting(number, false));
    // What a predecessor of this number had: nobody else takes it for this one's, which has nothing yet.
    this.#sweep(this.members.number);
    const at = memberAt(this.members.number) + PERMIT_MEMBER.signal;
    this.waits = new Waits(new Notifier(words, at, this.members.recoveryCheck()), () => this.#recover());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Permits that this opener has. */
  get heldCount(): number {
    return this.#heldCount;
  }

  /** Whether `permit` is this opener's still. It is not once it was given back, or the memory was damaged. */
  has({ index, word }: Permit): boolean {
    return this.#held[index] === word;
  }

  /** A permit, if there is one without a holder, or whose holder is dead. */
  tryAcquire(): Permit | undefined {
    return this.#takeAny() ?? (this.#findDead() ? this.#takeAny() : undefined);
  }

  /** A permit, when it is this call's turn: after those who have waited for longer. */
  async acquire(operation: string, options: WaitOptions): Promise<Permit> {
    try {
      return await this.waits.wait(operation, "permits", () => this.#takeInTurn(), options);
    } finally {
      if (this.waits.count === 0) this.#stopWaiting();
    }
  }

  /** The same, holding up the thread; `undefined` when `timeoutMs` was over first. */
  acquireSync(operation: string, timeoutMs: number | undefined): Permit | undefined {
    try {
      return this.waits.waitSync(operation, () => this.#takeInTurn(), timeoutMs);
    } finally {
      if (this.waits.count === 0) this.#stopWaiting();
      else this.waits.attempt();
    }
  }

  /** Gives a permit back; false when it is not this opener's. */
  release(permit: Permit): boolean {
    if (!this.has(permit)) return false;
    const { index, word } = permit;
    this.#held[index] = 0;
    this.#heldCount--;
    // If it has changed all the same, it is damaged, and the participant that finds it repairs it.
    this.#passOn(index, word, false);
    // It may be this opener's turn again.
    if (this.waits.count > 0) this.waits.attempt();
    return true;
  }

  /** Number of permits without a holder. */
  get freeCount(): number {
    let count = 0;
    for (let index = 0; index < this.count; index++) {
      if (permitPhaseOf(this.#load(index)) === PERMIT_PHASE.free) count++;
    }
    return count;
  }

  /** Numbers of those who wait. */
  get waitingCount(): number {
    let count = 0;
    for (let number = 1; number <= MEMBERS_MAX; number++) if (this.#isWaiting(number)) count++;
    return count;
  }

  /** Who has permits, by their numbers. */
  holders(): number[] {
    const numbers: number[] = [];
    for (let index = 0; index < this.count; index++) {
      const word = this.#load(index);
      if (permitPhaseOf(word) === PERMIT_PHASE.held) numbers.push(permitOwnerOf(word));
    }
    return numbers;
  }

  participants(): Participant[] {
    return [...this.members.list()];
  }

  /** What all who have ever been have counted; see `PERMIT_COUNTER`. */
  total(counter: number): number {
    let sum = 0;
    for (let number = 1; number <= MEMBERS_MAX; number++) {
      sum += this.#floats[countersAt(number) + counter];
    }
    return sum;
  }

  close(reason: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.waits.close(reason);
    this.#stopWaiting();
    this.#held.fill(0);
    this.#heldCount = 0;
    this.members.leave((number) => this.#sweep(number, false));
    for (const signal of this.#signals) signal?.close();
  }

  /** A permit that can be had without waiting. */
  #takeAny(): Permit | undefined {
    for (let index = 0; index < this.count; index++) {
      const word = this.#load(index);
      if (this.#isToBeHad(word)) {
        const permit = this.#take(index, word);
        if (permit !== undefined) return permit;
      }
    }
    return undefined;
  }

  /** Free, or handed to a participant that does not wait: it gave up meanwhile. */
  #isToBeHad(word: number): boolean {
    const phase = permitPhaseOf(word);
    if (phase === PERMIT_PHASE.free) return true;
    return phase === PERMIT_PHASE.handed && !this.#isWaiting(permitOwnerOf(word));
  }

  /** What was handed to this opener, or can be had; else it waits for it, by its bit and its ticket. */
  #takeInTurn(): Permit | undefined {
    const own = this.members.number;
    if (!this.#waiting) {
      const permit = this.#takeAny();
      if (permit !== undefined) return permit;
      const at = memberAt(own) + PERMIT_MEMBER.ticket;
      Atomics.store(this.#words, at, Atomics.add(this.#words, PERMIT_WORD.tickets, 1));
      this.#waiting = true;
      this.#countOne(PERMIT_COUNTER.waited);
      // SYNC waiting: who gives a permit back sees that this one waits, or this sees the permit.
      this.#setWaiting(own, true);
      this.#findDead();
    } else if (!this.#isWaiting(own)) this.#setWaiting(own, true);
    for (let index = 0; index < this.count; index++) {
      const word = this.#load(index);
      if (!isHandedTo(word, own) && !this.#isToBeHad(word)) continue;
      const permit = this.#take(index, word);
      if (permit === undefined) continue;
      this.#stopWaiting();
      return permit;
    }
    return undefined;
  }

  #take(index: number, word: number): Permit | undefined {
    const held = nextPermit(word, PERMIT_PHASE.held, this.members.number, false);
    if (!this.#move(index, word, held)) return undefined;
    this.#held[index] = held;
    this.#heldCount++;
    const abandoned = isAbandoned(word);
    this.#countOne(PERMIT_COUNTER.acquired);
    if (abandoned) this.#countOne(PERMIT_COUNTER.abandoned);
    return { index, word: held, abandoned };
  }

  /** Does not wait any more, and gives on what was handed to this opener meanwhile. */
  #stopWaiting(): void {
    if (!this.#waiting) return;
    const own = this.members.number;
    this.#waiting = false;
    // SYNC waiting: who hands over a permit sees that this one does not wait, or this sees the permit.
    this.#setWaiting(own, false);
    for (let index = 0; index < this.count; index++) {
      const word = this.#load(index);
      if (isHandedTo(word, own)) this.#passOn(index, word, isAbandoned(word));
    }
  }

  /** Hands a permit to who has waited longest, or frees it; `word` is its word now. */
  #passOn(index: number, word: number, abandoned: boolean): void {
    let last = word;
    for (let tries = 0; tries <= MEMBERS_MAX; tries++) {
      const waiter = this.#nextInTurn();
      const phase = waiter === NOBODY ? PERMIT_PHASE.free : PERMIT_PHASE.handed;
      const next = nextPermit(last, phase, waiter, abandoned);
      if (!this.#move(index, last, next)) return;
      if (waiter !== NOBODY) this.#wake(waiter);
      // SYNC waiting: one who has begun to wait meanwhile, or has given up.
      if (waiter === NOBODY ? this.#longestWaiting() === NOBODY : this.#isWaiting(waiter)) return;
      last = next;
    }
  }

  /** Who waits longest, and lives. */
  #nextInTurn(): number {
    for (;;) {
      const waiter = this.#longestWaiting();
      if (waiter === NOBODY) return NOBODY;
      if (waiter === this.members.number ? this.#waiting : this.#region.isLocked(waiter)) return waiter;
      // Dead, or damaged. One that has just got its number says again that it waits.
      this.#setWaiting(waiter, false);
    }
  }

  #longestWaiting(): number {
    const words = this.#words;
    let [first, firstTicket] = [NOBODY, 0];
    for (let at = 0; at < WAITING_WORDS; at++) {
      // Number 0 is nobody.
      let bits = Atomics.load(words, PERMIT_WORD.waiting + at) & (at === 0 ? ~1 : ~0);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits & -bits);
        bits &= bits - 1;
        const number = 32 * at + bit;
        const ticket = Atomics.load(words, memberAt(number) + PERMIT_MEMBER.ticket);
        // Tickets wrap.
        if (first === NOBODY || (ticket - firstTicket | 0) < 0) {
          [first, firstTicket] = [number, ticket];
        }
      }
    }
    return first;
  }

  /** Checks whether a holder has died, and then recovers from all of the dead; whether there was anything to put in order. */
  #findDead(): boolean {
    const dead = new Set<number>();
    let isFound = false;
    for (let index = 0; index < this.count; index++) {
      const word = this.#load(index);
      const owner = permitOwnerOf(word);
      const isUnknown = owner === this.members.number && permitPhaseOf(word) === PERMIT_PHASE.held &&
        this.#held[index] !== word;
      // Damaged: nobody knows of it.
      if (isUnknown || isImpossiblePermit(word)) {
        this.#passOn(index, word, true);
        isFound = true;
      } else if (owner !== NOBODY && !this.#region.isLocked(owner)) dead.add(owner);
    }
    if (dead.size === 0) return isFound;
    return this.members.clearDead((number) => this.#sweep(number), (number) => dead.has(number)) || isFound;
  }

  /** The same, also for those of the dead who only wait. */
  #recover(): void {
    this.#findDead();
    this.members.clearDead((number) => this.#sweep(number), () => false);
  }

  /** Passes on what `number` has, who is gone, and does not wait; `abandoned`: it has died. */
  #sweep(number: number, abandoned = true): void {
    this.#setWaiting(number, false);
    for (let index = 0; index < this.count; index++) {
      const word = this.#load(index);
      const phase = permitPhaseOf(word);
      if (phase === PERMIT_PHASE.free || permitOwnerOf(word) !== number) continue;
      this.#passOn(index, word, phase === PERMIT_PHASE.held ? abandoned : isAbandoned(word));
    }
  }

  #isWaiting(number: number): boolean {
    return (Atomics.load(this.#words, PERMIT_WORD.waiting + (number >> 5)) >>> (number & 31) & 1) === 1;
  }

  #setWaiting(number: number, isWaiting: boolean): void {
    const at = PERMIT_WORD.waiting + (number >> 5);
    const bit = 1 << (number & 31);
    if (isWaiting) Atomics.or(this.#words, at, bit);
    else Atomics.and(this.#words, at, ~bit);
  }

  #wake(number: number): void {
    (this.#signals[number] ??= new Notifier(this.#words, memberAt(number) + PERMIT_MEMBER.signal)).wake();
  }

  #countOne(counter: number): void {
    this.#floats[countersAt(this.members.number) + counter]++;
  }

  #load(index: number): number {
    return Atomics.load(this.#words, PERMITS_AT + index);
  }

  #move(index: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, PERMITS_AT + index, from, to) === from;
  }
}

function isHandedTo(word: number, number: number): boolean {
  return permitPhaseOf(word) === PERMIT_PHASE.handed && permitOwnerOf(word) === number;
}

/** Index of the first word of a member. */
function memberAt(number: number): number {
  return PERMIT_MEMBERS_AT + number * PERMIT_MEMBER_BYTES >> 2;
}

/** Index of the first counter of a member among the floats. */
function countersAt(number: number): number {
  return memberAt(number) + PERMIT_MEMBER.counters >> 1;
}
