import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { DELAY_MS_MAX, Interval, type IntervalTick, ManualClock } from "@millrace/millrace/timer";
import { InvariantError } from "../../../src/base/mod.ts";
import { CountedAbort, ManualTimers, nextTurn, stateOf } from "./support.ts";

Deno.test("Interval.next() ticks at the start plus whole periods, without drift", async () => {
  const timers = new ManualTimers({}, new ManualClock(1000));
  const interval = new Interval(10, { timers });
  for (let index = 1; index <= 5; index++) {
    const tick = interval.next();
    // Each tick is noticed 3 ms late; the next deadline stays where it was.
    const dueMs = 1000 + index * 10;
    await timers.pass(dueMs - 1 - timers.nowMs());
    assertStrictEquals(await stateOf(tick), "pending");
    await timers.pass(4);
    assertEquals(await tick, { index, scheduledMs: dueMs, missedCount: 0 });
  }
});

Deno.test("Interval.next() skips missed deadlines and counts them", async () => {
  const timers = new ManualTimers();
  const interval = new Interval(10, { timers });
  timers.clock.advance(45);
  const late = interval.next();
  await timers.pass(0);
  assertEquals(await late, { index: 4, scheduledMs: 40, missedCount: 3 });
  const next = interval.next();
  await timers.pass(4);
  assertStrictEquals(await stateOf(next), "pending");
  await timers.pass(1);
  assertEquals(await next, { index: 5, scheduledMs: 50, missedCount: 0 });
});

Deno.test("Interval.next() gives every missed deadline in a burst when asked to", async () => {
  const timers = new ManualTimers();
  const interval = new Interval(10, { timers, missed: "burst" });
  timers.clock.advance(30);
  for (const index of [1, 2, 3]) {
    const tick = interval.next();
    await timers.pass(0);
    assertEquals(await tick, { index, scheduledMs: index * 10, missedCount: 0 });
  }
  const next = interval.next();
  await timers.pass(9);
  assertStrictEquals(await stateOf(next), "pending");
  await timers.pass(1);
  assertEquals(await next, { index: 4, scheduledMs: 40, missedCount: 0 });
});

Deno.test("Interval.next() begins with the start itself when immediate", async () => {
  const timers = new ManualTimers({}, new ManualClock(7));
  const interval = new Interval(10, { timers, immediate: true });
  const first = interval.next();
  await timers.pass(0);
  assertEquals(await first, { index: 0, scheduledMs: 7, missedCount: 0 });
  const second = interval.next();
  await timers.pass(10);
  assertEquals(await second, { index: 1, scheduledMs: 17, missedCount: 0 });
});

Deno.test("Interval accounts for every deadline when the period is no whole number", async () => {
  for (const periodMs of [0.1, 1 / 3, 0.7, 3.3, 1000 / 60]) {
    const timers = new ManualTimers({ tickMs: 0.05 }, new ManualClock(0.1));
    const interval = new Interval(periodMs, { timers });
    let previous: IntervalTick = { index: 0, scheduledMs: 0.1, missedCount: 0 };
    for (let step = 0; step < 200; step++) {
      const pending = interval.next();
      timers.clock.advance((step * 0.37) % 5);
      while (timers.advance() === 0) timers.clock.advance(timers.nextDelayMs ?? 0);
      const tick = await pending;
      assert(tick !== undefined);
      assertStrictEquals(tick.index, previous.index + 1 + tick.missedCount);
      assertStrictEquals(tick.scheduledMs, 0.1 + tick.index * periodMs);
      assert(tick.scheduledMs <= timers.nowMs(), "never early");
      assert(0.1 + (tick.index + 1) * periodMs > timers.nowMs(), "the latest deadline that has passed");
      previous = tick;
    }
  }
});

Deno.test("Interval.next() finds the latest deadline where the division by the period rounds down", async () => {
  const [startMs, periodMs, index] = [1234.567, 0.001, 821];
  const timers = new ManualTimers({ tickMs: 0.001 }, new ManualClock(startMs));
  const interval = new Interval(periodMs, { timers });
  timers.clock.set(startMs + index * periodMs);
  assert((timers.nowMs() - startMs) / periodMs < index);
  const late = interval.next();
  while (timers.advance() === 0) timers.clock.advance(timers.nextDelayMs ?? 0);
  assertStrictEquals((await late)?.index, index);
});

Deno.test("Interval.next() gives undefined once disposed, and frees timer and listener", async () => {
  const timers = new ManualTimers();
  const abort = new CountedAbort();
  const interval = new Interval(10, { timers, signal: abort.signal });
  const pending = interval.next();
  assertStrictEquals(abort.listenerCount, 1);
  interval[Symbol.dispose]();
  assertStrictEquals(await pending, undefined);
  assertStrictEquals(await interval.next(), undefined);
  assertStrictEquals(abort.listenerCount, 0);
  assertStrictEquals(timers.size, 0);
  interval[Symbol.dispose]();
});

Deno.test("Interval.next() rejects with the signal's reason, then and ever after, and frees timer and listener", async () => {
  const timers = new ManualTimers();
  const abort = new CountedAbort();
  const interval = new Interval(10, { timers, signal: abort.signal });
  const pending = interval.next();
  const reason = new Error("shutting down");
  abort.abort(reason);
  await assertRejectsMatching(() => pending, reason);
  await assertRejectsMatching(() => interval.next(), reason);
  assertStrictEquals(abort.listenerCount, 0);
  assertStrictEquals(timers.size, 0);
});

Deno.test("Interval holds no timer and no listener between ticks", async () => {
  const timers = new ManualTimers();
  const abort = new CountedAbort();
  const interval = new Interval(10, { timers, signal: abort.signal });
  assertStrictEquals(timers.size + abort.listenerCount, 0);
  const tick = interval.next();
  assertEquals([timers.size, abort.listenerCount], [1, 1]);
  await timers.pass(10);
  await tick;
  assertEquals([timers.size, abort.listenerCount], [0, 0]);
});

Deno.test("Interval.next() refuses a second call while one is pending, which goes on", async () => {
  const timers = new ManualTimers();
  const interval = new Interval(10, { timers });
  const first = interval.next();
  await assertRejects(() => interval.next(), InvariantError);
  await timers.pass(10);
  assertStrictEquals((await first)?.index, 1);
});

Deno.test("Interval is iterated until disposed", async () => {
  const timers = new ManualTimers();
  const interval = new Interval(10, { timers });
  const indexes: number[] = [];
  const loop = (async () => {
    for await (const { index } of interval) indexes.push(index);
  })();
  for (let step = 0; step < 3; step++) await timers.pass(10);
  interval[Symbol.dispose]();
  await loop;
  assertEquals(indexes, [1, 2, 3]);
  assertStrictEquals(timers.size, 0);
});

Deno.test("Interval is disposed by leaving its loop", async () => {
  const timers = new ManualTimers();
  const interval = new Interval(10, { timers });
  const loop = (async () => {
    for await (const _ of interval) break;
  })();
  await nextTurn();
  await timers.pass(10);
  await loop;
  assertStrictEquals(await interval.next(), undefined);
});

Deno.test("Interval makes its loop throw the reason of an aborted signal", async () => {
  const timers = new ManualTimers();
  const abort = new CountedAbort();
  const interval = new Interval(10, { timers, signal: abort.signal });
  const loop = (async () => {
    for await (const _ of interval);
  })();
  await timers.pass(10);
  const rejected = assertRejectsMatching(() => loop, (error) => error === "stop");
  abort.abort("stop");
  await rejected;
  assertStrictEquals(abort.listenerCount, 0);
});

Deno.test("Interval refuses a period that is no number above 0 and up to DELAY_MS_MAX", () => {
  const timers = new ManualTimers();
  for (const periodMs of [0, -1, NaN, Infinity, DELAY_MS_MAX * 2]) {
    assertThrows(() => new Interval(periodMs, { timers }), RangeError);
  }
});

Deno.test("Interval works on the default timers, and leaves room for others when always late", async () => {
  let others = 0;
  const host = setInterval(() => others++, 0);
  try {
    for await (const { index } of new Interval(1)) {
      const busyUntilMs = performance.now() + 3;
      while (performance.now() < busyUntilMs);
      if (index > 100) break;
    }
  } finally {
    clearInterval(host);
  }
  assert(others > 0);
});

Deno.test("Interval refuses a way to miss ticks that there is not", () => {
  assertThrowsMatching(() => new Interval(10, { missed: "none" as "skip" }), /missed is "none"/);
});
