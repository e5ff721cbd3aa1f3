import assert from "node:assert/strict";
import { Looks } from "../../src/shared/mod.ts";

Deno.test("Looks are due at once, and after one when a pause is over that goes by the number of slots", () => {
  const real = performance.now;
  let nowMs = 1000;
  performance.now = () => nowMs;
  try {
    for (const [capacity, pauseMs] of [[1, 1], [64, 1], [1024, 16], [65_536, 1024]]) {
      const looks = new Looks(capacity);
      assert.equal(looks.due, true);
      looks.done();
      nowMs += pauseMs - 0.5;
      assert.equal(looks.due, false);
      nowMs += 0.5;
      assert.equal(looks.due, true);
    }
  } finally {
    performance.now = real;
  }
});
