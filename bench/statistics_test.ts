import { deepEqual, equal, throws } from "node:assert/strict";
import { median, pairedRatio, spreadOf } from "./statistics.ts";

Deno.test("median() takes the middle figure, or the mean of the two in the middle", () => {
  equal(median([3]), 3);
  equal(median([10, 9, 1]), 9);
  equal(median([4, 1, 3, 2]), 2.5);
  throws(() => median([]), RangeError);
});

Deno.test("spreadOf() gives the median and the extremes, in any order of the figures", () => {
  deepEqual(spreadOf([5, 1, 9]), { median: 5, min: 1, max: 9 });
});

Deno.test("pairedRatio() divides round by round, so that a machine that slows down cancels out", () => {
  equal(pairedRatio([2, 20, 200], [1, 10, 100]), 2);
});

Deno.test("pairedRatio() uses the rounds that both have, and is undefined when there are none", () => {
  equal(pairedRatio([2], [1, 10]), 2);
  equal(pairedRatio([], [1]), undefined);
  equal(pairedRatio([1], [0]), undefined);
});
