import { Members, NOBODY } from "../sharing/mod.ts";
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
import type { Hints } from "./hints.ts";
import type { OwnSlots } from "./own_slots.ts";
import type { QueueMemory } from "./queue_memory.ts";
import { freed, generationOf, isImpossible, isNobodys, moved, ownerOf, PHASE, phaseOf } from "./slot_word.ts";
import { laneOf } from "./route.ts";

/** What recovery has changed, so that the right waiters can be woken. */
export interface Recovered {
  /** Messages that can be had again. */
  readonly ready: number;
  /** Slots that are free again. */
  readonly free: number;
  /** Whether a participant had died: for what it did last, no waiter was woken. */
  readonly dead: boolean;
}

type Swept = Omit<Recovered, "dead">;

/** Who has the queue open, and what is done with what the dead leave. */
export class Participants extends Members {
  /** Generations of the requests whose replies this participant waits for, by their slots. */
  readonly requests: Map<number, number> = new Map();
  readonly #own: OwnSlots;
  readonly #memory: QueueMemory;
  readonly #floats: Float64Array;
  readonly #hints: Hints;
  #counters = countersAt(NOBODY);
  readonly #owners = new Uint8Array(QUEUE_PARTICIPANTS_MAX + 1);

  constructor(memory: QueueMemory, hints: Hints, own: OwnSlots) {
    const { region, words, floats } = memory;
    const bytes = participantAt(1) - participantAt(0);
    super({
      region,
      words,
      floats,
      at: participantAt(0),
      bytes,
      sessions: WORD.sessions,
      looked: WORD.looked,
    });
    this.#memory = memory;
    this.#floats = floats;
    this.#own = own;
    this.#hints = hints;
  }

  /**
   * Takes a free number.
   *
   * @throws {Deno.errors.Busy} when all are taken
   */
  attach(): void {
    const { words } = this.#memory;
    this.enter((number) => {
      this.#own.owner = number;
      this.#counters = countersAt(number);
      const at = participantAt(number) >> 2;
      Atomics.store(words, at + PARTICIPANT.mailbox, 0);
      Atomics.store(words, at + PARTICIPANT.replied, 0);
      Atomics.store(words, at + PARTICIPANT.lost, 0);
    });
    // SYNC session: behind it, so that who replies to a predecessor's request sees it, or the sweep sees the reply.
    this.#sweep(this.number);
  }

  /** Gives back what this participant has, and its number. */
  detach(): Recovered {
    let swept: Swept = { ready: 0, free: 0 };
    this.leave((number) => swept = this.#sweep(number));
    return { ...swept, dead: false };
  }

  /** Finds slots and partitions of the dead, and recovers them. */
  recover(): Recovered {
    const { words, capacity } = this.#memory;
    const owners = this.#owners.fill(0);
    let [ready, free] = [0, 0];
    for (let slot = 0; slot < capacity; slot++) {
      if (isNobodys(this.#memory.peek(slot))) continue;
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
    const sweep = (number: number): void => {
      const swept = this.#sweep(number);
      ready += swept.ready;
      free += swept.free;
    };
    const dead = this.clearDead(sweep, (number) => owners[number] !== 0);
    return { ready, free, dead };
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

  /** Puts in order what `number` has. Only for who has the lock of that number. */
  #sweep(number: number): Swept {
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

  /** Frees a slot whose word is damaged: its contents are unknown. */
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

/** Index of the first counter of a participant among the floats. */
function countersAt(number: number): number {
  return (participantAt(number) >> 3) + (PARTICIPANT.counters >> 1);
}
