import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { assertDone, assertFailure, millrace, queueTest, start } from "../support.ts";

queueTest("millrace queue status prints a table, JSON or metrics", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  await queue.send("one");
  const table = assertDone(await millrace(["queue", "status", name]));
  assertMatch(table, new RegExp(`^queue +${name}\ncapacity +8, 1 used\nready +1\n`));
  assertMatch(table, new RegExp(`\nopened by\n {2}process ${Deno.pid} since [\\d:.TZ-]+\n$`));
  const json = JSON.parse(assertDone(await millrace(["queue", "status", name, "--json"])));
  assertEquals(
    [json.name, json.capacity, json.readyCount, json.sentCount, json.sentPerSecond, json.participants.length],
    [name, 8, 1, 1, null, 1],
  );
  const metrics = assertDone(await millrace(["queue", "status", name, "--prometheus"]));
  assertMatch(metrics, new RegExp(`^millrace_queue_ready\\{queue="${name}"\\} 1$`, "m"));
  for (const line of metrics.trimEnd().split("\n")) {
    assertMatch(line, /^(# (HELP|TYPE) )?millrace_queue_\S+ /);
  }
});

queueTest("millrace queue status --follow goes on until SIGINT, with rates", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  await using following = start(["queue", "status", name, "--follow", "--json"]);
  await following.says(/\n/);
  await queue.send("one");
  await following.says(/\n.*\n/);
  following.kill("SIGINT");
  const [first, second] = assertDone(await following.ended()).split("\n").map((line) =>
    line && JSON.parse(line)
  );
  assertStrictEquals(first.sentPerSecond, null);
  assert(second.sentPerSecond > 0);
});

queueTest(
  "millrace queue status ends with 5 where there is no queue, and with 2 for two formats",
  async (name) => {
    assertFailure(await millrace(["queue", "status", name]), 5, /there is none/);
    assertFailure(
      await millrace(["queue", "status", name, "--json", "--prometheus"]),
      2,
      /expected one of them/,
    );
  },
);
