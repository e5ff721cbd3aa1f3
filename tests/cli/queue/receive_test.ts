import { assert, assertEquals, assertMatch, assertStrictEquals, fail } from "@std/assert";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { TemporaryDirectory } from "../../ipc/memory/support.ts";
import { assertDone, assertFailure, millrace, queueTest, start, startShell, until } from "../support.ts";

queueTest("millrace queue receive writes a line for each message that is there, and ends", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  assertStrictEquals(assertDone(await millrace(["queue", "receive", name])), "");
  await queue.sendMany(["one", "", "three"]);
  assertStrictEquals(assertDone(await millrace(["queue", "receive", name])), "one\n\nthree\n");
  assertStrictEquals(queue.status().readyCount + queue.status().reservedCount, 0);
});

queueTest("millrace queue receive --count waits for as many, and takes no more", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  await queue.send("one");
  await using receiving = start(["queue", "receive", name, "--count", "2"]);
  await receiving.says(/one\n/);
  await queue.sendMany(["two", "three"]);
  assertStrictEquals(assertDone(await receiving.ended()), "one\ntwo\n");
  assertStrictEquals(queue.tryReceive()?.text(), "three");
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  queueTest(`millrace queue receive --follow goes on until ${signal}, and is done then`, async (name) => {
    using queue = SharedQueue.create(name, { capacity: 8 });
    await using receiving = start(["queue", "receive", name, "--follow"]);
    for (const text of ["one", "two"]) {
      await queue.send(text);
      await receiving.says(new RegExp(`${text}\n`));
    }
    receiving.kill(signal);
    assertStrictEquals(assertDone(await receiving.ended()), "one\ntwo\n");
  });
}

queueTest("millrace queue receive --timeout ends with 3 when nothing comes, or too little", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8 });
  const receive = ["queue", "receive", name, "--timeout", "50ms"];
  assertFailure(await millrace(receive), 3, /nothing came within 50 ms/);
  assertFailure(await millrace([...receive, "--follow"]), 3, /nothing came within 50 ms/);
  await queue.send("one");
  const { code, stdout, stderr } = await millrace([...receive, "--count", "2"]);
  assertEquals([code, stdout], [3, "one\n"]);
  assertMatch(stderr, /1 of 2 messages came, and then none within 50 ms/);
  await queue.send("one");
  assertStrictEquals(assertDone(await millrace(receive)), "one\n");
});

queueTest("millrace queue receive --json tells all of a message", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8, priorities: 2 });
  const ids = [
    await queue.send('a "quoted"\nline é', { priority: 0 }),
    await queue.send(new Uint8Array([0xff, 0xfe])),
    await queue.send("\ufeffmarked"),
  ];
  const stdout = assertDone(await millrace(["queue", "receive", name, "--json"]));
  const [first, second, third] = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  const { timestamp, ...rest } = first;
  assertEquals(rest, {
    id: String(ids[0]),
    redeliveryCount: 0,
    priority: 0,
    payload: 'a "quoted"\nline é',
  });
  assert(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000);
  assertEquals([second.payloadBase64, second.payload, second.priority], ["//4=", undefined, 1]);
  assertStrictEquals(third.payload, "\ufeffmarked");
});

queueTest("millrace queue receive --json tells the partition", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8, partitions: 1 });
  await queue.send("x");
  const { partition, priority } = JSON.parse(
    assertDone(await millrace(["queue", "receive", name, "--json"])),
  );
  assertEquals([partition, priority], [0, undefined]);
});

queueTest(
  "the recipe of docs/cli.md that moves messages loses none when its second half fails",
  async (name) => {
    const docs = await Deno.readTextFile(new URL("../../../docs/cli.md", import.meta.url));
    const [recipe] = docs.match(/^millrace queue receive old .*$/m) ?? fail("there is no such recipe");
    using queue = SharedQueue.create(name, { capacity: 8 });
    await queue.sendMany(["one", "two", "three"]);
    using temporary = new TemporaryDirectory();
    const line = `cd "$3" && ${recipe.replace(" old ", ' "$1" ').replace(" new ", ' "$2" ')}`;
    const move = async (): Promise<number> => {
      await using shell = startShell(line, [name, other, temporary.directory]);
      return (await shell.ended()).code;
    };
    const other = `${name}-2`;
    assertStrictEquals(await move(), 5, "there is no such queue yet");
    assertStrictEquals(queue.status().readyCount, 0);
    using target = SharedQueue.create(other, { capacity: 8 });
    try {
      await queue.send("four");
      assertStrictEquals(await move(), 0);
      const texts = target.tryReceiveMany(8).map((message) => message.text());
      assertEquals(texts, ["one", "two", "three", "four"]);
      assertEquals(await Array.fromAsync(Deno.readDir(temporary.directory)), []);
    } finally {
      SharedQueue.unlink(other);
    }
  },
);

queueTest("millrace queue receive --frames and send --frames keep bytes as they are", async (name) => {
  const other = `${name}-2`;
  using queue = SharedQueue.create(name, { capacity: 64 });
  using copy = SharedQueue.create(other, { capacity: 64 });
  SharedQueue.unlink(other);
  const messages = Array.from(
    { length: 40 },
    (_, length) => crypto.getRandomValues(new Uint8Array(length * 7)),
  );
  await queue.sendMany(messages);
  using again = SharedQueue.create(other, { capacity: 64 });
  try {
    await using pipeline = startShell(
      'millrace queue receive "$1" --frames | millrace queue send "$2" --frames',
      [name, other],
    );
    assertDone(await pipeline.ended());
    for (const message of messages) assertEquals([...again.tryReceive()?.data ?? []], [...message]);
    assertStrictEquals(again.tryReceive(), undefined);
    assertStrictEquals(copy.tryReceive(), undefined);
  } finally {
    SharedQueue.unlink(other);
  }
  assertFailure(
    await millrace(["queue", "receive", name, "--frames", "--json"]),
    2,
    /json .* and frames .* are on/,
  );
});

queueTest("millrace queue send and receive pass many lines on, in order", async (name) => {
  SharedQueue.create(name, { capacity: 64, messageBytesMax: 16 }).close();
  await using pipeline = startShell(
    'seq 1 5000 | millrace queue send "$1" & millrace queue receive "$1" --count 5000; wait',
    [name],
  );
  const expected = Array.from({ length: 5000 }, (_, index) => `${index + 1}\n`).join("");
  assertStrictEquals(assertDone(await pipeline.ended()), expected);
});

queueTest(
  "millrace queue receive that is killed before a line is written leaves its message",
  async (name) => {
    using queue = SharedQueue.create(name, { capacity: 8, messageBytesMax: 1 << 20 });
    const large = "x".repeat(1 << 20);
    await queue.sendMany(["one", large]);
    // Nobody reads, so that the second line does not go into the pipe as a whole.
    await using receiving = start(["queue", "receive", name], { unread: true });
    await until(() => queue.status().receivedCount === 2);
    receiving.kill("SIGKILL");
    const { signal, stdout } = await receiving.ended();
    assertStrictEquals(signal, "SIGKILL");
    assertMatch(stdout, /^one\nx*$/);
    const again = await millrace(["queue", "receive", name, "--count", "1", "--json"]);
    const { redeliveryCount, payload } = JSON.parse(assertDone(again));
    assertEquals([redeliveryCount, payload === large], [1, true]);
    assertStrictEquals(queue.status().readyCount + queue.status().reservedCount, 0);
  },
);

queueTest(
  "millrace queue receive ends at SIGINT when its reader takes nothing, and gives the message back",
  async (name) => {
    using queue = SharedQueue.create(name, { capacity: 8, messageBytesMax: 1 << 20 });
    await queue.send("x".repeat(1 << 20));
    await using receiving = start(["queue", "receive", name], { unread: true });
    await until(() => queue.status().receivedCount === 1);
    receiving.kill("SIGINT");
    const { code, signal, stderr } = await receiving.ended();
    assertEquals([code, signal, stderr], [130, null, "millrace: stopped by SIGINT\n"]);
    assertStrictEquals(queue.tryReceive()?.redeliveryCount, 1);
  },
);

queueTest("millrace queue receive --dead-letters receives those, and waits for them", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 8, deliveryCountMax: 1 });
  const kill = async (text: string): Promise<void> => {
    await queue.send(text);
    queue.tryReserve()?.nack();
    assertStrictEquals(queue.tryReserve(), undefined);
  };
  await kill("one");
  const receive = ["queue", "receive", name, "--dead-letters"];
  await using receiving = start([...receive, "--count", "2"]);
  await receiving.says(/one\n/);
  await kill("two");
  assertStrictEquals(assertDone(await receiving.ended()), "one\ntwo\n");
  assertStrictEquals(assertDone(await millrace(receive)), "");
  assertFailure(await millrace([...receive, "--timeout", "10ms"]), 3, /nothing came/);
  assertStrictEquals(queue.status().deadLetterCount, 0);
});

queueTest("millrace queue receive ends with 5 where there is no queue", async (name) => {
  assertFailure(await millrace(["queue", "receive", name]), 5, /there is none/);
});
