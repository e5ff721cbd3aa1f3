import type { Machine } from "./machine.ts";
import { MESSAGE, phaseOf, showWord, type State } from "./state.ts";

/** What shared memory looks like at the end of a trace. */
export function describeState(machine: Machine, state: State): string[] {
  const { layout: at, config } = machine, lines: string[] = [];
  for (let slot = 0; slot < config.slots; slot++) {
    const word = state[at.slot(slot)];
    const message = phaseOf(word) === 0 ? "" : `, message ${state[at.slot(slot) + MESSAGE]}`;
    lines.push(`    slot ${slot}: ${showWord(word)}${message}`);
  }
  for (let box = 0; box < config.boxes; box++) lines.push(`    box ${box}: ${showWord(state[at.box(box)])}`);
  for (let lane = 0; config.partitioned && lane < at.lanes; lane++) {
    const holder = state[at.partition(lane)];
    lines.push(`    partition ${lane}: ${holder === 0 ? "nobody's" : `p${holder - 1}'s`}`);
  }
  return lines;
}
