import type { Machine } from "./machine.ts";
import { endEmpty, takeBest } from "./receive.ts";
import {
  BEST,
  BEST_KEY,
  BEST_LANE,
  BEST_WORD,
  FLAGS,
  LANE,
  MESSAGE,
  MY_LANE,
  MY_WORD,
  phaseOf,
  READY,
  RECHECK,
  SCAN,
  type State,
  WORD,
} from "./state.ts";

/** No hint was found: the consumer looks at every slot, and at the hints once more before it takes the best. */
export function addScan(machine: Machine): void {
  const { layout: at, config } = machine;

  machine.on("scan.look", "scan: reads a slot word", (state, me, p) => {
    const word = state[at.slot(state[me + SCAN]) + WORD];
    if (phaseOf(word) === READY) {
      state[me + MY_WORD] = word;
      machine.go(state, me, "scan.metadata");
    } else goOn(state, me, p);
  });
  machine.on("scan.metadata", "scan: reads lane, time and id of a READY slot", (state, me, p) => {
    const slot = at.slot(state[me + SCAN]), lane = state[slot + LANE];
    const key = 1 + lane * 1000 + state[slot + MESSAGE];
    if (at.wants(p, lane) && (state[me + BEST] === 0 || key < state[me + BEST_KEY])) {
      state[me + BEST] = state[me + SCAN] + 1;
      state[me + BEST_WORD] = state[me + MY_WORD];
      state[me + BEST_LANE] = lane;
      state[me + BEST_KEY] = key;
    }
    goOn(state, me, p);
  });

  function goOn(state: State, me: number, p: number): void {
    state[me + MY_WORD] = 0;
    state[me + SCAN]++;
    if (state[me + SCAN] < config.slots) return machine.go(state, me, "scan.look");
    state[me + SCAN] = 0;
    if (state[me + BEST] === 0) endEmpty(machine, state, me);
    else if (config.partitioned) takeBest(state, me, "scan.partition", machine);
    else if (config.order === "previous") takeBest(state, me, "chain.previous", machine);
    else if (machine.is("scan-no-recheck")) takeBest(state, me, "receive.reserve", machine);
    else {
      state[me + BEST_KEY] = 0;
      state[me + FLAGS] |= RECHECK;
      state[me + MY_LANE] = at.laneFrom(p, 0);
      if (machine.is("urgent-last") && config.lanes > 1) state[me + MY_LANE] = at.lanes - 1;
      machine.go(state, me, "receive.head");
    }
  }
}
