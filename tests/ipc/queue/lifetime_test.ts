import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { runProgram, startProgram } from "../../support/net_child.ts";
import { QUEUE_URL, QueueNames } from "./support.ts";

nameSkipReason("SharedQueue's memory and lifetime", nativeSkipReason());

const PROGRAM = new URL("./lifetime_program.ts", import.meta.url).href;
/** Milliseconds that it may take. */
const PROGRAM_MS_MAX = 60_000;
const SHAPE = { capacity: 4, messageBytesMax: 100 };

nativeTest("SharedQueue.close() leaves no descriptor, mapping or thread", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", PROGRAM],
    signal: AbortSignal.timeout(PROGRAM_MS_MAX),
  }).output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
});

nativeTest("SharedQueue: an open queue that nobody waits for keeps no process alive", async () => {
  using names = new QueueNames();
  const name = names.next();
  using _queue = SharedQueue.create(name, { ...SHAPE, deliveryCountMax: 2 });
  const { code, stdout, stderr } = await runProgram(`
    import { SharedQueue } from ${QUEUE_URL};
    const queue = SharedQueue.connect(${JSON.stringify(name)});
    queue.trySend("a");
    await queue.receive();
    await queue.receive({ timeoutMs: 20 }).catch(() => {});
    queue.trySend("b");
    globalThis.kept = queue.tryReserve();
    console.log("idle");
  `);
  assertEquals([code, stdout.trim()], [0, "idle"], stderr);
});

for (const call of ["queue.receive()", "queue.reserve()", "queue.request('a')", "queue.respond(() => 'x')"]) {
  nativeTest(`SharedQueue: ${call} keeps its process alive while it waits`, async () => {
    using names = new QueueNames();
    const name = names.next();
    using queue = SharedQueue.create(name, SHAPE);
    await using child = await startProgram(`
      import { SharedQueue } from ${QUEUE_URL};
      const queue = SharedQueue.connect(${JSON.stringify(name)});
      void ${call}.then(() => console.log("done"));
      console.log("waits");
    `);
    await child.says(/waits/);
    await new Promise((resolve) => setTimeout(resolve, 150));
    if (call.includes("request")) {
      using delivery = await queue.reserve();
      delivery.reply("b");
    } else if (call.includes("respond")) {
      assertStrictEquals(new TextDecoder().decode(await queue.request("a", { timeoutMs: 30_000 })), "x");
      child.kill("SIGKILL");
      return;
    } else await queue.send("a");
    await child.says(/done/);
    const { code, stderr } = await child.ended();
    assertStrictEquals(code, 0, stderr);
  });
}

nativeTest(
  "SharedQueue.receiveMany() gives the message it has when the queue is closed in that moment",
  async () => {
    using names = new QueueNames();
    const queue = SharedQueue.create(names.next(), SHAPE);
    queue.trySendMany(["a", "b"]);
    const receiving = queue.receiveMany(2);
    queue.close();
    assertEquals((await receiving).map((message) => message.text()), ["a"]);
  },
);

nativeTest("SharedQueue that is closed by what a call asks for says so, and does not crash", async () => {
  using names = new QueueNames();
  const closed = { name: "BadResource", message: /closed/ };
  const opened = (): SharedQueue => SharedQueue.create(names.next(), SHAPE);
  {
    const queue = opened();
    const payloads = ["a", "b"];
    Object.defineProperty(payloads, 0, {
      get() {
        queue.close();
        return "a";
      },
    });
    assertThrowsMatching(() => queue.trySendMany(payloads), closed);
  }
  {
    const queue = opened();
    const payloads = {
      *[Symbol.iterator]() {
        yield "a";
        queue.close();
        for (let count = 0; count < 100; count++) yield "b";
      },
    };
    await assertRejectsMatching(() => queue.sendMany(payloads), closed);
  }
  {
    const queue = opened();
    const options = {
      get timeoutMs() {
        queue.close();
        return 10;
      },
    };
    assertThrowsMatching(() => queue.receiveSync(options), closed);
    assertThrowsMatching(() => queue.sendSync("x", options), closed);
  }
});

nativeTest("SharedQueue.readable() that is cancelled gives back the message that nobody reads", async () => {
  using names = new QueueNames();
  using queue = SharedQueue.create(names.next(), SHAPE);
  // From before the message is here until it was read.
  for (let turns = 0; turns < 12; turns++) {
    const reader = queue.readable().getReader();
    queue.trySend("a");
    const reading = reader.read();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await reader.cancel();
    const { value } = await reading;
    const left = queue.tryReceive();
    assertStrictEquals((value ?? left)?.text(), "a");
    assert(value === undefined || left === undefined);
  }
});
