import { assertEquals, assertStrictEquals } from "@std/assert";
import { type ConnectionState, StateClock } from "../../../src/io/http/connection_state.ts";
import { HTTP_LIMITS } from "../../../src/io/http/limits.ts";
import type { ServerContext } from "../../../src/io/http/server_context.ts";

const LIMITS = {
  ...HTTP_LIMITS,
  idleTimeoutMs: 100,
  headerTimeoutMs: 200,
  bodyTimeoutMs: 300,
  writeTimeoutMs: 400,
};

/** A clock of a connection, and the time it goes by. */
function make() {
  const time = { nowMs: 1000 };
  const clock = new StateClock({ limits: LIMITS, nowMs: () => time.nowMs } as ServerContext);
  return { time, clock };
}

/** Milliseconds from now until `clock` finds something overdue, and what. */
function nextOverdue({ time, clock }: ReturnType<typeof make>): unknown {
  for (let delayMs = 0; delayMs <= 10_000; delayMs += 10) {
    const overdue = clock.overdue(time.nowMs + delayMs);
    if (overdue !== undefined) return [delayMs, overdue];
  }
  return undefined;
}

Deno.test("StateClock begins idle, with the time for that", () => {
  const made = make();
  assertStrictEquals(made.clock.state, "idle");
  assertEquals(nextOverdue(made), [100, "idle"]);
});

Deno.test("StateClock.enter() gives each state its time", () => {
  const expected: readonly (readonly [ConnectionState, number])[] = [
    ["idle", 100],
    ["head", 200],
    ["body", 300],
    ["linger", 2000],
  ];
  for (const [state, delayMs] of expected) {
    const made = make();
    made.time.nowMs += 50;
    made.clock.enter(state);
    assertStrictEquals(made.clock.state, state);
    assertEquals(nextOverdue(made), [delayMs, state]);
  }
});

Deno.test("StateClock.enter() lets the time of a head or body go on while it comes in, and that of idleness not", () => {
  for (const [state, delayMs] of [["head", 150], ["body", 250], ["idle", 100]] as const) {
    const made = make();
    made.clock.enter(state);
    made.time.nowMs += 50;
    made.clock.enter(state);
    assertEquals(nextOverdue(made), [delayMs, state]);
  }
});

Deno.test("StateClock.enter() gives a head behind another its own time", () => {
  const made = make();
  made.clock.enter("head");
  made.time.nowMs += 150;
  made.clock.enter("handler");
  made.clock.enter("head");
  assertEquals(nextOverdue(made), [200, "head"]);
});

Deno.test("StateClock.sendBegan() has one time for what is under way, until sendEnded()", () => {
  const made = make();
  const { clock, time } = made;
  clock.enter("linger");
  clock.sendBegan();
  time.nowMs += 100;
  clock.sendBegan();
  assertEquals(nextOverdue(made), [300, "send"]);
  clock.sendEnded();
  assertEquals(nextOverdue(made), [1900, "linger"]);
  clock.sendBegan();
  assertEquals(nextOverdue(made), [400, "send"]);
});
