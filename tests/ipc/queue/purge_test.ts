import { assertEquals, assertStrictEquals } from "@std/assert";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { COUNTER } from "../../../src/ipc/queue/layout.ts";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, QueueNames } from "./support.ts";

nameSkipReason("SharedQueue.purge()", nativeSkipReason());

const PLAIN = { lane: 0, flags: 0, expiresMs: 0 };

nativeTest(
  "SharedQueue.purge() takes messages away of partitions that somebody has another message of",
  () => {
    using names = new QueueNames();
    const name = names.next();
    using queue = SharedQueue.create(name, { capacity: 8, messageBytesMax: 8, partitions: 2 });
    using other = SharedQueue.connect(name);
    for (const text of ["a", "b", "c"]) queue.trySend(text, { key: "k" });
    using held = other.tryReserve();
    assertStrictEquals(queue.purge(), 2);
    const { readyCount, reservedCount, receivedCount } = queue.status();
    assertEquals([readyCount, reservedCount, receivedCount], [0, 1, 1]);
    queue.trySend("d", { key: "k" });
    assertStrictEquals(queue.tryReceive(), undefined);
    held?.ack();
    assertStrictEquals(queue.tryReceive()?.text(), "d");
  },
);

nativeTest(
  "QueueCore.purge() takes away what there is no hint of, dead letters among them, and counts it as nothing else",
  () => {
    const { memory } = fakeMemory({
      capacity: 4,
      messageBytesMax: 8,
      deliveryCountMax: 1,
      deadLetterCountMax: 2,
    });
    const core = new QueueCore(memory);
    core.trySend(new Uint8Array(1), PLAIN);
    core.giveBack(core.reserve()?.slot ?? -1);
    assertStrictEquals(core.reserve(), undefined);
    for (let count = 0; count < 3; count++) core.trySend(new Uint8Array(1), PLAIN);
    const { cellsAt, slotsAt } = memory.geometry;
    memory.bytes.fill(0, cellsAt, slotsAt);
    const received = core.participants.total(COUNTER.received);
    assertStrictEquals(core.purge(), 4);
    assertStrictEquals(core.purge(), 0);
    assertStrictEquals(core.participants.total(COUNTER.received), received);
    core.close();
  },
);

nativeTest("SharedQueue.purge() wakes everybody who waits for room", async () => {
  using names = new QueueNames();
  const name = names.next();
  using queue = SharedQueue.create(name, { capacity: 2, messageBytesMax: 8 });
  using other = SharedQueue.connect(name);
  while (queue.trySend("x"));
  const sends = [queue.send("a"), other.send("b")];
  assertStrictEquals(queue.purge(), 2);
  await Promise.all(sends);
  assertEquals([queue.tryReceive()?.text(), queue.tryReceive()?.text()].sort(), ["a", "b"]);
});
