import type { Machine } from "./machine.ts";
import {
  genOf,
  HINT_GEN,
  LANE,
  MY_LANE,
  MY_SLOT,
  MY_WORD,
  ownerOf,
  PC,
  phaseOf,
  READY,
  REPLIED,
  RESERVED,
  RETURN,
  STAGE,
  type State,
  SWEEP,
  SWEEP_RETURN,
  TARGET,
  WORD,
  wordOf,
  WRITING,
} from "./state.ts";

/** Whoever has nothing else to do recovers a dead participant, under the lock of its index. */
export function addRecovery(machine: Machine): void {
  const { layout: at } = machine;
  const unlocked = machine.is("recover-no-lock") || machine.is("steal-live");
  const late = machine.is("text-recover");

  for (let dead = 0; dead < at.processes; dead++) {
    machine.on("idle", `recover: p${dead} is dead`, (state, me) => {
      state[me + TARGET] = dead;
      if (unlocked) beginSweep(machine, state, me, "recover.end");
      else machine.go(state, me, "recover.lock");
    }, (state, _me, p) => {
      if (p === dead || state[at.session(dead)] === 0) return false;
      return state[at.lock(dead)] === 0 || machine.is("steal-live");
    });
  }
  if (unlocked) {
    machine.on("recover.end", "recover: session -> 0", (state, me) => {
      if (!machine.is("steal-live")) state[at.session(state[me + TARGET])] = 0;
      machine.go(state, me, "idle");
    });
  } else {
    machine.on("recover.lock", "recover: locks the index", (state, me, p) => {
      if (!machine.cas(state, at.lock(state[me + TARGET]), 0, p + 1)) machine.go(state, me, "idle");
      else if (late) beginSweep(machine, state, me, "recover.session");
      else machine.go(state, me, "recover.renew");
    });
    if (!late) {
      // A consumer about to reply looks at the session a second time: it must have changed before the sweep.
      machine.on("recover.renew", "recover: session -> a fresh one", (state, me) => {
        state[at.session(state[me + TARGET])] = ++state[at.sessions];
        beginSweep(machine, state, me, "recover.session");
      });
    }
    machine.on("recover.session", "recover: session -> 0", (state, me) => {
      state[at.session(state[me + TARGET])] = 0;
      machine.go(state, me, "recover.unlock");
    });
    machine.on("recover.unlock", "recover: unlocks the index", (state, me) => {
      state[at.lock(state[me + TARGET])] = 0;
      machine.go(state, me, "idle");
    });
  }
  addSweep(machine);
}

/** Goes through everything that names TARGET, then to `next`. */
export function beginSweep(machine: Machine, state: State, me: number, next: string): void {
  state[me + STAGE] = state[me + SWEEP] = 0;
  state[me + SWEEP_RETURN] = machine.number(next);
  goToStage(machine, state, me);
}

/** Boxes before slots, for a slot that still names the dead says whose the box is; slots before partitions. */
function goToStage(machine: Machine, state: State, me: number): void {
  const { config } = machine;
  let stages = ["sweep.box", "sweep.slot", "sweep.partition"];
  if (machine.is("sweep-slots-first")) stages = ["sweep.slot", "sweep.box", "sweep.partition"];
  if (machine.is("sweep-partitions-first")) stages = ["sweep.partition", "sweep.box", "sweep.slot"];
  const has = [
    ["sweep.box", config.boxes > 0],
    ["sweep.slot", true],
    ["sweep.partition", config.partitioned && !machine.is("sweep-no-partition")],
  ] as const;
  stages = stages.filter((stage) => has.some(([name, is]) => name === stage && is));
  if (state[me + STAGE] < stages.length) return machine.go(state, me, stages[state[me + STAGE]]);
  state[me + PC] = state[me + SWEEP_RETURN];
  state[me + STAGE] = state[me + SWEEP_RETURN] = 0;
}

/** The next slot, box or partition of the sweep, or the next kind. */
export function sweepOn(machine: Machine, state: State, me: number, pc: string, count: number): void {
  state[me + SWEEP]++;
  if (state[me + SWEEP] < count) return machine.go(state, me, pc);
  state[me + SWEEP] = 0;
  state[me + STAGE]++;
  goToStage(machine, state, me);
}

function addSweep(machine: Machine): void {
  const { layout: at, config } = machine;
  const on = (state: State, me: number) => {
    state[me + MY_SLOT] = state[me + MY_WORD] = state[me + MY_LANE] = 0;
    sweepOn(machine, state, me, "sweep.slot", config.slots);
  };
  machine.on("sweep.slot", "sweep: reads a slot word", (state, me) => {
    const word = state[at.slot(state[me + SWEEP]) + WORD], phase = phaseOf(word);
    const kept = (machine.is("no-abort") && phase === WRITING) ||
      (machine.is("no-sweep-replies") && phase === REPLIED);
    if (ownerOf(word) !== state[me + TARGET] + 1 || kept) return on(state, me);
    state[me + MY_WORD] = word;
    const again = phase === RESERVED && !machine.is("no-requeue");
    machine.go(state, me, again ? "sweep.requeue" : "sweep.free");
  });
  machine.on("sweep.free", "sweep: -> FREE", (state, me) => {
    machine.casFree(state, at.slot(state[me + SWEEP]), state[me + MY_WORD]);
    on(state, me);
  });
  machine.on("sweep.requeue", "sweep: RESERVED -> READY", (state, me) => {
    const slot = at.slot(state[me + SWEEP]), word = state[me + MY_WORD];
    // The lane stands still while the slot is the dead one's.
    state[me + MY_LANE] = state[slot + LANE];
    if (!machine.cas(state, slot, word, wordOf(genOf(word), READY, 0))) return on(state, me);
    state[me + MY_SLOT] = state[me + SWEEP];
    state[me + HINT_GEN] = config.order === "generation" ? genOf(word) : 0;
    state[me + RETURN] = machine.number("sweep.on");
    machine.go(state, me, "hint.tail");
  });
  machine.on("sweep.on", "sweep: goes on", on);
  if (config.partitioned) {
    machine.on("sweep.partition", "sweep: partition: dead -> 0", (state, me) => {
      machine.cas(state, at.partition(state[me + SWEEP]), state[me + TARGET] + 1, 0);
      sweepOn(machine, state, me, "sweep.partition", at.lanes);
    });
  }
}
