import type { Machine } from "./machine.ts";
import {
  cellOf,
  HINT_GEN,
  indexOf,
  isFull,
  lapOf,
  MY_CELL,
  MY_LANE,
  MY_POSITION,
  MY_SLOT,
  READY,
  type State,
  wordOf,
} from "./state.ts";

/** Leaves MY_SLOT in the ring of MY_LANE, wakes somebody and goes back. A full ring costs time, never a message. */
export function addHint(machine: Machine): void {
  const { layout: at } = machine;

  const hinted = (state: State, me: number, lap: number) => {
    const slot = state[me + MY_SLOT];
    return cellOf(lap, 1, slot, machine.config.order === "generation" ? state[me + HINT_GEN] : 0);
  };

  machine.on("hint.tail", "hint: reads the tail", (state, me) => {
    state[me + MY_POSITION] = state[at.tail(state[me + MY_LANE])];
    machine.go(state, me, "hint.publish");
  });
  machine.on("hint.publish", "hint: cell: empty -> full", (state, me) => {
    const position = state[me + MY_POSITION], lap = at.lap(position);
    const address = at.cell(state[me + MY_LANE], position), cell = state[address];
    if (machine.cas(state, address, cellOf(lap, 0, 0), hinted(state, me, lap))) {
      state[me + MY_CELL] = 1;
      machine.go(state, me, "hint.advance");
    } else if (lapOf(cell) === lap || lapOf(cell) === lap + 1) {
      // Published, perhaps consumed, and the tail has not moved yet: it is helped on.
      machine.go(state, me, machine.is("no-help") ? "hint.tail" : "hint.advance");
    } else if (lapOf(cell) < lap) leave(state, me);
    else machine.go(state, me, "hint.tail");
  });
  machine.on("hint.advance", "hint: moves the tail", (state, me) => {
    const position = state[me + MY_POSITION];
    machine.cas(state, at.tail(state[me + MY_LANE]), position, position + 1);
    if (state[me + MY_CELL] === 1) leave(state, me);
    else machine.go(state, me, "hint.tail");
  });

  function leave(state: State, me: number): void {
    state[me + MY_POSITION] = 0;
    state[me + MY_CELL] = state[me + HINT_GEN] = 0;
    if (machine.config.wake) machine.go(state, me, "wake.armed");
    else machine.goBack(state, me);
  }
}

/** Whether a READY slot of the lane has a hint that a consumer would come to. */
export function isHinted(machine: Machine, state: State, lane: number): boolean {
  const { layout: at } = machine;
  const position = state[at.head(lane)], cell = state[at.cell(lane, position)];
  if (lapOf(cell) !== at.lap(position) || !isFull(cell)) return false;
  const word = state[at.slot(indexOf(cell))];
  return word === wordOf(word >> 7, READY, 0) && state[at.slot(indexOf(cell)) + 2] === lane;
}
