import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import {
  type MailboxOptions,
  QUEUE_WAIT_MS_MAX,
  SharedMailbox,
  SharedQueue,
} from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { startProgram } from "../../support/net_child.ts";
import { QUEUE_URL, QueueNames } from "./support.ts";

nameSkipReason("SharedMailbox", nativeSkipReason());

const MIB = 2 ** 20;

/** A queue and its mailbox, each opened twice. */
interface Opened {
  readonly queue: SharedQueue;
  readonly mailbox: SharedMailbox;
  readonly otherQueue: SharedQueue;
  readonly other: SharedMailbox;
}

function mailboxTest(
  name: string,
  boxes: MailboxOptions["boxes"],
  body: (opened: Opened) => Promise<void> | void,
): void {
  nativeTest(name, async () => {
    using names = new QueueNames();
    const queueName = names.next();
    using queue = SharedQueue.create(queueName, { capacity: 8, messageBytesMax: 100, deliveryCountMax: 2 });
    using mailbox = SharedMailbox.create(queue, { boxes });
    try {
      using otherQueue = SharedQueue.connect(queueName);
      using other = SharedMailbox.connect(otherQueue);
      await body({ queue, mailbox, otherQueue, other });
    } finally {
      SharedMailbox.unlink(queueName);
    }
  });
}

mailboxTest(
  "SharedMailbox hands boxes over by messages, and frees them when these are done",
  { 1: 1 },
  async (opened) => {
    const { queue, mailbox, otherQueue, other } = opened;
    const box = await mailbox.acquire(MIB);
    assertStrictEquals(mailbox.tryAcquire(1), undefined);
    box.bytes.fill(5);
    await mailbox.send(box, "with a word");
    assertThrows(() => box.bytes, Deno.errors.BadResource);
    await assertRejects(() => mailbox.send(box), Deno.errors.BadResource);
    const delivery = await otherQueue.reserve();
    const received = other.open(delivery);
    assertStrictEquals(delivery.message.text(), "with a word");
    assert(received?.bytes.length === MIB && received.bytes.every((byte) => byte === 5));
    assertStrictEquals(mailbox.freeCount, 0);
    delivery.ack();
    assertThrows(() => received.bytes, Deno.errors.BadResource);
    assertStrictEquals(mailbox.freeCount, 1);
    queue.trySend("without");
    assertStrictEquals(other.open(await otherQueue.reserve()), undefined);
  },
);

mailboxTest(
  "SharedMailbox.tryAcquire() takes the smallest box that has room",
  { 1: 1, 2: 1, 5: 1 },
  ({ mailbox, other }) => {
    assertEquals(mailbox.sizes, [MIB, 2 * MIB, 5 * MIB]);
    using two = mailbox.tryAcquire(2 * MIB);
    using one = other.tryAcquire(10);
    assertStrictEquals(one?.bytes.length, 10);
    assertStrictEquals(two?.bytes.length, 2 * MIB);
    const last = other.tryAcquire(1);
    assertStrictEquals(mailbox.tryAcquire(1), undefined);
    last?.release();
    last?.release();
    assertStrictEquals(mailbox.freeCount, 1);
    assertThrows(() => mailbox.tryAcquire(5 * MIB + 1), RangeError);
    assertThrows(() => mailbox.tryAcquire(-1), RangeError);
  },
);

mailboxTest(
  "SharedMailbox.acquire() waits until a box is free",
  { 1: 1 },
  async ({ mailbox, otherQueue, other }) => {
    const box = await mailbox.acquire(1);
    const waiting = other.acquire(1);
    await assertRejectsMatching(() => other.acquire(1, { timeoutMs: 5 }), { name: "TimeoutError" });
    await mailbox.send(box);
    (await otherQueue.reserve()).ack();
    (await waiting).release();
  },
);

mailboxTest("SharedMailbox: a box goes with its message to the next consumer, and with the dead letter", {
  1: 1,
}, async (opened) => {
  const { queue, mailbox, otherQueue, other } = opened;
  const box = await mailbox.acquire(3);
  box.bytes.set([1, 2, 3]);
  await mailbox.send(box);
  const first = await otherQueue.reserve();
  const seen = other.open(first);
  first.nack();
  assertThrows(() => seen?.bytes, Deno.errors.BadResource);
  const second = await queue.reserve();
  assertEquals([...mailbox.open(second)?.bytes ?? []], [1, 2, 3]);
  assertThrows(() => other.open(second), TypeError);
  second.nack();
  assertStrictEquals(queue.tryReserve(), undefined);
  assertStrictEquals(mailbox.freeCount, 0);
  const dead = queue.deadLetters.tryReserve();
  assert(dead !== undefined);
  assertEquals([...mailbox.open(dead)?.bytes ?? []], [1, 2, 3]);
  dead.ack();
  assertStrictEquals(mailbox.freeCount, 1);
});

mailboxTest(
  "SharedMailbox: the box of a message that expired or was received without it is free",
  { 1: 2 },
  async (opened) => {
    const { queue, mailbox, otherQueue } = opened;
    await mailbox.send(await mailbox.acquire(1), "a", { expiresAfterMs: 1 });
    await mailbox.send(await mailbox.acquire(1), "b");
    await new Promise((resolve) => setTimeout(resolve, 5));
    assertStrictEquals(otherQueue.tryReceive()?.text(), "b");
    assertStrictEquals(queue.tryReceive(), undefined);
    assertStrictEquals(mailbox.freeCount, 2);
  },
);

mailboxTest(
  "SharedMailbox.close() frees what was not sent, and empties its views",
  { 1: 2 },
  async ({ mailbox, otherQueue, other }) => {
    const kept = await other.acquire(10);
    const { bytes } = kept;
    await other.send(await other.acquire(1));
    other.close();
    other.close();
    assertStrictEquals(bytes.length, 0);
    kept.release();
    assertThrows(() => kept.bytes, Deno.errors.BadResource);
    assertThrows(() => other.tryAcquire(1), Deno.errors.BadResource);
    assertStrictEquals(mailbox.freeCount, 1, "what was sent is the message's");
    using again = SharedMailbox.connect(otherQueue);
    assertThrows(() => SharedMailbox.connect(otherQueue), Deno.errors.Busy);
    assertStrictEquals(again.freeCount, 1);
  },
);

mailboxTest(
  "SharedMailbox ends with its queue: calls that wait reject, and its boxes are free",
  { 1: 2 },
  async ({ queue, mailbox, otherQueue, other }) => {
    const kept = await other.acquire(1);
    const last = await mailbox.acquire(1);
    const waiting = other.acquire(1);
    otherQueue.close();
    await assertRejects(() => waiting, Deno.errors.BadResource);
    assertStrictEquals(mailbox.freeCount, 1);
    assertThrows(() => kept.bytes, Deno.errors.BadResource);
    // Who comes next has the number of who has gone, and keeps its boxes when that one closes at last.
    using thirdQueue = SharedQueue.connect(queue.name);
    using third = SharedMailbox.connect(thirdQueue);
    const box = await third.acquire(1);
    box.bytes[0] = 7;
    other.close();
    assertStrictEquals(mailbox.tryAcquire(1), undefined);
    await third.send(box);
    using delivery = await queue.reserve();
    assertEquals([...mailbox.open(delivery)?.bytes ?? []], [7]);
    last.release();
    delivery.ack();
    // A sleep in the kernel that was under way has ended by now.
    await new Promise((resolve) => setTimeout(resolve, 2 * QUEUE_WAIT_MS_MAX));
    assertStrictEquals(mailbox.freeCount, 2);
  },
);

mailboxTest("SharedMailbox: the boxes of a process that is killed are free, what it sent is not lost", {
  1: 2,
  2: 1,
}, async (opened) => {
  const { mailbox, otherQueue, other } = opened;
  await using child = await startProgram(`
    import { SharedMailbox, SharedQueue } from ${QUEUE_URL};
    const queue = SharedQueue.connect("${otherQueue.name}");
    const mailbox = SharedMailbox.connect(queue);
    const box = await mailbox.acquire(4);
    box.bytes.set([1, 2, 3, 4]);
    await mailbox.send(box);
    await mailbox.acquire(1);
    await mailbox.acquire(2 * 2 ** 20);
    console.log("ready");
    setInterval(() => {}, 1000);
  `);
  await child.says(/ready/);
  assertStrictEquals(mailbox.freeCount, 0);
  child.kill("SIGKILL");
  await child.ended();
  assertStrictEquals(mailbox.freeCount, 2);
  using delivery = await otherQueue.reserve();
  assertEquals([...other.open(delivery)?.bytes ?? []], [1, 2, 3, 4]);
  delivery.ack();
  assertStrictEquals(mailbox.freeCount, 3);
});

for (
  const [what, boxes] of Object.entries({
    "no boxes": {},
    "other sizes": { 3: 1 } as MailboxOptions["boxes"],
    "too many": { 1: 1025 },
    "half a box": { 1: 0.5 },
    "more than memory can be": { 100: 41 },
  })
) {
  nativeTest(`SharedMailbox.create() refuses ${what}`, () => {
    using names = new QueueNames();
    using queue = SharedQueue.create(names.next(), { capacity: 1, messageBytesMax: 1 });
    assertThrowsMatching(() => SharedMailbox.create(queue, { boxes }), {
      name: "RangeError",
      message: /^create mailbox: /,
    });
    assertThrowsMatching(() => SharedMailbox.connect(queue), {
      name: "NotFound",
      message: `connect to the mailbox of queue ${queue.name}: there is none`,
    });
  });
}

nativeTest("SharedMailbox.create() refuses a second one, and leaves nothing behind", () => {
  using names = new QueueNames();
  const name = names.next();
  using queue = SharedQueue.create(name, { capacity: 1, messageBytesMax: 1 });
  using other = SharedQueue.connect(name);
  using mailbox = SharedMailbox.create(queue, { boxes: { 1: 1 } });
  assertThrowsMatching(() => SharedMailbox.create(other, { boxes: { 1: 1 } }), {
    name: "AlreadyExists",
    message: `create the mailbox of queue ${name}: it exists already`,
  });
  SharedMailbox.unlink(name);
  assertThrows(() => SharedMailbox.create(queue, { boxes: { 1: 1 } }), Deno.errors.Busy);
  assertEquals(SharedMemory.list({ prefix: `mailbox.${name}` }), []);
  assertStrictEquals(mailbox.freeCount, 1);
});

nativeTest("SharedMailbox goes with its queue's name, and is not that of a later queue of the name", () => {
  using names = new QueueNames();
  const name = names.next();
  using queue = SharedQueue.create(name, { capacity: 1, messageBytesMax: 1 });
  using mailbox = SharedMailbox.create(queue, { boxes: { 1: 1 } });
  SharedMemory.unlink(`queue.${name}`);
  using later = SharedQueue.create(name, { capacity: 1, messageBytesMax: 1 });
  assertThrowsMatching(() => SharedMailbox.connect(later), {
    name: "NotFound",
    message: /there is none but that of another queue of the same name$/,
  });
  assertStrictEquals(mailbox.freeCount, 1);
  SharedQueue.unlink(name);
  assertEquals(SharedMemory.list({ prefix: `mailbox.${name}` }), []);
  later.close();
  assertThrows(() => SharedMailbox.create(later, { boxes: { 1: 1 } }), Deno.errors.BadResource);
});
