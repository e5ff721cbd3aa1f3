import type { Machine } from "./machine.ts";
import {
  ACKNOWLEDGED,
  CANCELLED,
  COUNT,
  FREE,
  genOf,
  HINT_GEN,
  LANE,
  LAST_SENT,
  MESSAGE,
  MY_LANE,
  MY_MESSAGE,
  MY_SLOT,
  MY_WORD,
  NEXT,
  phaseOf,
  PREVIOUS,
  QUOTA,
  READY,
  REPLY,
  REQUEST_SESSION,
  RETURN,
  type State,
  TORN,
  WORD,
  wordOf,
  WRITING,
  WRITTEN,
} from "./state.ts";

/** A producer: takes a slot, fills it, gives it away, leaves a hint. With mailboxes it owns a full box already. */
export function addSend(machine: Machine): void {
  const { layout: at, config } = machine;
  const start = config.boxes > 0 ? "send.take" : "idle";
  const early = machine.is("ready-first");

  for (let slot = 0; slot < config.slots; slot++) {
    const isFree = (state: State, index: number) => phaseOf(state[at.slot(index) + WORD]) === FREE;
    machine.on(start, `send: slot ${slot}: FREE -> WRITING`, (state, me, p) => {
      const word = wordOf(genOf(state[at.slot(slot)]), WRITING, p + 1);
      state[at.slot(slot)] = word;
      state[me + MY_SLOT] = slot;
      state[me + MY_WORD] = word;
      state[me + MY_MESSAGE] = at.messageOf(p, state[me + NEXT]);
      machine.go(state, me, early ? "send.ready" : "send.tear");
    }, (state, me) => {
      if (state[me + QUOTA] === 0 || !isFree(state, slot)) return false;
      if (config.anySlot) return true;
      for (let before = 0; before < slot; before++) if (isFree(state, before)) return false;
      return true;
    });
  }
  machine.on("send.tear", "send: writes half of the message", (state, me) => {
    state[at.slot(state[me + MY_SLOT]) + MESSAGE] = TORN;
    machine.go(state, me, "send.write");
  });
  machine.on("send.write", "send: writes the message and its metadata", (state, me, p) => {
    const slot = at.slot(state[me + MY_SLOT]), message = state[me + MY_MESSAGE], lane = at.laneOf(message);
    state[slot + MESSAGE] = message;
    state[slot + LANE] = lane;
    state[slot + COUNT] = 0;
    state[slot + PREVIOUS] = at.chained ? state[me + LAST_SENT + lane] : 0;
    if (config.requests) state[slot + REQUEST_SESSION] = state[at.session(p)];
    if (config.requests) state[slot + REPLY] = 0;
    if (machine.is("text-cancel-flag")) state[slot + CANCELLED] = 0;
    state[at.fate(message)] |= WRITTEN;
    if (early) leaveHint(state, me);
    else machine.go(state, me, config.boxes > 0 ? "send.refer" : "send.ready");
  });
  machine.on("send.ready", "send: WRITING -> READY, acknowledged", (state, me) => {
    const message = state[me + MY_MESSAGE], lane = at.laneOf(message);
    machine.casMine(state, me, READY, 0);
    state[at.fate(message)] |= ACKNOWLEDGED;
    if (at.chained) {
      state[me + LAST_SENT + lane] = at.reference(state[me + MY_SLOT], genOf(state[me + MY_WORD]));
    }
    state[me + NEXT]++;
    state[me + QUOTA]--;
    if (early) machine.go(state, me, "send.tear");
    else leaveHint(state, me);
  });

  function leaveHint(state: State, me: number): void {
    state[me + MY_LANE] = at.laneOf(state[me + MY_MESSAGE]);
    state[me + HINT_GEN] = config.order === "generation" ? genOf(state[me + MY_WORD]) : 0;
    state[me + RETURN] = config.requests ? machine.number("request.wait") : 0;
    machine.go(state, me, "hint.tail");
  }
}
