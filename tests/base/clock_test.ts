import { assert, assertStrictEquals, assertThrows } from "@std/assert";
import { type Clock, ManualClock, systemClock } from "../../src/base/mod.ts";

Deno.test("systemClock.nowMs() never goes backwards and moves by itself", () => {
  const startMs = systemClock.nowMs();
  let previousMs = startMs;
  while (previousMs === startMs) {
    const nowMs = systemClock.nowMs();
    assert(nowMs >= previousMs);
    previousMs = nowMs;
  }
});

Deno.test("ManualClock.nowMs() starts where told and moves only by advance() and set()", () => {
  const clock: Clock & ManualClock = new ManualClock(10.5);
  assertStrictEquals(clock.nowMs(), 10.5);
  assertStrictEquals(clock.nowMs(), 10.5);
  clock.advance(2);
  assertStrictEquals(clock.nowMs(), 12.5);
  clock.set(100);
  assertStrictEquals(clock.nowMs(), 100);
  clock.advance(0);
  assertStrictEquals(clock.nowMs(), 100);
  assertStrictEquals(new ManualClock().nowMs(), 0);
});

Deno.test("ManualClock.set() and advance() refuse to go backwards or nowhere", () => {
  const clock = new ManualClock(5);
  for (const durationMs of [-1, NaN, Infinity]) assertThrows(() => clock.advance(durationMs), RangeError);
  for (const nowMs of [4.9, NaN, Infinity, -Infinity]) assertThrows(() => clock.set(nowMs), RangeError);
  assertStrictEquals(clock.nowMs(), 5);
  assertThrows(() => new ManualClock(NaN), RangeError);
  assertThrows(() => new ManualClock(Infinity), RangeError);
});
