import { assertStrictEquals } from "@std/assert";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { assertDone, assertFailure, millrace, queueTest } from "../support.ts";

queueTest("millrace queue purge takes messages away, and says how many", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  await queue.sendMany(["one", "two", "three"]);
  using reserved = queue.tryReserve();
  assertStrictEquals(assertDone(await millrace(["queue", "purge", name])), "messages purged: 2\n");
  assertStrictEquals(assertDone(await millrace(["queue", "purge", name, "--json"])), '{"purgedCount":0}\n');
  assertStrictEquals(reserved?.ack(), true);
});

queueTest("millrace queue purge ends with 5 where there is no queue", async (name) => {
  assertFailure(await millrace(["queue", "purge", name]), 5, /there is none/);
});
