import { assert, assertStrictEquals } from "@std/assert";
import { QUEUE_CAPACITY_MAX } from "../../../src/ipc/queue/mod.ts";
import { ScanThrottle } from "../../../src/ipc/sharing/mod.ts";
import { CHECKED_SLEEP_MS_MAX } from "../../../src/ipc/sharing/notifier.ts";

Deno.test("ScanThrottle are due at once, and after one when a pause is over that goes by the number of slots", () => {
  const real = performance.now;
  let nowMs = 1000;
  performance.now = () => nowMs;
  try {
    for (const [capacity, pauseMs] of [[1, 1], [64, 1], [1024, 16], [QUEUE_CAPACITY_MAX, 1024]]) {
      assert(pauseMs < CHECKED_SLEEP_MS_MAX, "who has slept for the longest time looks");
      const looks = new ScanThrottle(capacity);
      assertStrictEquals(looks.due, true);
      looks.done();
      nowMs += pauseMs - 0.5;
      assertStrictEquals(looks.due, false);
      nowMs += 0.5;
      assertStrictEquals(looks.due, true);
    }
  } finally {
    performance.now = real;
  }
});
