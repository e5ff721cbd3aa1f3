import { assertEquals, assertStrictEquals } from "@std/assert";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { assertDone, assertFailure, millrace, queueTest } from "../support.ts";

queueTest("millrace queue create makes a queue of the shape that it is told", async (name) => {
  const options = ["--capacity", "8", "--message-bytes-max", "100", "--priorities", "3", "--mode", "640"];
  const limits = ["--delivery-count-max", "1", "--dead-letter-count-max", "2"];
  assertStrictEquals(assertDone(await millrace(["queue", "create", name, ...options, ...limits])), "");
  using queue = SharedQueue.connect(name);
  assertEquals(
    [queue.capacity, queue.messageBytesMax, queue.priorities, queue.partitions],
    [8, 100, 3, 0],
  );
  assertStrictEquals(SharedQueue.list({ prefix: name })[0].mode, 0o640);
  // One delivery only, and two dead letters at most.
  for (let number = 0; number < 3; number++) {
    await queue.send("x");
    queue.tryReserve()?.nack();
    assertStrictEquals(queue.tryReserve(), undefined);
  }
  assertStrictEquals(queue.status().deadLetterCount, 2);
});

queueTest("millrace queue create makes partitions", async (name) => {
  assertDone(await millrace(["queue", "create", name, "--partitions", "4"]));
  using queue = SharedQueue.connect(name);
  assertStrictEquals(queue.partitions, 4);
});

queueTest("millrace queue create ends with 6 where there is one", async (name) => {
  assertDone(await millrace(["queue", "create", name]));
  assertFailure(await millrace(["queue", "create", name]), 6, /exists already/);
});

queueTest("millrace queue create ends with 2 for what does not go together", async (name) => {
  const both = ["--priorities", "2", "--partitions", "2"];
  assertFailure(
    await millrace(["queue", "create", name, ...both]),
    2,
    /: priorities is 2 \(from --priorities\), expected 1 where partitions is 2 \(from --partitions\)\n/,
  );
  const letters = ["--capacity", "4"];
  const env = { MILLRACE_QUEUE_DEAD_LETTER_COUNT_MAX: "4" };
  assertFailure(
    await millrace(["queue", "create", name, ...letters], { env }),
    2,
    /: dead-letter-count-max is 4 \(from MILLRACE_QUEUE_DEAD_LETTER_COUNT_MAX\), expected 0 to 3 where capacity is 4 \(from --capacity\)\n/,
  );
  assertFailure(
    await millrace(["queue", "create", name, "--dead-letter-count-max", "1024"]),
    2,
    /expected 0 to 1023 where capacity is 1024 \(from the default\)\n/,
  );
  assertFailure(
    await millrace(["queue", "create", name, "--mode", "577"]),
    2,
    /: mode is "577" \(from --mode\), expected octal digits from 600 to 777, as a text\n/,
  );
  assertFailure(
    await millrace(["queue", "create", name, "--message-bytes-max", "67108864"]),
    2,
    /: capacity is 1024 \(from the default\), message-bytes-max is 67108864 \(from --message-bytes-max\): .* expected at most 4294967296\n/,
  );
  const place = ["--directory", "/nowhere/at/all"];
  assertFailure(await millrace(["queue", "create", name, ...place]), 2, /directory is "\/nowhere\/at\/all"/);
});
