import { type Machine, Violation } from "./machine.ts";
import { afterCount, DEAD_LETTER } from "./receive.ts";
import {
  ACKNOWLEDGED,
  COUNT,
  DIED,
  DONE,
  FLAGS,
  FREE,
  genOf,
  GIVEN_UP,
  GOT,
  HINT_GEN,
  LANE,
  MESSAGE,
  MY_LANE,
  MY_MESSAGE,
  MY_SLOT,
  MY_WORD,
  READY,
  RETURN,
  type State,
  TORN,
  TWICE,
  URGENT,
  WRITTEN,
} from "./state.ts";

/** A reserved message: it is counted, handed out, and acknowledged, given back or dead-lettered. */
export function addDeliver(machine: Machine): void {
  const { layout: at, config } = machine;
  const free = machine.is("free-first");
  const work = config.requests ? "reply.cancelled" : config.boxes > 0 ? "box.take" : "deliver.work";
  const release = config.partitioned ? "partition.release" : "idle";

  if (config.limit > 0) {
    machine.on("deliver.count", "deliver: counts the delivery", (state, me) => {
      const slot = at.slot(state[me + MY_SLOT]);
      if (!machine.is("count-on-nack")) {
        state[slot + COUNT] = Math.min(state[slot + COUNT] + 1, config.limit + 2);
      }
      if (state[slot + COUNT] > config.limit && state[slot + LANE] !== at.deadLane) {
        state[me + GOT] = DEAD_LETTER;
      }
      machine.go(state, me, afterCount(state, me));
    });
    machine.on("dead.lane", "dead-letter: changes the lane", (state, me) => {
      if (!machine.is("dead-same-lane")) state[at.slot(state[me + MY_SLOT]) + LANE] = at.deadLane;
      machine.go(state, me, "dead.ready");
    });
    machine.on("dead.ready", "dead-letter: RESERVED -> READY", (state, me) => giveBack(state, me, "idle"));
  }
  machine.on(
    free ? "deliver.late" : "deliver.read",
    free ? "deliver: reads after the ack" : "deliver: reads the message",
    (state, me) => {
      const slot = at.slot(state[me + MY_SLOT]), message = state[slot + MESSAGE];
      watchRead(machine, state, me, message, state[slot + LANE]);
      if (free) return machine.go(state, me, release);
      state[me + MY_MESSAGE] = message;
      state[me + MY_LANE] = state[slot + LANE];
      state[me + FLAGS] = state[me + GOT] = 0;
      machine.go(state, me, work);
    },
  );
  machine.on(free ? "deliver.read" : "deliver.work", "deliver: ack: RESERVED -> FREE", (state, me) => {
    watchDone(machine, state, state[at.slot(state[me + MY_SLOT]) + MESSAGE]);
    machine.casMine(state, me, FREE, 0);
    machine.go(state, me, free ? "deliver.late" : config.boxes > 0 ? "box.read" : release);
  });
  machine.on(config.requests ? work : "deliver.work", "deliver: gives back", (state, me) => {
    state[at.nacks]++;
    if (machine.is("count-on-nack")) state[at.slot(state[me + MY_SLOT]) + COUNT]++;
    if (config.boxes > 0) machine.go(state, me, "box.return");
    else giveBack(state, me, release);
  }, (state) => state[at.nacks] < config.nacks);
  if (config.boxes > 0) {
    machine.on(
      "deliver.back",
      "deliver: nack: RESERVED -> READY",
      (state, me) => giveBack(state, me, release),
    );
  }

  function giveBack(state: State, me: number, next: string): void {
    machine.casMine(state, me, READY, 0);
    state[me + MY_LANE] = state[at.slot(state[me + MY_SLOT]) + LANE];
    state[me + MY_MESSAGE] = state[me + FLAGS] = state[me + GOT] = 0;
    state[me + HINT_GEN] = config.order === "generation" ? genOf(state[me + MY_WORD]) : 0;
    state[me + RETURN] = machine.number(next);
    machine.go(state, me, "hint.tail");
  }
}

/** Notes that the application is through with a message. */
export function watchDone(machine: Machine, state: State, message: number): void {
  const address = machine.layout.fate(message);
  if (state[address] & DONE && state[machine.layout.crashes] === 0) {
    throw new Violation("twice", `message ${message} is acknowledged twice`);
  }
  state[address] |= state[address] & DONE ? TWICE : DONE;
}

/** What must hold when a message is handed to the application. */
function watchRead(machine: Machine, state: State, me: number, message: number, lane: number): void {
  const { layout: at, config } = machine;
  if (message === TORN || message === 0) throw new Violation("torn", "half a message is delivered");
  if (!(state[at.fate(message)] & WRITTEN)) throw new Violation("torn", `message ${message} was never sent`);
  if (config.limit > 0 && lane !== at.deadLane && ++state[at.deliveries(message)] > config.limit) {
    throw new Violation("limit", `message ${message} is delivered ${config.limit + 1} times`);
  }
  if (state[me + FLAGS] & URGENT && lane > 0) {
    throw new Violation("priority", `message ${message} of lane ${lane}`);
  }
  const inOrder = config.partitioned || config.order !== "";
  const producer = at.producerOf(message);
  if (!inOrder || state[at.local(producer) + DIED]) return;
  for (let earlier = at.messageOf(producer, 0); earlier < message; earlier++) {
    const fate = state[at.fate(earlier)];
    if (at.laneOf(earlier) !== at.laneOf(message) || !(fate & ACKNOWLEDGED) || fate & (DONE | GIVEN_UP)) {
      continue;
    }
    throw new Violation("order", `message ${message} is delivered before message ${earlier}`);
  }
}
