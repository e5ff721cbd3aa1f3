import assert from "node:assert/strict";
import { type Clock, ManualClock, systemClock } from "../../src/base/mod.ts";

Deno.test("systemClock.nowMs() never goes backwards and moves by itself", () => {
  const startMs = systemClock.nowMs();
  let previousMs = startMs;
  while (previousMs === startMs) {
    const nowMs = systemClock.nowMs();
    assert.ok(nowMs >= previousMs);
    previousMs = nowMs;
  }
});

Deno.test("ManualClock.nowMs() starts where told and moves only by advance() and set()", () => {
  const clock: Clock & ManualClock = new ManualClock(10.5);
  assert.equal(clock.nowMs(), 10.5);
  assert.equal(clock.nowMs(), 10.5);
  clock.advance(2);
  assert.equal(clock.nowMs(), 12.5);
  clock.set(100);
  assert.equal(clock.nowMs(), 100);
  clock.advance(0);
  assert.equal(clock.nowMs(), 100);
  assert.equal(new ManualClock().nowMs(), 0);
});

Deno.test("ManualClock.set() and advance() refuse to go backwards or nowhere", () => {
  const clock = new ManualClock(5);
  for (const durationMs of [-1, NaN, Infinity]) assert.throws(() => clock.advance(durationMs), RangeError);
  for (const nowMs of [4.9, NaN, Infinity, -Infinity]) assert.throws(() => clock.set(nowMs), RangeError);
  assert.equal(clock.nowMs(), 5);
  assert.throws(() => new ManualClock(NaN), RangeError);
  assert.throws(() => new ManualClock(Infinity), RangeError);
});
