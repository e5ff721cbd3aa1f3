import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { assertDone, millrace, queueTest } from "../support.ts";

queueTest("millrace queue list prints the queues of a prefix, as a table or JSON", async (name) => {
  assertStrictEquals(assertDone(await millrace(["queue", "list", "--prefix", name])), "");
  SharedQueue.create(name).close();
  const lines = assertDone(await millrace(["queue", "list", "--prefix", name])).split("\n");
  assertStrictEquals(lines.length, 3);
  assertMatch(lines[0], /^NAME +BYTES +MODE +IN USE +STATE +CREATED$/);
  assertMatch(lines[1], new RegExp(`^${name} +\\d+ +600 +no +ready +\\d{4}-`));
  const json = JSON.parse(assertDone(await millrace(["queue", "list", "--prefix", name, "--json"])));
  assertEquals([json.name, json.mode, json.inUse, json.createdByPid], [name, "600", false, Deno.pid]);
  const all = assertDone(await millrace(["queue", "list"]));
  assert(all.includes(name));
});
