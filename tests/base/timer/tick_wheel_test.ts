import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { SeededRandom } from "../../../src/base/mod.ts";
import { TickWheel } from "../../../src/base/timer/tick_wheel.ts";

function takeAll(wheel: TickWheel): number {
  let count = 0;
  for (let callback = wheel.takeDue(); callback !== undefined; callback = wheel.takeDue()) {
    callback();
    count++;
  }
  return count;
}

Deno.test("TickWheel.collect() gives entries of every level in order, up to the last tick there is", () => {
  const wheel = new TickWheel(1000);
  const ticks: number[] = [0, Number.MAX_SAFE_INTEGER];
  for (let bit = 0; bit < 53; bit++) ticks.push(2 ** bit, 2 ** bit + 1, 2 ** (bit + 1) - 1);
  const random = new SeededRandom(1);
  const shuffled = ticks.map((tick) => ({ tick, key: random.float() })).sort((a, b) => a.key - b.key);
  const taken: number[] = [];
  for (const { tick } of shuffled) wheel.add(tick, () => taken.push(tick));
  wheel.collect(Number.MAX_SAFE_INTEGER);
  assertStrictEquals(takeAll(wheel), ticks.length);
  assertEquals(taken, ticks.toSorted((a, b) => a - b));
  assertStrictEquals(wheel.size, 0);
  assertStrictEquals(wheel.nextTick, Infinity);
});

Deno.test("TickWheel.nextTick leads to a far entry in at most one step a level, never past it", () => {
  for (
    const tick of [1, 31, 32, 33, 1023, 1024, 2 ** 30 - 1, 2 ** 30, 2 ** 40 + 12345, Number.MAX_SAFE_INTEGER]
  ) {
    const wheel = new TickWheel(10);
    wheel.add(tick, () => {});
    let stepCount = 0;
    while (wheel.takeDue() === undefined) {
      assert(wheel.nextTick <= tick, `next ${wheel.nextTick}, entry at ${tick}`);
      assert(stepCount === 0 || wheel.nextTick > wheel.tick);
      wheel.collect(wheel.nextTick);
      stepCount++;
    }
    assertStrictEquals(wheel.tick, tick);
    assert(stepCount <= 11, `${stepCount} steps to tick ${tick}`);
  }
});

Deno.test("TickWheel keeps the order of arrival within a tick, whatever levels its entries came through", () => {
  const wheel = new TickWheel(10_000);
  const tick = 70_000;
  const taken: number[] = [];
  let arrival = 0;
  // From the wheel's various distances, an entry for the same tick starts out on level 3, 2, 1 or 0.
  for (const present of [0, 1000, 65_600, 69_000, 69_900, 69_990, 69_999, 70_000]) {
    wheel.collect(present);
    for (let count = 0; count < 3; count++) {
      const ordinal = arrival++;
      wheel.add(tick, () => taken.push(ordinal));
    }
  }
  assertStrictEquals(takeAll(wheel), 21);
  wheel.collect(tick);
  assertStrictEquals(takeAll(wheel), 3);
  assertEquals(taken, Array.from({ length: 24 }, (_, index) => index));
});

Deno.test("TickWheel.add() takes a tick that has passed as the present one", () => {
  const wheel = new TickWheel(10);
  wheel.collect(500);
  wheel.add(3, () => {});
  assertStrictEquals(wheel.nextTick, 500);
  wheel.collect(500);
  assertStrictEquals(takeAll(wheel), 1);
});

Deno.test("TickWheel.cancel() refuses an entry that was used again", () => {
  const wheel = new TickWheel(10);
  const entry = wheel.add(5, () => {});
  const generation = wheel.generationOf(entry);
  assertStrictEquals(wheel.cancel(entry, generation), true);
  assertStrictEquals(wheel.cancel(entry, generation), false);
  const again = wheel.add(5, () => {});
  assertStrictEquals(again, entry);
  assertStrictEquals(wheel.cancel(entry, generation), false);
  assertStrictEquals(wheel.size, 1);
});

Deno.test("TickWheel never uses an entry again that has had all its generations", () => {
  const wheel = new TickWheel(10, 3);
  const uses = new Map<number, Set<number>>();
  for (let step = 0; step < 50; step++) {
    const entry = wheel.add(step, () => {});
    const generation = wheel.generationOf(entry);
    const generations = uses.get(entry) ?? new Set();
    assert(!generations.has(generation), `entry ${entry} had generation ${generation} before`);
    uses.set(entry, generations.add(generation));
    assertStrictEquals(wheel.cancel(entry, generation), true);
  }
  assertStrictEquals(uses.size, 13);
});

Deno.test("TickWheel.onEmpty() is called when a cancellation takes the last entry", () => {
  const wheel = new TickWheel(10);
  let callCount = 0;
  wheel.onEmpty = () => callCount++;
  const first = wheel.add(1, () => {});
  const second = wheel.add(100_000, () => {});
  wheel.cancel(first, wheel.generationOf(first));
  assertStrictEquals(callCount, 0);
  wheel.cancel(second, wheel.generationOf(second));
  assertStrictEquals(callCount, 1);
  assertStrictEquals(wheel.nextTick, Infinity);
});
