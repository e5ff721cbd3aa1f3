import type { Machine } from "./machine.ts";
import {
  CHAIN,
  FLAGS,
  FOLLOWED,
  genOf,
  LANE,
  MY_LANE,
  MY_SLOT,
  MY_WORD,
  phaseOf,
  PREVIOUS,
  READY,
  RESERVED,
  type State,
  WORD,
  wordOf,
} from "./state.ts";

/** Before a message is reserved: while the producer's previous one of this lane is READY, that one is taken. */
export function addChain(machine: Machine): void {
  const { layout: at, config } = machine;

  machine.on("chain.previous", "chain: reads previous", (state, me) => {
    const previous = state[at.slot(state[me + MY_SLOT]) + PREVIOUS];
    state[me + CHAIN] = previous;
    machine.go(state, me, previous === 0 ? "receive.reserve" : "chain.look");
  });
  machine.on("chain.look", "chain: reads the previous slot's word", (state, me) => {
    const slot = (state[me + CHAIN] - 1) % 16, gen = Math.floor((state[me + CHAIN] - 1) / 16);
    const word = state[at.slot(slot) + WORD];
    const same = genOf(word) === gen || machine.is("chain-no-gen");
    if (same) state[me + CHAIN] = at.reference(slot, genOf(word));
    if (same && phaseOf(word) === READY && slot !== state[me + MY_SLOT]) machine.go(state, me, "chain.lane");
    else if (same && phaseOf(word) === RESERVED && !machine.is("sweep-partitions-first")) {
      machine.go(state, me, config.partitioned ? "partition.release" : "idle");
    } else endChain(state, me);
  });
  machine.on("chain.lane", "chain: reads the previous slot's lane", (state, me) => {
    const slot = (state[me + CHAIN] - 1) % 16, gen = Math.floor((state[me + CHAIN] - 1) / 16);
    if (state[at.slot(slot) + LANE] !== state[me + MY_LANE] && !machine.is("chain-no-lane")) {
      return endChain(state, me);
    }
    state[me + MY_SLOT] = slot;
    state[me + MY_WORD] = wordOf(gen, READY, 0);
    state[me + FLAGS] |= FOLLOWED;
    state[me + CHAIN] = 0;
    machine.go(state, me, "chain.previous");
  });

  function endChain(state: State, me: number): void {
    state[me + CHAIN] = 0;
    machine.go(state, me, "receive.reserve");
  }
}
