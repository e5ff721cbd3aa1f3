import assert from "node:assert/strict";
import { SharedQueue } from "../../../src/queue/mod.ts";
import { assertDone, assertFailure, millrace, queueTest } from "../_support.ts";

queueTest("millrace queue unlink takes the name away, and ends with 5 where there is none", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  assert.equal(assertDone(await millrace(["queue", "unlink", name])), "");
  assert.throws(() => SharedQueue.connect(name), Deno.errors.NotFound);
  assert.ok(queue.trySend("still open"));
  assertFailure(await millrace(["queue", "unlink", name]), 5, /there is none/);
});
