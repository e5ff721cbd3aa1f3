import { isHinted } from "./hint.ts";
import type { Machine } from "./machine.ts";
import {
  BEST,
  BEST_LANE,
  BEST_WORD,
  BY_SCAN,
  cellGenOf,
  cellOf,
  FLAGS,
  FOLLOWED,
  genOf,
  GOT,
  indexOf,
  IS_ARMED,
  isFull,
  LANE,
  lapOf,
  MY_CELL,
  MY_LANE,
  MY_POSITION,
  MY_SLOT,
  MY_WORD,
  phaseOf,
  READY,
  RECHECK,
  RESERVED,
  SCAN,
  type State,
  URGENT,
  WORD,
  wordOf,
} from "./state.ts";

/** What GOT says: nothing yet, a message to hand out, one that was handed out too often. */
export const NOTHING = 0, DELIVERY = 1, DEAD_LETTER = 2;

/** A consumer: goes through the hints of its lanes and reserves the first message that it finds. */
export function addReceive(machine: Machine): void {
  const { layout: at, config } = machine;
  const isConsumer = (_state: State, _me: number, p: number) => p >= config.producers;

  const readHead = (state: State, me: number) => {
    state[me + MY_POSITION] = state[at.head(state[me + MY_LANE])];
    machine.go(state, me, "receive.cell");
  };
  if (!config.partitioned) {
    machine.on("idle", "receive: reads the head", (state, me, p) => {
      state[me + MY_LANE] = at.laneFrom(p, 0);
      if (machine.is("urgent-last") && config.lanes > 1) state[me + MY_LANE] = at.lanes - 1;
      if (config.consumers === 1 && isHinted(machine, state, 0)) {
        state[me + FLAGS] = config.lanes > 1 ? URGENT : 0;
      }
      readHead(state, me);
    }, isConsumer);
  }
  machine.on("receive.head", "receive: reads the head", readHead);
  machine.on("receive.cell", "receive: reads the cell at the head", (state, me, p) => {
    const position = state[me + MY_POSITION], lap = at.lap(position);
    const cell = state[at.cell(state[me + MY_LANE], position)];
    if (lapOf(cell) === lap && isFull(cell)) {
      state[me + MY_CELL] = cell;
      machine.go(state, me, "receive.slot");
    } else if (lapOf(cell) === lap + 1) machine.go(state, me, "receive.pass");
    else if (lapOf(cell) > lap) machine.go(state, me, "receive.head");
    else if (config.partitioned) machine.go(state, me, "partition.leave");
    else goToNextLane(machine, state, me, p);
  });
  machine.on("receive.slot", "receive: reads the hinted slot", (state, me) => {
    const slot = indexOf(state[me + MY_CELL]), word = state[at.slot(slot) + WORD];
    state[me + MY_SLOT] = slot;
    state[me + MY_WORD] = word;
    state[me + FLAGS] &= ~FOLLOWED;
    const stale = config.order === "generation" && cellGenOf(state[me + MY_CELL]) !== genOf(word);
    if (phaseOf(word) !== READY || stale) machine.go(state, me, "receive.clear");
    else machine.go(state, me, at.lanes > 1 ? "receive.lane" : candidate);
  });
  const candidate = at.chained ? "chain.previous" : "receive.reserve";
  if (at.lanes > 1) {
    machine.on("receive.lane", "receive: reads the lane of the hinted slot", (state, me) => {
      const same = state[at.slot(state[me + MY_SLOT]) + LANE] === state[me + MY_LANE];
      machine.go(state, me, same || machine.is("no-lane-check") ? candidate : "receive.clear");
    });
  }
  machine.on("receive.reserve", "receive: READY -> RESERVED", (state, me, p) => {
    const word = state[me + MY_WORD], mine = wordOf(genOf(word), RESERVED, p + 1);
    const byScan = (state[me + FLAGS] & BY_SCAN) !== 0;
    if (machine.cas(state, at.slot(state[me + MY_SLOT]), word, mine)) {
      state[me + MY_WORD] = mine;
      state[me + GOT] = DELIVERY;
      machine.go(state, me, config.limit > 0 ? "deliver.count" : afterCount(state, me));
    } else if (!byScan) machine.go(state, me, "receive.slot");
    else machine.go(state, me, config.partitioned ? "partition.release" : "idle");
  });
  machine.on("receive.clear", "receive: cell: full -> empty, next lap", (state, me) => {
    const position = state[me + MY_POSITION], cell = state[me + MY_CELL];
    machine.cas(state, at.cell(state[me + MY_LANE], position), cell, cellOf(at.lap(position) + 1, 0, 0));
    machine.go(state, me, "receive.pass");
  });
  machine.on("receive.pass", "receive: moves the head", (state, me) => {
    const position = state[me + MY_POSITION];
    machine.cas(state, at.head(state[me + MY_LANE]), position, position + 1);
    state[me + MY_POSITION] = 0;
    state[me + MY_CELL] = 0;
    machine.go(state, me, afterPass(state, me));
  });
}

/** Goes to the ring after MY_LANE; after the last one to the scan, or to what the scan has found. */
export function goToNextLane(machine: Machine, state: State, me: number, p: number): void {
  const { layout: at, config } = machine;
  state[me + MY_POSITION] = 0;
  state[me + MY_CELL] = 0;
  let lane = at.laneFrom(p, state[me + MY_LANE] + 1);
  if (machine.is("urgent-last") && config.lanes > 1) lane = state[me + MY_LANE] - 1;
  if (lane >= 0) {
    state[me + MY_LANE] = lane;
    machine.go(state, me, config.partitioned ? "receive.partition" : "receive.head");
  } else if (state[me + FLAGS] & RECHECK) takeBest(state, me, "receive.reserve", machine);
  else if (machine.is("no-scan")) endEmpty(machine, state, me);
  else {
    state[me + MY_SLOT] = state[me + MY_WORD] = state[me + SCAN] = 0;
    machine.go(state, me, "scan.look");
  }
}

/** The best message of the scan becomes the one to be reserved. */
export function takeBest(state: State, me: number, next: string, machine: Machine): void {
  state[me + FLAGS] = state[me + FLAGS] & ~RECHECK | BY_SCAN;
  state[me + MY_SLOT] = state[me + BEST] - 1;
  state[me + MY_WORD] = state[me + BEST_WORD];
  state[me + MY_LANE] = state[me + BEST_LANE];
  state.fill(0, me + BEST, me + SCAN + 1);
  machine.go(state, me, next);
}

/** Nothing was found: the consumer sleeps, or looks again. */
export function endEmpty(machine: Machine, state: State, me: number): void {
  if (!machine.config.wake) machine.go(state, me, "idle");
  else machine.go(state, me, state[me + FLAGS] & IS_ARMED ? "sleep.wait" : "sleep.signal");
}

/** A hint is cleared once its message is reserved; one that led to an earlier message stays. */
export function afterCount(state: State, me: number): string {
  return state[me + FLAGS] & (BY_SCAN | FOLLOWED) ? atHand(state, me) : "receive.clear";
}

function afterPass(state: State, me: number): string {
  if (state[me + GOT] !== NOTHING) return atHand(state, me);
  state[me + MY_SLOT] = state[me + MY_WORD] = 0;
  return "receive.head";
}

function atHand(state: State, me: number): string {
  state[me + MY_POSITION] = state[me + MY_CELL] = 0;
  return state[me + GOT] === DEAD_LETTER ? "dead.lane" : "deliver.read";
}
