import { processStartedMs } from "../../ffi/mod.ts";
import {
  COUNTER,
  LANE,
  laneAt,
  PARTICIPANT,
  participantAt,
  QUEUE_PARTICIPANTS_MAX,
  RECORD,
  WORD,
} from "./layout.ts";
import type { Hints } from "./_hints.ts";
import type { OwnSlots } from "./_own_slots.ts";
import type { QueueMemory } from "./_queue_memory.ts";
import { freed, generationOf, isImpossible, moved, NOBODY, ownerOf, PHASE, phaseOf } from "./_slot_word.ts";
import { laneOf } from "./_route.ts";

/** An opener of a queue, as others see it. */
export interface QueueParticipant {
  /** Its process, in the system or the container that it runs in. For display. */
  readonly pid: number;
  /** When its process was started, where the system told. */
  readonly processStartedAt?: Date;
  /** When it opened the queue. */
  readonly attachedAt: Date;
  /** Whether it still has the queue open. */
  readonly alive: boolean;
}

/** What recovering has changed, so that somebody can be woken for it. */
export interface Recovered {
  /** Messages that can be had again. */
  readonly ready: number;
  /** Slots that are free again. */
  readonly free: number;
}

/**
 * Who has the queue open, and what is done with what the dead leave.
 *
 * A number is had by who holds the lock of that number, which the kernel drops with the last descriptor. Who recovers a dead one takes
 * its lock meanwhile: so nobody else does, and the number is not given out before its slots are in order.
 */
export class Participants {
  /** Number of this participant. */
  number: number = NOBODY;
  /** Differs for each participant that ever was. */
  session = 0;
  /** Generations of the requests whose replies this participant waits for, by their slots. */
  readonly requests: Map<number, number> = new Map();
  readonly #own: OwnSlots;
  readonly #memory: QueueMemory;
  readonly #floats: Float64Array;
  readonly #hints: Hints;
  #counters = countersAt(NOBODY);
  readonly #owners = new Uint8Array(QUEUE_PARTICIPANTS_MAX + 1);

  constructor(memory: QueueMemory, hints: Hints, own: OwnSlots) {
    this.#memory = memory;
    this.#floats = memory.floats;
    this.#own = own;
    this.#hints = hints;
  }

  /** Takes a number that nobody has; false when all are taken. */
  attach(): boolean {
    const { region, words, floats } = this.#memory;
    for (let number = 1; number <= QUEUE_PARTICIPANTS_MAX; number++) {
      if (!region.tryLock(number)) continue;
      this.number = this.#own.owner = number;
      this.#counters = countersAt(number);
      const at = participantAt(number) >> 2;
      this.session = this.nextSession();
      Atomics.store(words, at + PARTICIPANT.mailbox, 0);
      Atomics.store(words, at + PARTICIPANT.replied, 0);
      words[at + PARTICIPANT.pid] = Deno.pid;
      floats[at + PARTICIPANT.processStartedMs >> 1] = processStartedMs();
      floats[at + PARTICIPANT.attachedMs >> 1] = Date.now();
      // SYNC session: before the sweep, so that who replies to a predecessor's request sees it, or the sweep sees the reply.
      Atomics.store(words, at + PARTICIPANT.session, this.session);
      this.#sweep(number);
      return true;
    }
    return false;
  }

  /** Gives back what this participant has, and its number. */
  detach(): Recovered {
    const recovered = this.#clear(this.number);
    this.#memory.region.unlock(this.number);
    return recovered;
  }

  /** A session that no participant has had. */
  nextSession(): number {
    for (;;) {
      const session = Atomics.add(this.#memory.words, WORD.sessions, 1) + 1 | 0;
      if (session !== 0) return session;
    }
  }

  /** Whether `session` is that of the one who has `number` now. SYNC session. */
  isSession(number: number, session: number): boolean {
    return number !== NOBODY &&
      Atomics.load(this.#memory.words, (participantAt(number) >> 2) + PARTICIPANT.session) === session;
  }

  /** Whether somebody has died without leaving: a look at who there is, and not at the slots. */
  hasDead(): boolean {
    const { words, region } = this.#memory;
    for (let number = 1; number <= QUEUE_PARTICIPANTS_MAX; number++) {
      if (number === this.number) continue;
      const session = Atomics.load(words, (participantAt(number) >> 2) + PARTICIPANT.session);
      if (session !== 0 && !region.isLocked(number)) return true;
    }
    return false;
  }

  /** Looks for slots and partitions of the dead, and sees to them. */
  recover(): Recovered {
    const { words, capacity, region } = this.#memory;
    const owners = this.#owners.fill(0);
    let [ready, free] = [0, 0];
    for (let slot = 0; slot < capacity; slot++) {
      const word = this.#memory.load(slot);
      if (
        phaseOf(word) === PHASE.replied && this.#isUnwanted(slot, word) &&
        this.#memory.move(slot, word, freed(word))
      ) {
        free++;
        continue;
      }
      const owner = ownerOf(word);
      if (isImpossible(word) || owner === this.number && !this.#isHeld(slot, word)) {
        if (this.#mend(slot, word)) free++;
        continue;
      }
      if (owner === NOBODY || owner === this.number) continue;
      owners[owner] = 1;
    }
    for (const at of this.#partitions()) {
      const owner = Atomics.load(words, at);
      if (owner === NOBODY || owner === this.number) continue;
      if (owner > 0 && owner <= QUEUE_PARTICIPANTS_MAX) owners[owner] = 1;
      else Atomics.compareExchange(words, at, owner, NOBODY);
    }
    for (let number = 1; number <= QUEUE_PARTICIPANTS_MAX; number++) {
      // Also who has left nothing but the name.
      if (number === this.number) continue;
      const session = Atomics.load(words, (participantAt(number) >> 2) + PARTICIPANT.session);
      if ((owners[number] === 0 && session === 0) || region.isLocked(number) || !region.tryLock(number)) {
        continue;
      }
      const recovered = this.#clear(number);
      region.unlock(number);
      ready += recovered.ready;
      free += recovered.free;
    }
    return { ready, free };
  }

  /** Everybody who is, or seems to be. */
  *list(): Generator<QueueParticipant> {
    const { region, words, floats } = this.#memory;
    for (let number = 1; number <= QUEUE_PARTICIPANTS_MAX; number++) {
      const at = participantAt(number) >> 2;
      if (Atomics.load(words, at + PARTICIPANT.session) === 0) continue;
      const startedMs = floats[at + PARTICIPANT.processStartedMs >> 1];
      yield {
        pid: words[at + PARTICIPANT.pid],
        ...(startedMs > 0 ? { processStartedAt: dateOf(startedMs) } : {}),
        attachedAt: dateOf(floats[at + PARTICIPANT.attachedMs >> 1]),
        alive: number === this.number || region.isLocked(number),
      };
    }
  }

  /** Adds to a counter of this participant; see `COUNTER`. */
  count(counter: number, more = 1): void {
    this.#floats[this.#counters + counter] += more;
  }

  /** What all who have ever been have counted. */
  total(counter: number): number {
    let sum = 0;
    for (let number = 1; number <= QUEUE_PARTICIPANTS_MAX; number++) {
      sum += this.#floats[countersAt(number) + counter];
    }
    return sum;
  }

  /** Puts in order what `number` has, which is nobody's then. Only for who has the lock of that number. */
  #clear(number: number): Recovered {
    const session = (participantAt(number) >> 2) + PARTICIPANT.session;
    // SYNC session: as in attach(): who replies meanwhile sees that the requester is gone, or the sweep sees the reply.
    Atomics.store(this.#memory.words, session, this.nextSession());
    const recovered = this.#sweep(number);
    Atomics.store(this.#memory.words, session, 0);
    return recovered;
  }

  /** Puts in order what `number` has. Only for who has the lock of that number. */
  #sweep(number: number): Recovered {
    const memory = this.#memory;
    let [ready, free] = [0, 0];
    for (let slot = 0; slot < memory.capacity; slot++) {
      const word = memory.load(slot);
      if (ownerOf(word) !== number) continue;
      if (phaseOf(word) === PHASE.reserved) {
        const lane = laneOf(
          Atomics.load(memory.words, memory.recordOf(slot) + RECORD.route),
          memory.geometry,
        );
        if (!memory.move(slot, word, moved(word, PHASE.ready, NOBODY))) continue;
        this.#hints.leave(lane, slot);
        ready++;
      } else if (memory.move(slot, word, freed(word))) free++;
    }
    for (const at of this.#partitions()) {
      if (Atomics.compareExchange(memory.words, at, number, NOBODY) === number) ready++;
    }
    return { ready, free };
  }

  /** Whether a reply is one that its requester does not wait for: who replied died before it could tell. */
  #isUnwanted(slot: number, word: number): boolean {
    const { words } = this.#memory;
    const record = this.#memory.recordOf(slot);
    return !this.isSession(ownerOf(word), Atomics.load(words, record + RECORD.requestSession)) ||
      Atomics.load(words, record + RECORD.cancelled) === generationOf(word) + 1;
  }

  /** Whether a slot whose word says that it is this participant's is so. It never is while something is being sent. */
  #isHeld(slot: number, word: number): boolean {
    if (phaseOf(word) === PHASE.replied) return this.requests.get(slot) === generationOf(word);
    return this.#own.has(slot);
  }

  /** Frees a slot whose word is damaged: what is in it cannot be told. */
  #mend(slot: number, word: number): boolean {
    if (!this.#memory.move(slot, word, freed(word))) return false;
    this.count(COUNTER.damaged);
    return true;
  }

  /** Indices of the owners' words of the partitions. */
  *#partitions(): Generator<number> {
    const { constants, geometry } = this.#memory;
    for (let lane = 0; lane < constants.partitions; lane++) yield (laneAt(geometry, lane) >> 2) + LANE.owner;
  }
}

/** A date, also of what is damaged: one that is none cannot be shown. */
function dateOf(ms: number): Date {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? new Date(0) : date;
}

/** Index of the first counter of a participant among the floats. */
function countersAt(number: number): number {
  return (participantAt(number) >> 3) + (PARTICIPANT.counters >> 1);
}
