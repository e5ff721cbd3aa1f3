import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Deque, DEQUE_LENGTH_MAX, SeededRandom } from "../../src/base/mod.ts";

function drain<T>(deque: Deque<T>): (T | undefined)[] {
  const entries: (T | undefined)[] = [];
  while (deque.length > 0) entries.push(deque.popFront());
  return entries;
}

Deno.test("Deque.popFront() gives entries in the order pushBack() took them", () => {
  const deque = new Deque<number>();
  for (let entry = 0; entry < 100; entry++) deque.pushBack(entry);
  assertStrictEquals(deque.length, 100);
  assertEquals(drain(deque), Array.from({ length: 100 }, (_, index) => index));
  assertStrictEquals(deque.popFront(), undefined);
  assertStrictEquals(deque.length, 0);
});

Deno.test("Deque.pushFront() puts an entry before the first", () => {
  const deque = new Deque<string>();
  deque.pushBack("b");
  deque.pushFront("a");
  deque.pushBack("c");
  assertEquals(drain(deque), ["a", "b", "c"]);
});

Deno.test("Deque.peek() gives the first entry and leaves it", () => {
  const deque = new Deque<number>();
  assertStrictEquals(deque.peek(), undefined);
  deque.pushBack(1);
  deque.pushBack(2);
  assertStrictEquals(deque.peek(), 1);
  assertStrictEquals(deque.length, 2);
});

Deno.test("Deque.clear() forgets every entry and leaves a usable queue", () => {
  const deque = new Deque<number>();
  for (let entry = 0; entry < 40; entry++) deque.pushFront(entry);
  deque.clear();
  assertStrictEquals(deque.length, 0);
  assertStrictEquals(deque.peek(), undefined);
  deque.pushBack(7);
  assertEquals(drain(deque), [7]);
});

Deno.test("Deque.pushBack() and pushFront() throw at lengthMax and keep what is held", () => {
  const deque = new Deque<number>({ lengthMax: 20 });
  for (let entry = 0; entry < 20; entry++) deque.pushBack(entry);
  assertThrows(() => deque.pushBack(20), RangeError);
  assertThrows(() => deque.pushFront(-1), RangeError);
  assertEquals(drain(deque), Array.from({ length: 20 }, (_, index) => index));
  for (const lengthMax of [0, -1, 1.5, NaN, Infinity, DEQUE_LENGTH_MAX + 1]) {
    assertThrows(() => new Deque({ lengthMax }), RangeError);
  }
});

Deno.test("Deque agrees with an array over random operations", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = new SeededRandom(seed);
  const deque = new Deque<number>();
  const model: number[] = [];
  for (let step = 0; step < 20_000; step++) {
    // Phases that mostly push and phases that mostly pop make the entries wrap and the array grow.
    const pushLikely = Math.floor(step / 500) % 2 === 0;
    if (random.below(10) < (pushLikely ? 7 : 3)) {
      if (random.below(3) === 0) {
        deque.pushFront(step);
        model.unshift(step);
      } else {
        deque.pushBack(step);
        model.push(step);
      }
    } else {
      assertStrictEquals(deque.popFront(), model.shift(), `seed ${seed}, step ${step}`);
    }
    if (random.below(2000) === 0) {
      deque.clear();
      model.length = 0;
    }
    assertStrictEquals(deque.length, model.length, `seed ${seed}, step ${step}`);
    assertStrictEquals(deque.peek(), model[0], `seed ${seed}, step ${step}`);
  }
});
