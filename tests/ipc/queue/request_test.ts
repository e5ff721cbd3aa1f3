import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { FLAG } from "../../../src/ipc/queue/layout.ts";
import { SharedQueue, SharedQueueReplyError } from "../../../src/ipc/queue/mod.ts";
import { isRequest, PendingRequest } from "../../../src/ipc/queue/request.ts";
import { generationOf, moved, PHASE } from "../../../src/ipc/queue/slot_word.ts";
import { NOBODY } from "../../../src/ipc/sharing/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, QueueNames } from "./support.ts";

nameSkipReason("SharedQueue.request()", nativeSkipReason());

function requestTest(name: string, body: (client: SharedQueue, server: SharedQueue) => Promise<void>): void {
  nativeTest(name, async () => {
    using names = new QueueNames();
    const queueName = names.next();
    using client = SharedQueue.create(queueName, { capacity: 4, messageBytesMax: 100 });
    using server = SharedQueue.connect(queueName);
    await body(client, server);
    const { readyCount, reservedCount } = client.status();
    assertEquals([readyCount, reservedCount], [0, 0], "nothing is left in the queue");
  });
}

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

requestTest(
  "SharedQueue.request() resolves to what the handler of respond() returns",
  async (client, server) => {
    const ending = new AbortController();
    const responding = server.respond((message) => message.text().toUpperCase(), {
      signal: ending.signal,
      concurrency: 3,
    });
    const replies = await Promise.all(Array.from({ length: 50 }, (_, index) => client.request(`r${index}`)));
    assertEquals(replies.map(decode), Array.from({ length: 50 }, (_, index) => `R${index}`));
    ending.abort();
    await responding;
  },
);

requestTest("SharedQueue.respond() refuses a handler that is none", async (client, server) => {
  client.trySend("a");
  for (const wrong of [undefined, null, 5, {}]) {
    await assertRejectsMatching(() => server.respond(wrong as never), {
      name: "TypeError",
      message: /expected a function$/,
    });
  }
  assertStrictEquals(client.tryReceive()?.text(), "a");
});

requestTest("SharedQueue.request() rejects with what the handler throws", async (client, server) => {
  const ending = new AbortController();
  const responding = server.respond(() => {
    throw new TypeError("ünfit".repeat(100));
  }, ending);
  const error: unknown = await client.request("x").catch((error) => error);
  assert(error instanceof SharedQueueReplyError);
  assertStrictEquals(error.reason, "failed");
  assertMatch(error.message, /TypeError: ünfit/);
  ending.abort();
  await responding;
});

requestTest(
  "SharedQueue.respond() rejects when its handler throws for a message that is no request, and ends all its loops",
  async (client, server) => {
    const responding = server.respond((message, signal) => {
      if (message.text() === "bad") throw new Error("unfit");
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve("late")));
    }, { concurrency: 2 });
    const request = client.request("waits");
    client.trySend("bad");
    await assertRejectsMatching(() => responding, /^Error: unfit$/);
    assertStrictEquals(decode(await request), "late");
    client.trySend("nobody takes it");
    assertEquals([client.tryReceive()?.text(), client.tryReceive()?.text()], ["bad", "nobody takes it"]);
  },
);

requestTest("SharedQueue.request() rejects when its consumer does not reply", async (client, server) => {
  const request = client.request("x");
  // Without a turn of the event loop, in which it might be rejected while nobody listens.
  assertStrictEquals(server.tryReceive()?.text(), "x");
  await assertRejectsMatching(
    () => request,
    (error) => error instanceof SharedQueueReplyError && error.reason === "lost",
  );
});

requestTest(
  "SharedQueue.request() that is given up is not handled, and leaves nothing",
  async (client, server) => {
    await assertRejectsMatching(() => client.request("a", { timeoutMs: 5 }), { name: "TimeoutError" });
    const controller = new AbortController();
    const request = client.request("b", { signal: controller.signal });
    controller.abort(new Error("enough"));
    await assertRejectsMatching(() => request, /enough/);
    assertStrictEquals(server.tryReserve(), undefined);
  },
);

requestTest("SharedQueue.request() says which time was over, whatever was left of it", async (client) => {
  const error = (message: string) => ({ name: "TimeoutError", message });
  await assertRejectsMatching(
    () => client.request("a", { timeoutMs: 20 }),
    error(`request to queue ${client.name}: no reply within 20 ms`),
  );
  for (let count = 0; count < client.capacity; count++) client.trySend("x");
  await assertRejectsMatching(
    () => client.request("b", { timeoutMs: 20 }),
    error(`request to queue ${client.name}: not done within 20 ms`),
  );
  client.purge();
});

requestTest("Delivery.reply() to who has given up is false, and leaves nothing", async (client, server) => {
  const controller = new AbortController();
  const request = client.request("a", { signal: controller.signal });
  const delivery = await server.reserve();
  assertStrictEquals(delivery.isRequest, true);
  controller.abort();
  await assertRejectsMatching(() => request, { name: "AbortError" });
  assertStrictEquals(delivery.reply("late"), false);
  assertStrictEquals(delivery.settled, true);
});

requestTest(
  "Delivery.reply() to who has closed the queue is false, and leaves nothing",
  async (client, server) => {
    using third = SharedQueue.connect(client.name);
    const request = third.request("a").catch((error) => error);
    const delivery = await server.reserve();
    third.close();
    assert(await request instanceof Deno.errors.BadResource);
    assertStrictEquals(delivery.reply("late"), false);
  },
);

requestTest(
  "Delivery.reply() refuses what is too long, and messages that are no requests",
  async (client, server) => {
    client.trySend("plain");
    using plain = await server.reserve();
    assertStrictEquals(plain.isRequest, false);
    assertThrows(() => plain.reply("x"), TypeError);
    plain.ack();
    const request = client.request("a");
    const delivery = await server.reserve();
    assertThrows(() => delivery.reply("x".repeat(101)), RangeError);
    assertStrictEquals(delivery.settled, false);
    assertStrictEquals(delivery.reply("x".repeat(100)), true);
    assertStrictEquals((await request).length, 100);
  },
);

requestTest("SharedQueue.request() is handled by another when its consumer goes", async (client, server) => {
  using third = SharedQueue.connect(client.name);
  const request = client.request("a");
  await third.reserve();
  third.close();
  const delivery = await server.reserve();
  assertStrictEquals(delivery.message.redeliveryCount, 1);
  delivery.reply("done");
  assertStrictEquals(decode(await request), "done");
});

requestTest(
  "SharedQueue.request() that others take away because its time is over ends with its deadline, and is not lost",
  async (client, server) => {
    const { now } = Date;
    const request = client.request("x", { timeoutMs: 300 });
    try {
      // The clock goes forward: whoever looks for room takes it for too old, long before the timer of the call.
      Date.now = () => now() + 3_600_000;
      while (server.trySend("y"));
      assertStrictEquals(server.status().expiredCount, 1);
      await assertRejectsMatching(() => request, {
        name: "TimeoutError",
        message: `request to queue ${client.name}: no reply within 300 ms`,
      });
    } finally {
      Date.now = now;
    }
    server.purge();
  },
);

nativeTest(
  "SharedQueue.request() is not taken for one that was given up when its slot was as old",
  async () => {
    const { memory } = fakeMemory({ capacity: 1, messageBytesMax: 8 });
    const core = new QueueCore(memory);
    const request = { lane: 0, flags: FLAG.request, expiresMs: 0 };
    const given = core.trySend(new Uint8Array(1), request);
    const generation = generationOf(memory.load(given));
    const pending = new PendingRequest(core, given, generation, 0);
    await assertRejectsMatching(() => pending.reply({ timeoutMs: 0 }), { name: "TimeoutError" });
    // As many messages later as there are generations, which is a matter of seconds.
    const word = memory.load(given);
    memory.move(given, word, moved(generation << 11, PHASE.free, NOBODY));
    const slot = core.trySend(new Uint8Array(1), request);
    assertEquals([slot, generationOf(memory.load(slot))], [given, generation]);
    assertStrictEquals(core.reserve()?.slot, slot);
    assertStrictEquals(isRequest(core, slot), true);
    core.ack(slot);
    core.close();
  },
);
