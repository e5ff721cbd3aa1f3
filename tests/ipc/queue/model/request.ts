import { type Machine, Violation } from "./machine.ts";
import {
  CANCELLED,
  FREE,
  genOf,
  GIVEN_UP,
  MY_MESSAGE,
  MY_POSITION,
  MY_SLOT,
  MY_WORD,
  ownerOf,
  phaseOf,
  READY,
  REPLIED,
  REPLY,
  type State,
  WORD,
  wordOf,
} from "./state.ts";

/** A requester: waits until its slot comes back, or gives the request up. */
export function addRequest(machine: Machine): void {
  const { layout: at, config } = machine;
  const word = (state: State, me: number) => state[at.slot(state[me + MY_SLOT]) + WORD];
  const moved = (state: State, me: number) => genOf(word(state, me)) !== genOf(state[me + MY_WORD]);

  for (let slot = 0; slot < config.slots; slot++) {
    machine.on("request.wait", `request: slot ${slot} is REPLIED(self)`, (state, me) => {
      state[me + MY_SLOT] = slot;
      state[me + MY_WORD] = word(state, me);
      machine.go(state, me, "request.copy");
    }, (state, me, p) => {
      const found = state[at.slot(slot) + WORD];
      if (phaseOf(found) !== REPLIED || ownerOf(found) !== p + 1) return false;
      return machine.is("reply-by-owner") || (slot === state[me + MY_SLOT] && !moved(state, me));
    });
  }
  machine.on(
    "request.wait",
    "request: the slot has gone",
    (state, me) => machine.go(state, me, "idle"),
    moved,
  );
  machine.on("request.copy", "request: copies the reply", (state, me) => {
    const reply = state[at.slot(state[me + MY_SLOT]) + REPLY];
    if (reply !== state[me + MY_MESSAGE]) {
      throw new Violation("reply", `the requester of ${state[me + MY_MESSAGE]} got the reply to ${reply}`);
    }
    machine.go(state, me, "request.free");
  });
  machine.on("request.free", "request: REPLIED -> FREE", (state, me) => {
    machine.casMine(state, me, FREE, 0);
    machine.go(state, me, "idle");
  });

  machine.on("request.wait", "cancel: the requester gives up", (state, me) => {
    state[at.cancels]++;
    state[at.fate(state[me + MY_MESSAGE])] |= GIVEN_UP;
    if (machine.is("text-cancel-flag")) machine.go(state, me, "cancel.mark");
    else {
      state[me + MY_POSITION] = state[at.slot(state[me + MY_SLOT]) + CANCELLED];
      machine.go(state, me, "cancel.check");
    }
  }, (state, me) => state[at.cancels] < config.cancels && !moved(state, me));
  machine.on("cancel.old", "cancel: reads the mark", (state, me) => {
    state[me + MY_POSITION] = state[at.slot(state[me + MY_SLOT]) + CANCELLED];
    machine.go(state, me, "cancel.check");
  });
  machine.on("cancel.check", "cancel: reads the slot word", (state, me) => {
    machine.go(state, me, moved(state, me) ? "idle" : "cancel.mark");
  });
  machine.on("cancel.mark", "cancel: marks the request", (state, me) => {
    const address = at.slot(state[me + MY_SLOT]) + CANCELLED;
    if (machine.is("text-cancel-flag")) state[address] = 1;
    else if (!machine.cas(state, address, state[me + MY_POSITION], 1 + genOf(state[me + MY_WORD]))) {
      return machine.go(state, me, "cancel.old");
    }
    state[me + MY_POSITION] = 0;
    machine.go(state, me, machine.is("cancel-no-look") ? "idle" : "cancel.look");
  });
  machine.on("cancel.look", "cancel: reads the slot word again", (state, me, p) => {
    const found = word(state, me);
    if (moved(state, me)) machine.go(state, me, "idle");
    else if (phaseOf(found) === READY) machine.go(state, me, "cancel.take");
    else if (phaseOf(found) === REPLIED && ownerOf(found) === p + 1) {
      state[me + MY_WORD] = found;
      machine.go(state, me, "cancel.drop");
    } else machine.go(state, me, "idle");
  });
  machine.on("cancel.take", "cancel: READY -> FREE", (state, me) => {
    const ready = wordOf(genOf(state[me + MY_WORD]), READY, 0);
    const isFree = machine.casFree(state, at.slot(state[me + MY_SLOT]), ready);
    machine.go(state, me, isFree ? "idle" : "cancel.look");
  });
  machine.on("cancel.drop", "cancel: REPLIED -> FREE", (state, me) => {
    const from = machine.is("cancel-drop-reread") ? word(state, me) : state[me + MY_WORD];
    machine.casFree(state, at.slot(state[me + MY_SLOT]), from);
    machine.go(state, me, "idle");
  });
}

/** Whether the request in a slot is marked. The mark names the generation, or it could hit the next message. */
export function isCancelled(machine: Machine, state: State, slot: number, gen: number): boolean {
  const mark = state[machine.layout.slot(slot) + CANCELLED];
  return machine.is("text-cancel-flag") ? mark !== 0 : mark === 1 + gen;
}
