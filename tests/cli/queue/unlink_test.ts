import { assert, assertStrictEquals, assertThrows } from "@std/assert";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { TemporaryDirectory } from "../../ipc/memory/support.ts";
import { assertDone, assertFailure, millrace, queueTest } from "../support.ts";

queueTest("millrace queue unlink takes the name away, and ends with 5 where there is none", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  assertStrictEquals(assertDone(await millrace(["queue", "unlink", name])), "");
  assertThrows(() => SharedQueue.connect(name), Deno.errors.NotFound);
  assert(queue.trySend("still open"));
  assertFailure(await millrace(["queue", "unlink", name]), 5, /there is none/);
});

queueTest("millrace queue unlink leaves what is no queue as it is, and says what it is", async (name) => {
  using temporary = new TemporaryDirectory();
  const { directory } = temporary;
  const path = `${directory}/millrace.queue.${name}`;
  await Deno.writeTextFile(path, "another program's");
  assertFailure(
    await millrace(["queue", "unlink", name, "--directory", directory]),
    1,
    /^millrace: unlink queue \S+ in \S+: it has 17 bytes, and is no region of Millrace's; it is left as it is\n$/,
  );
  assertStrictEquals(await Deno.readTextFile(path), "another program's");
});
