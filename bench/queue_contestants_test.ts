import { assert } from "@std/assert";
import { nativeStatus } from "../ffi/mod.ts";
import { isOnPath } from "./command.ts";
import { figuresOf } from "./figures.ts";
import { queueThroughputContestants } from "./queue_contestants.ts";
import type { QueueThroughputRound } from "./queue.ts";

async function figures(id: string, pairs: number): Promise<QueueThroughputRound> {
  const found = await queueThroughputContestants(64, pairs).find((contestant) => contestant.id === id)
    ?.find();
  if (found?.state !== "ready") throw new Error(`${id} is not there`);
  return await figuresOf(found.command);
}

// The processes of the Redis list read the clock that all processes share through the library.
const noRedis = !isOnPath("redis-server")
  ? "redis-server is not on the search path"
  : nativeStatus().available
  ? undefined
  : "the native library is not there";
if (noRedis !== undefined) Deno.test({ name: `the Redis list: skipped: ${noRedis}`, ignore: true, fn() {} });

Deno.test(
  "queueThroughputContestants(): no consumer of the Redis list takes what another waits for",
  { ignore: noRedis !== undefined },
  async () => {
    const { messagesPerSecond, cpuNsPerMessage } = await figures("redis", 2);
    assert(messagesPerSecond > 0 && cpuNsPerMessage > 0);
  },
);

Deno.test("queueThroughputContestants(): messages between threads have their processor time, too", async () => {
  const { messagesPerSecond, cpuNsPerMessage } = await figures("deno-worker", 1);
  assert(messagesPerSecond > 0 && cpuNsPerMessage > 0);
});
