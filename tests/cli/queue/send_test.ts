import { assertEquals, assertStrictEquals } from "@std/assert";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { assertDone, assertFailure, millrace, queueTest, start, until } from "../support.ts";

function drain(queue: SharedQueue): string[] {
  const texts: string[] = [];
  for (let message = queue.tryReceive(); message !== undefined; message = queue.tryReceive()) {
    texts.push(message.text());
  }
  return texts;
}

queueTest("millrace queue send sends its arguments", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  assertStrictEquals(assertDone(await millrace(["queue", "send", name, "one", "", "--", "--three"])), "");
  assertEquals(drain(queue), ["one", "", "--three"]);
});

queueTest("millrace queue send sends the lines of standard input", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  assertDone(await millrace(["queue", "send", name], { input: "one\n\ntwo\r\nlast" }));
  assertEquals(drain(queue), ["one", "", "two\r", "last"]);
});

queueTest("millrace queue send sends a line as soon as it is there", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  await using sending = start(["queue", "send", name], { input: "open" });
  await sending.write("one\ntw");
  assertStrictEquals((await queue.receive()).text(), "one");
  await sending.write("o\n");
  assertStrictEquals((await queue.receive()).text(), "two");
  await sending.end();
  assertDone(await sending.ended());
});

queueTest("millrace queue send --frames sends any bytes", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  const input = new Uint8Array([0, 0, 0, 3, 10, 255, 0, 0, 0, 0, 0]);
  assertDone(await millrace(["queue", "send", name, "--frames"], { input }));
  assertEquals([...queue.tryReceive()?.data ?? []], [10, 255, 0]);
  assertStrictEquals(queue.tryReceive()?.data.length, 0);
  assertFailure(
    await millrace(["queue", "send", name, "--frames", "x"]),
    2,
    /frames is true \(from --frames\)/,
  );
});

queueTest("millrace queue send --json prints the id of each message", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  const stdout = assertDone(await millrace(["queue", "send", name, "--json"], { input: "one\ntwo\n" }));
  const ids = stdout.trimEnd().split("\n").map((line) => JSON.parse(line).id);
  assertEquals(ids, [String(queue.tryReceive()?.id), String(queue.tryReceive()?.id)]);
});

queueTest("millrace queue send --priority says how urgent messages are", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8, priorities: 2 });
  assertDone(await millrace(["queue", "send", name, "later"]));
  assertDone(await millrace(["queue", "send", name, "now", "--priority", "0"]));
  assertEquals(drain(queue), ["now", "later"]);
  const wrong = await millrace(["queue", "send", name, "x", "--priority", "2"]);
  assertFailure(wrong, 2, /priority is 2 \(from --priority\), expected 0 to 1 for queue /);
  const keyed = await millrace(["queue", "send", name, "x"], { env: { MILLRACE_QUEUE_KEY: "k" } });
  assertFailure(keyed, 2, /key is "k" \(from MILLRACE_QUEUE_KEY\), expected none/);
});

queueTest("millrace queue send --key keeps messages in one partition", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8, partitions: 4 });
  assertDone(await millrace(["queue", "send", name, "--key", "k", "one", "two"]));
  const [first, second] = [queue.tryReceive(), queue.tryReceive()];
  assertStrictEquals(first?.text(), "one");
  assertStrictEquals(first?.partition, second?.partition);
});

queueTest("millrace queue send --expires-after lets messages end", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  assertDone(await millrace(["queue", "send", name, "--expires-after", "1ms", "one"]));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertStrictEquals(queue.tryReceive(), undefined);
  assertFailure(await millrace(["queue", "send", name, "--expires-after", "0", "x"]), 2, /more than 0/);
});

queueTest("millrace queue send waits while the queue is full", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 2 });
  await using sending = start(["queue", "send", name, "one", "two", "three"]);
  await until(() => queue.status().readyCount === 2);
  assertStrictEquals((await queue.receive()).text(), "one");
  assertDone(await sending.ended());
  assertEquals(drain(queue), ["two", "three"]);
});

queueTest("millrace queue send into a full queue does as --when-full and --timeout say", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 2 });
  const send = ["queue", "send", name];
  assertFailure(
    await millrace([...send, "--when-full", "fail", "one", "two", "three"]),
    4,
    /the queue is full: it holds 2 messages; messages sent: 2\n/,
  );
  assertFailure(await millrace([...send, "--timeout", "50ms", "three"]), 3, /within 50 ms; messages sent: 0/);
  assertDone(await millrace([...send, "--when-full", "drop-oldest", "three"]));
  assertEquals(drain(queue), ["two", "three"]);
  assertFailure(
    await millrace([...send, "--when-full", "drop", "x"]),
    2,
    /expected wait, fail or drop-oldest/,
  );
});

queueTest("millrace queue send refuses a message that is too long, after those before it", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8, messageBytesMax: 4 });
  assertFailure(
    await millrace(["queue", "send", name], { input: "1234\n12345\n" }),
    1,
    /line 2: it has more than 4 bytes, .*; messages sent: 1/,
  );
  assertFailure(await millrace(["queue", "send", name, "12345"]), 1, /has 5 bytes, expected at most 4/);
  assertEquals(drain(queue), ["1234"]);
});

queueTest("millrace queue send ends with 5 where there is no queue", async (name) => {
  assertFailure(await millrace(["queue", "send", name, "x"]), 5, /there is none/);
});

for (const input of ["open", "one\n"]) {
  queueTest(
    `millrace queue send ends at SIGINT ${input === "open" ? "while it reads" : "while it waits for room"}`,
    async (name) => {
      using queue = SharedQueue.create(name, { capacity: 1 });
      if (input !== "open") await queue.send("here already");
      await using sending = start(["queue", "send", name], { input });
      await until(() => queue.status().participants.length === 2);
      await new Promise((resolve) => setTimeout(resolve, 100));
      sending.kill("SIGINT");
      const { code, signal, stderr } = await sending.ended();
      assertEquals([code, signal, stderr], [
        130,
        null,
        "millrace: stopped by SIGINT; messages sent: 0\n",
      ]);
    },
  );
}
