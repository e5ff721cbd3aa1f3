import { type Machine, Violation } from "./machine.ts";
import { sweepOn } from "./recovery.ts";
import {
  BOX,
  BOX_WORD,
  FREE,
  genOf,
  HELD,
  MY_BOX,
  MY_MESSAGE,
  MY_SLOT,
  NEXT,
  ownerOf,
  phaseOf,
  QUOTA,
  SCAN,
  SENT,
  type State,
  SWEEP,
  TARGET,
  WORD,
  wordOf,
} from "./state.ts";

/** Boxes are handed over beside the queue: the slot says which box, the box says whose it is. */
export function addMailbox(machine: Machine): void {
  const { layout: at, config } = machine;
  const reference = (state: State, me: number) =>
    at.reference(state[me + MY_BOX], genOf(state[me + BOX_WORD]));
  /** CAS of the box that the process owns. */
  const casBox = (state: State, me: number, phase: number, owner: number) => {
    const word = state[me + BOX_WORD], next = wordOf(genOf(word) + (phase === FREE ? 1 : 0), phase, owner);
    if (!machine.cas(state, at.box(state[me + MY_BOX]), word, next)) {
      throw new Violation("robbed", "the box of a living process changed");
    }
    state[me + BOX_WORD] = next;
  };

  for (let box = 0; box < config.boxes; box++) {
    machine.on("idle", `box ${box}: FREE -> HELD`, (state, me, p) => {
      state[me + MY_BOX] = box;
      state[me + BOX_WORD] = wordOf(genOf(state[at.box(box)]), HELD, p + 1);
      state[at.box(box)] = state[me + BOX_WORD];
      machine.go(state, me, "box.fill");
    }, (state, me) => state[me + QUOTA] > 0 && phaseOf(state[at.box(box)]) === FREE);
  }
  machine.on("box.fill", "box: is filled", (state, me, p) => {
    state[at.box(state[me + MY_BOX]) + 1] = at.messageOf(p, state[me + NEXT]);
    machine.go(state, me, "send.take");
  });
  machine.on("send.refer", "send: writes the box into the slot", (state, me) => {
    state[at.slot(state[me + MY_SLOT]) + BOX] = reference(state, me);
    machine.go(state, me, "send.box");
  });
  machine.on("send.box", "send: box: HELD -> SENT", (state, me) => {
    casBox(state, me, SENT, 0);
    machine.go(state, me, "send.ready");
  });

  machine.on("box.take", "box: SENT -> HELD(self)", (state, me, p) => {
    const found = state[at.slot(state[me + MY_SLOT]) + BOX];
    const box = (found - 1) % 16, gen = Math.floor((found - 1) / 16);
    state[me + MY_BOX] = box;
    state[me + BOX_WORD] = wordOf(gen, HELD, p + 1);
    const taken = machine.cas(state, at.box(box), wordOf(gen, SENT, 0), state[me + BOX_WORD]);
    machine.go(state, me, taken ? "deliver.work" : "box.gone");
  });
  machine.on("box.gone", "box: is gone: RESERVED -> FREE", (state, me) => {
    machine.casMine(state, me, FREE, 0);
    machine.go(state, me, "idle");
  });
  machine.on("box.return", "box: HELD -> SENT, given back", (state, me) => {
    casBox(state, me, SENT, 0);
    state[me + MY_BOX] = state[me + BOX_WORD] = 0;
    machine.go(state, me, "deliver.back");
  });
  machine.on("box.read", "box: is read", (state, me) => {
    const found = state[at.box(state[me + MY_BOX]) + 1];
    if (found !== state[me + MY_MESSAGE]) {
      throw new Violation("torn", `the box of message ${state[me + MY_MESSAGE]} holds ${found}`);
    }
    machine.go(state, me, "box.release");
  });
  machine.on("box.release", "box: HELD -> FREE", (state, me) => {
    casBox(state, me, FREE, 0);
    machine.go(state, me, "idle");
  });

  // Recovery of a dead one's box: it goes back to the slot that names it, or is free.
  machine.on("sweep.box", "sweep: reads a box word", (state, me) => {
    const word = state[at.box(state[me + SWEEP])];
    if (phaseOf(word) !== HELD || ownerOf(word) !== state[me + TARGET] + 1) {
      return sweepOn(machine, state, me, "sweep.box", config.boxes);
    }
    beginSearch(state, me, state[me + SWEEP], word);
    if (machine.is("box-free-unchecked")) machine.go(state, me, "box.nobody");
  });
  // A box on its way that no slot names: its sender died before READY.
  for (let box = 0; box < config.boxes; box++) {
    machine.on("idle", `orphan: box ${box} is SENT`, (state, me) => {
      beginSearch(state, me, box, state[at.box(box)]);
      if (machine.is("orphan-box-unchecked")) machine.go(state, me, "box.nobody");
    }, (state) => phaseOf(state[at.box(box)]) === SENT && !machine.is("no-orphan-boxes"));
  }
  machine.on("box.word", "box search: reads a slot word", (state, me) => {
    const word = state[at.slot(state[me + SCAN]) + WORD];
    if (phaseOf(word) === FREE) searchOn(state, me);
    else machine.go(state, me, "box.reference");
  });
  machine.on("box.reference", "box search: reads which box a slot names", (state, me) => {
    if (state[at.slot(state[me + SCAN]) + BOX] !== reference(state, me)) searchOn(state, me);
    else if (phaseOf(state[me + BOX_WORD]) === SENT) machine.go(state, me, "idle");
    else machine.go(state, me, "box.back");
  });
  machine.on("box.back", "sweep: box: HELD -> SENT", (state, me) => endSearch(state, me, SENT));
  machine.on("box.nobody", "no slot names the box: -> FREE", (state, me) => endSearch(state, me, FREE));

  function beginSearch(state: State, me: number, box: number, word: number): void {
    state[me + MY_BOX] = box;
    state[me + BOX_WORD] = word;
    state[me + SCAN] = 0;
    machine.go(state, me, "box.word");
  }
  function searchOn(state: State, me: number): void {
    state[me + SCAN]++;
    machine.go(state, me, state[me + SCAN] < config.slots ? "box.word" : "box.nobody");
  }
  function endSearch(state: State, me: number, phase: number): void {
    const word = state[me + BOX_WORD], wasHeld = phaseOf(word) === HELD;
    const next = wordOf(genOf(word) + (phase === FREE ? 1 : 0), phase, 0);
    machine.cas(state, at.box(state[me + MY_BOX]), word, next);
    state[me + MY_BOX] = state[me + BOX_WORD] = state[me + SCAN] = 0;
    if (wasHeld) sweepOn(machine, state, me, "sweep.box", config.boxes);
    else machine.go(state, me, "idle");
  }
}
