import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { SharedMailbox, SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { QueueNames } from "./support.ts";

nameSkipReason("MailboxBox", nativeSkipReason());

/** A full queue of one message, and its mailbox of one box. */
function fullTest(
  name: string,
  body: (opened: { queue: SharedQueue; mailbox: SharedMailbox; other: SharedMailbox }) => Promise<void>,
): void {
  nativeTest(name, async () => {
    using names = new QueueNames();
    const queueName = names.next();
    using queue = SharedQueue.create(queueName, { capacity: 1, messageBytesMax: 8 });
    using mailbox = SharedMailbox.create(queue, { boxes: { 1: 1 } });
    try {
      using otherQueue = SharedQueue.connect(queueName);
      using other = SharedMailbox.connect(otherQueue);
      queue.trySend("full");
      await body({ queue, mailbox, other });
      assertStrictEquals(queue.purge(), 0);
      assertStrictEquals(queue.trySend("again"), true, "no slot is lost");
    } finally {
      SharedMailbox.unlink(queueName);
    }
  });
}

fullTest(
  "MailboxBox that is released while its message waits for room does not go with it",
  async ({ queue, mailbox, other }) => {
    const box = await mailbox.acquire(1);
    const sending = mailbox.send(box);
    box.release();
    using next = await other.acquire(1);
    next.bytes[0] = 5;
    queue.tryReceive();
    await assertRejectsMatching(() => sending, { name: "BadResource", message: /^send a box: / });
    assertStrictEquals(mailbox.tryAcquire(1), undefined, "it is the other's");
    assertStrictEquals(next.bytes[0], 5);
  },
);

fullTest("MailboxBox goes with one message only", async ({ queue, mailbox, other }) => {
  const box = await mailbox.acquire(1);
  const sends = Promise.allSettled([mailbox.send(box, "1"), mailbox.send(box, "2")]);
  queue.tryReceive();
  const first = await queue.reserve();
  assert(mailbox.open(first) !== undefined);
  first.ack();
  const results = await sends;
  assertEquals(results.map(({ status }) => status), ["fulfilled", "rejected"]);
  assertStrictEquals(other.freeCount, 1);
});

fullTest(
  "MailboxBox of a mailbox that is closed while its message waits for room does not go",
  async ({ queue, mailbox, other }) => {
    const sending = other.send(await other.acquire(1));
    other.close();
    queue.tryReceive();
    await assertRejects(() => sending, Deno.errors.BadResource);
    assertStrictEquals(mailbox.freeCount, 1);
  },
);

fullTest("MailboxBox that came with a message goes with no other", async ({ queue, mailbox, other }) => {
  queue.tryReceive();
  await mailbox.send(await mailbox.acquire(1));
  using delivery = await queue.reserve();
  const box = mailbox.open(delivery);
  assert(box !== undefined);
  await assertRejects(() => mailbox.send(box), Deno.errors.BadResource);
  await assertRejects(() => other.send(box), TypeError);
  box.release();
  assertStrictEquals(box.bytes.length, 1);
  delivery.ack();
  assertThrows(() => box.bytes, Deno.errors.BadResource);
});
