import type { Machine } from "./machine.ts";
import { endEmpty, goToNextLane } from "./receive.ts";
import { MY_LANE, MY_SLOT, MY_WORD, type State } from "./state.ts";

/** A partition is held by one consumer at a time, from before it looks for a message until that is done with. */
export function addPartition(machine: Machine): void {
  const { layout: at, config } = machine;

  const take = (state: State, me: number, p: number) => {
    const address = at.partition(state[me + MY_LANE]);
    const taken = machine.cas(state, address, 0, p + 1) || machine.is("partition-not-taken");
    if (taken) machine.go(state, me, "receive.head");
    else goToNextLane(machine, state, me, p);
  };
  machine.on("idle", "partition: 0 -> self", (state, me, p) => {
    state[me + MY_LANE] = 0;
    take(state, me, p);
  }, (_state, _me, p) => p >= config.producers);
  machine.on("receive.partition", "partition: 0 -> self", take);
  machine.on("scan.partition", "partition: 0 -> self, for what the scan found", (state, me, p) => {
    const taken = machine.cas(state, at.partition(state[me + MY_LANE]), 0, p + 1) ||
      machine.is("partition-not-taken");
    if (taken) machine.go(state, me, at.chained ? "chain.previous" : "receive.reserve");
    else {
      state[me + MY_SLOT] = state[me + MY_WORD] = 0;
      endEmpty(machine, state, me);
    }
  });
  machine.on("partition.leave", "partition: -> 0, no hint", (state, me, p) => {
    leave(state, me, p);
    goToNextLane(machine, state, me, p);
  });
  machine.on("partition.release", "partition: -> 0", (state, me, p) => {
    leave(state, me, p);
    machine.go(state, me, "idle");
  });

  function leave(state: State, me: number, p: number): void {
    machine.cas(state, at.partition(state[me + MY_LANE]), p + 1, 0);
  }
}
