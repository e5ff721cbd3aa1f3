import { type Machine, Violation } from "./machine.ts";
import {
  BOX,
  FREE,
  genOf,
  LANE,
  MY_SLOT,
  ownerOf,
  PC,
  phaseOf,
  QUOTA,
  RESERVED,
  SENT,
  type State,
  WORD,
} from "./state.ts";

/** Nobody is paused for ever. */
export const NOBODY = -1;

/** What must hold in every state; what a single step can break is watched where it is taken. */
export function watchState(machine: Machine, state: State): void {
  const { layout: at, config } = machine;
  if (!config.partitioned) return;
  let out = 0;
  for (let slot = 0; slot < config.slots; slot++) {
    if (phaseOf(state[at.slot(slot)]) !== RESERVED) continue;
    const bit = 1 << state[at.slot(slot) + LANE];
    if (out & bit) throw new Violation("partition", `two messages of partition ${Math.log2(bit)} are out`);
    out |= bit;
  }
}

/** A state in which nobody can do anything may have no message left. */
export function watchEnd(machine: Machine, state: State): void {
  const { layout: at, config } = machine;
  for (let slot = 0; slot < config.slots; slot++) {
    if (phaseOf(state[at.slot(slot)]) === FREE) continue;
    throw new Violation("sleep", "everybody sleeps or is done, and a message is READY");
  }
}

/** Which states are good ends, when one process takes no further step. */
export class Ending {
  readonly #machine: Machine;
  readonly #paused: number;
  readonly #dead: number;
  readonly #waiting: number;

  constructor(machine: Machine, paused: number) {
    this.#machine = machine;
    this.#paused = paused;
    this.#dead = machine.number("dead");
    this.#waiting = machine.config.requests ? machine.number("request.wait") : -1;
  }

  /** Everything is sent, delivered and free again, but for what the paused one has or recovers. */
  isGood(state: State): boolean {
    const { layout: at, config } = this.#machine;
    if (!this.#hasRoom(state)) return true;
    for (let slot = 0; slot < config.slots; slot++) {
      if (phaseOf(state[at.slot(slot)]) !== FREE && !this.#isExcused(state, slot)) return false;
    }
    for (let box = 0; box < config.boxes; box++) {
      if (!this.#isBoxExcused(state, box)) return false;
    }
    for (let lane = 0; config.partitioned && lane < at.lanes; lane++) {
      const holder = state[at.partition(lane)];
      if (holder !== 0 && !this.#isHeld(state, holder)) return false;
    }
    for (let p = 0; p < config.producers; p++) {
      const me = at.local(p);
      if (p === this.#paused || state[me + PC] === this.#dead) continue;
      const waits = state[me + PC] === this.#waiting && this.#isExcused(state, state[me + MY_SLOT]);
      if (!waits && (state[me + PC] !== 0 || state[me + QUOTA] > 0)) return false;
    }
    return true;
  }

  /** Whether a good end can be asked for: each lane has a consumer, and the paused one is not dead. */
  isExpected(state: State): boolean {
    const { layout: at, config } = this.#machine;
    const lives = (p: number) => p !== this.#paused && state[at.local(p) + PC] !== this.#dead;
    if (this.#paused !== NOBODY && state[at.local(this.#paused) + PC] === this.#dead) return false;
    for (let lane = 0; lane < at.lanes; lane++) {
      let served = false;
      for (let p = config.producers; p < at.processes; p++) served ||= lives(p) && at.wants(p, lane);
      if (!served) return false;
    }
    return true;
  }

  #hasRoom(state: State): boolean {
    const { config } = this.#machine;
    let slots = 0, boxes = 0;
    for (let slot = 0; slot < config.slots; slot++) slots += this.#isExcused(state, slot) ? 1 : 0;
    for (let box = 0; box < config.boxes; box++) boxes += this.#isBoxHeld(state, box) ? 1 : 0;
    return slots < config.slots && (boxes === 0 || boxes < config.boxes);
  }
  /** An owner who is paused, or is being recovered by the paused one. */
  #isHeld(state: State, owner: number): boolean {
    if (this.#paused === NOBODY || owner === 0) return false;
    return owner === this.#paused + 1 || state[this.#machine.layout.lock(owner - 1)] === this.#paused + 1;
  }
  #isExcused(state: State, slot: number): boolean {
    const { layout: at, config } = this.#machine;
    const word = state[at.slot(slot) + WORD];
    if (this.#isHeld(state, ownerOf(word))) return true;
    if (!config.partitioned || phaseOf(word) === FREE) return false;
    return this.#isHeld(state, state[at.partition(state[at.slot(slot) + LANE])]);
  }
  #isBoxHeld(state: State, box: number): boolean {
    const { layout: at, config } = this.#machine;
    const word = state[at.box(box)];
    if (this.#isHeld(state, ownerOf(word))) return true;
    for (let slot = 0; phaseOf(word) === SENT && slot < config.slots; slot++) {
      const names = state[at.slot(slot) + BOX] === at.reference(box, genOf(word));
      if (names && phaseOf(state[at.slot(slot)]) !== FREE && this.#isExcused(state, slot)) return true;
    }
    return false;
  }
  #isBoxExcused(state: State, box: number): boolean {
    return phaseOf(state[this.#machine.layout.box(box)]) === FREE || this.#isBoxHeld(state, box);
  }
}
