import type { Machine } from "./machine.ts";
import { beginSweep } from "./recovery.ts";
import { QUOTA, TARGET } from "./state.ts";

/** A new process takes the index of a dead one: the session first, then the sweep. */
export function addAttach(machine: Machine): void {
  const { layout: at, config } = machine;
  const sweepFirst = machine.is("attach-sweep-first");

  machine.on("dead", "attach: locks the index", (state, me, p) => {
    state[at.lock(p)] = p + 1;
    state[at.attaches]++;
    state[me + TARGET] = p;
    if (sweepFirst) beginSweep(machine, state, me, "attach.session");
    else machine.go(state, me, "attach.session");
  }, (state, _me, p) => state[at.attaches] < config.attaches && state[at.lock(p)] === 0);
  machine.on("attach.session", "attach: session -> a fresh one", (state, me, p) => {
    state[at.session(p)] = ++state[at.sessions];
    state[me + TARGET] = p;
    if (sweepFirst || machine.is("attach-no-sweep")) machine.go(state, me, "attach.done");
    else beginSweep(machine, state, me, "attach.done");
  });
  machine.on("attach.done", "attach: begins its work", (state, me, p) => {
    state[me + QUOTA] = p < config.producers ? 1 : 0;
    machine.go(state, me, "idle");
  });
}
