import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { median, pairedRatio, spreadOf } from "./statistics.ts";

Deno.test("median() takes the middle figure, or the mean of the two in the middle", () => {
  assertStrictEquals(median([3]), 3);
  assertStrictEquals(median([10, 9, 1]), 9);
  assertStrictEquals(median([4, 1, 3, 2]), 2.5);
  assertThrows(() => median([]), RangeError);
});

Deno.test("spreadOf() gives the median and the extremes, in any order of the figures", () => {
  assertEquals(spreadOf([5, 1, 9]), { median: 5, min: 1, max: 9 });
});

Deno.test("pairedRatio() divides round by round, so that a machine that slows down cancels out", () => {
  assertStrictEquals(pairedRatio([2, 20, 200], [1, 10, 100]), 2);
});

Deno.test("pairedRatio() uses the rounds that both have, and is undefined when there are none", () => {
  assertStrictEquals(pairedRatio([2], [1, 10]), 2);
  assertStrictEquals(pairedRatio([], [1]), undefined);
  assertStrictEquals(pairedRatio([1], [0]), undefined);
});
