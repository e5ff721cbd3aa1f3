import type { Config } from "./config.ts";
import {
  ACKNOWLEDGED,
  DONE,
  FREE,
  genOf,
  GIVEN_UP,
  type Layout,
  MESSAGE,
  MY_SLOT,
  MY_WORD,
  PC,
  phaseOf,
  RETURN,
  type State,
  WORD,
  wordOf,
  WRITING,
} from "./state.ts";

/** A promise of the protocol that a step or a state breaks. */
export class Violation extends Error {
  constructor(readonly property: Property, detail: string) {
    super(`${property}: ${detail}`);
  }
}

/** What the checker watches. */
export type Property =
  | "torn" // a half-written or unsent message is delivered
  | "twice" // a message is delivered and acknowledged twice although nobody died
  | "robbed" // something is taken from a living process
  | "lost" // an acknowledged message is freed undelivered
  | "order" // a message overtakes an earlier one of its producer and lane
  | "priority" // a less urgent message is taken although a more urgent one was there
  | "partition" // two messages of a partition are out
  | "reply" // a reply reaches somebody who did not ask for it
  | "limit" // a message is handed out more often than the limit says
  | "sleep" // everybody sleeps or is done, and a message is READY
  | "stuck"; // not everything can be delivered and freed any more

/** One atomic access to shared memory, and what the process concludes from it. `state` is a copy to be changed. */
export type Run = (state: State, me: number, process: number) => void;
export type When = (state: State, me: number, process: number) => boolean;

export interface Step {
  readonly name: string;
  readonly run: Run;
  readonly when: When | undefined;
}

/** Every step of the protocol, by the place in the program that it is taken from. */
export class Machine {
  readonly config: Config;
  readonly table: Step[][] = [[]];
  readonly #numbers = new Map<string, number>([["idle", 0]]);

  constructor(readonly layout: Layout) {
    this.config = layout.config;
  }

  /** Adds a step from `pc`; several from one place are a choice. */
  on(pc: string, name: string, run: Run, when?: When): void {
    this.table[this.number(pc)].push({ name, run, when });
  }
  number(pc: string): number {
    let number = this.#numbers.get(pc);
    if (number === undefined) {
      number = this.table.length;
      this.#numbers.set(pc, number);
      this.table.push([]);
    }
    return number;
  }
  /** A place without a step would end a process silently. */
  assertComplete(): void {
    for (const [pc, number] of this.#numbers) {
      if (this.table[number].length === 0) throw new Error(`build the model: nothing leads on from ${pc}`);
    }
  }
  is(mutant: string): boolean {
    return this.config.mutant === mutant;
  }
  go(state: State, me: number, pc: string): void {
    const number = this.#numbers.get(pc);
    if (number === undefined) throw new Error(`run the model: there is no place ${pc}`);
    if (number === 0) this.layout.rest(state, me);
    else state[me + PC] = number;
  }
  /** Goes on after a part that several activities share. */
  goBack(state: State, me: number): void {
    const to = state[me + RETURN];
    state[me + RETURN] = 0;
    if (to === 0) this.layout.rest(state, me);
    else state[me + PC] = to;
  }

  cas(state: State, address: number, from: number, to: number): boolean {
    if (state[address] !== from) return false;
    state[address] = to;
    return true;
  }
  /** CAS of the slot that the process owns; nobody may have taken it away. */
  casMine(state: State, me: number, phase: number, owner: number): void {
    const address = this.layout.slot(state[me + MY_SLOT]), word = state[me + MY_WORD];
    const next = wordOf(genOf(word) + (phase === FREE ? 1 : 0), phase, owner);
    if (phase === FREE) this.watchFree(state, address);
    if (!this.cas(state, address, word, next)) {
      throw new Violation("robbed", "the slot of a living process changed");
    }
    state[me + MY_WORD] = next;
  }
  /** CAS to FREE of a slot that is not the process's own. */
  casFree(state: State, address: number, word: number): boolean {
    if (state[address] !== word) return false;
    this.watchFree(state, address);
    state[address] = wordOf(genOf(word) + 1, FREE, 0);
    return true;
  }
  watchFree(state: State, address: number): void {
    if (phaseOf(state[address + WORD]) === WRITING) return;
    const fate = state[this.layout.fate(state[address + MESSAGE])];
    if (fate & ACKNOWLEDGED && !(fate & (DONE | GIVEN_UP))) {
      throw new Violation("lost", `message ${state[address + MESSAGE]} is freed and was never delivered`);
    }
  }
}
