import { watchDone } from "./deliver.ts";
import type { Machine } from "./machine.ts";
import { isCancelled } from "./request.ts";
import {
  FREE,
  genOf,
  MY_MESSAGE,
  MY_SESSION,
  MY_SLOT,
  MY_WORD,
  ownerOf,
  phaseOf,
  REPLIED,
  REPLY,
  REQUEST_SESSION,
  type State,
  WORD,
  WRITING,
} from "./state.ts";

/** A consumer that has read a request: writes the reply into the slot and gives it to the requester. */
export function addReply(machine: Machine): void {
  const { layout: at, config } = machine;
  const requester = (state: State, me: number) => at.producerOf(state[me + MY_MESSAGE]);
  const cancelled = (state: State, me: number) =>
    isCancelled(machine, state, state[me + MY_SLOT], genOf(state[me + MY_WORD]));
  const sameSession = (state: State, me: number) =>
    state[at.session(requester(state, me))] === state[me + MY_SESSION];

  machine.on("reply.cancelled", "reply: reads cancelled", (state, me) => {
    state[me + MY_SESSION] = state[at.slot(state[me + MY_SLOT]) + REQUEST_SESSION];
    const next = machine.is("reply-no-session") ? "reply.take" : "reply.session";
    machine.go(state, me, cancelled(state, me) ? "reply.given-up" : next);
  });
  machine.on("reply.session", "reply: reads the requester's session", (state, me) => {
    machine.go(state, me, sameSession(state, me) ? "reply.take" : "reply.nobody");
  });
  machine.on("reply.given-up", "reply: given up: RESERVED -> FREE", (state, me) => {
    machine.casMine(state, me, FREE, 0);
    machine.go(state, me, "idle");
  });
  machine.on("reply.nobody", "reply: the requester is gone: RESERVED -> FREE", (state, me) => {
    watchDone(machine, state, state[me + MY_MESSAGE]);
    machine.casMine(state, me, FREE, 0);
    machine.go(state, me, "idle");
  });
  machine.on("reply.cancelled", "deliver: ack without a reply", (state, me) => {
    machine.go(state, me, "reply.nobody");
  }, () => config.drops);
  // Not while RESERVED: the next consumer would get half a reply for the request when this one dies.
  machine.on("reply.take", "reply: RESERVED -> WRITING(self)", (state, me, p) => {
    machine.casMine(state, me, WRITING, p + 1);
    machine.go(state, me, "reply.write");
  });
  machine.on("reply.write", "reply: writes the reply", (state, me) => {
    state[at.slot(state[me + MY_SLOT]) + REPLY] = state[me + MY_MESSAGE];
    machine.go(state, me, "reply.give");
  });
  machine.on("reply.give", "reply: WRITING(self) -> REPLIED(requester)", (state, me) => {
    watchDone(machine, state, state[me + MY_MESSAGE]);
    machine.casMine(state, me, REPLIED, 1 + requester(state, me));
    const skip = machine.is("reply-no-session") || machine.is("reply-no-second-session");
    machine.go(state, me, skip ? "reply.cancelled-again" : "reply.session-again");
  });
  machine.on("reply.session-again", "reply: reads the session again", (state, me) => {
    machine.go(state, me, sameSession(state, me) ? "reply.cancelled-again" : "reply.take-back");
  });
  machine.on("reply.cancelled-again", "reply: reads cancelled again", (state, me) => {
    const again = cancelled(state, me) && !machine.is("reply-no-second-cancelled");
    machine.go(state, me, again ? "reply.take-back" : "idle");
  });
  machine.on("reply.take-back", "reply: REPLIED -> FREE, nobody waits", (state, me) => {
    machine.casFree(state, at.slot(state[me + MY_SLOT]), state[me + MY_WORD]);
    machine.go(state, me, "idle");
  });
}

/** Anyone with nothing else to do frees a reply whose request was given up or belongs to an earlier session. */
export function addOrphanScan(machine: Machine): void {
  const { layout: at, config } = machine;
  for (let slot = 0; slot < config.slots; slot++) {
    machine.on("idle", `orphan: slot ${slot} is REPLIED`, (state, me) => {
      state[me + MY_SLOT] = slot;
      state[me + MY_WORD] = state[at.slot(slot) + WORD];
      machine.go(state, me, "orphan.cancelled");
    }, (state) => phaseOf(state[at.slot(slot) + WORD]) === REPLIED);
  }
  machine.on("orphan.cancelled", "orphan: reads cancelled", (state, me) => {
    const gen = genOf(state[me + MY_WORD]);
    const given = isCancelled(machine, state, state[me + MY_SLOT], gen);
    machine.go(state, me, given ? "orphan.free" : "orphan.session");
  });
  machine.on("orphan.session", "orphan: compares the request's session", (state, me) => {
    // The request's own session stands still for as long as the final CAS can succeed.
    const asked = state[at.slot(state[me + MY_SLOT]) + REQUEST_SESSION];
    const now = state[at.session(ownerOf(state[me + MY_WORD]) - 1)];
    machine.go(state, me, asked === now ? "idle" : "orphan.free");
  });
  machine.on("orphan.free", "orphan: REPLIED -> FREE", (state, me) => {
    machine.casFree(state, at.slot(state[me + MY_SLOT]), state[me + MY_WORD]);
    machine.go(state, me, "idle");
  });
}
