import type { Machine } from "./machine.ts";
import { ARMED_SEEN, FLAGS, IS_ARMED, MY_LANE, PC, SIGNAL_SEEN, type State } from "./state.ts";

/**
 * Sleeping and waking. `armed` only grows; `disarmed` is the value of it at which nobody slept. A single word that
 * a waker sets back to 0 can be at the same value again when the waker compares, with somebody else asleep.
 */
export function addWaking(machine: Machine): void {
  const { layout: at, config } = machine;
  const backToZero = machine.is("text-armed") || machine.is("armed-store");
  const split = at.deadLane >= 0 && config.consumers > 1 && !machine.is("text-one-signal");
  const groupOfLane = (lane: number) => split && lane === at.deadLane ? 1 : 0;
  const groupOf = (p: number) => split && p === at.processes - 1 ? 1 : 0;
  const asleep = machine.number("sleep.asleep");

  machine.on("sleep.signal", "sleep: reads signal", (state, me) => {
    begin(state, me);
    // 1 for as long as signal is what was read: whether it is the same is all that is ever asked.
    state[me + SIGNAL_SEEN] = 1;
    machine.go(state, me, machine.is("armed-late") ? "sleep.look" : "sleep.arm");
  });
  machine.on("sleep.arm", "sleep: armed += 1", (state, me, p) => {
    state[at.armed(groupOf(p))]++;
    machine.go(state, me, machine.is("armed-late") ? "sleep.futex" : "sleep.look");
  });
  machine.on("sleep.look", "sleep: looks at the queue again", (state, me, p) => {
    state[me + FLAGS] = IS_ARMED;
    state[me + MY_LANE] = at.laneFrom(p, 0);
    if (machine.is("no-second-look")) machine.go(state, me, "sleep.wait");
    else machine.go(state, me, config.partitioned ? "receive.partition" : "receive.head");
  });
  machine.on("sleep.wait", "sleep: futex_wait", (state, me) => {
    if (machine.is("armed-late")) return machine.go(state, me, "sleep.arm");
    wait(state, me);
  });
  if (machine.is("armed-late")) machine.on("sleep.futex", "sleep: futex_wait", wait);
  machine.on("sleep.asleep", "sleep: no time-out ever comes", () => {}, () => false);

  machine.on("wake.armed", "wake: reads armed", (state, me) => {
    const armed = state[at.armed(groupOfLane(state[me + MY_LANE]))];
    state[me + ARMED_SEEN] = 1 + armed;
    if (!backToZero) machine.go(state, me, "wake.disarmed");
    else if (armed === 0) end(state, me);
    else bump(state, me);
  });
  if (!backToZero) {
    machine.on("wake.disarmed", "wake: reads disarmed", (state, me) => {
      const none = state[at.disarmed(groupOfLane(state[me + MY_LANE]))] === state[me + ARMED_SEEN] - 1;
      if (none) end(state, me);
      else bump(state, me);
    });
  }
  machine.on("wake.bump", "wake: signal += 1", (state, me) => {
    const group = groupOfLane(state[me + MY_LANE]);
    for (let p = config.producers; p < at.processes; p++) {
      if (groupOf(p) === group) state[at.local(p) + SIGNAL_SEEN] = 0;
    }
    machine.go(state, me, "wake.futex");
  });
  const sleeps = (state: State, p: number, group: number) =>
    groupOf(p) === group && state[at.local(p) + PC] === asleep;
  for (let sleeper = config.producers; sleeper < at.processes; sleeper++) {
    machine.on("wake.futex", `wake: futex_wake: p${sleeper}`, (state, me) => {
      machine.go(state, at.local(sleeper), "idle");
      end(state, me);
    }, (state, me) => sleeps(state, sleeper, groupOfLane(state[me + MY_LANE])));
  }
  machine.on(
    "wake.futex",
    "wake: futex_wake: nobody",
    (state, me) => machine.go(state, me, "wake.disarm"),
    (state, me) => {
      for (let p = config.producers; p < at.processes; p++) {
        if (sleeps(state, p, groupOfLane(state[me + MY_LANE]))) return false;
      }
      return true;
    },
  );
  machine.on("wake.disarm", "wake: nobody slept", (state, me) => {
    const group = groupOfLane(state[me + MY_LANE]), seen = state[me + ARMED_SEEN] - 1;
    if (machine.is("armed-store")) state[at.armed(group)] = 0;
    else if (machine.is("text-armed")) machine.cas(state, at.armed(group), seen, 0);
    else state[at.disarmed(group)] = machine.is("disarm-reread") ? state[at.armed(group)] : seen;
    end(state, me);
  });

  function bump(state: State, me: number): void {
    machine.go(state, me, machine.is("no-bump") ? "wake.futex" : "wake.bump");
  }
  function begin(state: State, me: number): void {
    const pc = state[me + PC];
    machine.layout.rest(state, me);
    state[me + PC] = pc;
  }
  function wait(state: State, me: number): void {
    const same = state[me + SIGNAL_SEEN] === 1;
    machine.go(state, me, "idle");
    if (same) machine.go(state, me, "sleep.asleep");
  }
  function end(state: State, me: number): void {
    const group = groupOfLane(state[me + MY_LANE]);
    state[me + ARMED_SEEN] = 0;
    machine.goBack(state, me);
    if (!backToZero) renumber(state, group);
  }
  /** The numbers of a group begin at 0 again: only which of them are equal or larger matters. */
  function renumber(state: State, group: number): void {
    const numbers: number[] = [];
    for (let p = 0; p < at.processes; p++) {
      const me = at.local(p);
      if (state[me + ARMED_SEEN] > 0 && groupOfLane(state[me + MY_LANE]) === group) {
        numbers.push(me + ARMED_SEEN);
      }
    }
    const least = numbers.reduce(
      (low, number) => Math.min(low, state[number] - 1),
      state[at.disarmed(group)],
    );
    for (const number of [...numbers, at.disarmed(group), at.armed(group)]) state[number] -= least;
  }
}
