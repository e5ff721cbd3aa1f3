import assert from "node:assert/strict";
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
    assert.equal(mailbox.tryAcquire(1), undefined);
    box.bytes.fill(5);
    await mailbox.send(box, "with a word");
    assert.throws(() => box.bytes, Deno.errors.BadResource);
    await assert.rejects(mailbox.send(box), Deno.errors.BadResource);
    const delivery = await otherQueue.reserve();
    const received = other.open(delivery);
    assert.equal(delivery.message.text(), "with a word");
    assert.ok(received?.bytes.length === MIB && received.bytes.every((byte) => byte === 5));
    assert.equal(mailbox.freeCount, 0);
    delivery.ack();
    assert.throws(() => received.bytes, Deno.errors.BadResource);
    assert.equal(mailbox.freeCount, 1);
    queue.trySend("without");
    assert.equal(other.open(await otherQueue.reserve()), undefined);
  },
);

mailboxTest(
  "SharedMailbox.tryAcquire() takes the smallest box that has room",
  { 1: 1, 2: 1, 5: 1 },
  ({ mailbox, other }) => {
    assert.deepEqual(mailbox.sizes, [MIB, 2 * MIB, 5 * MIB]);
    using two = mailbox.tryAcquire(2 * MIB);
    using one = other.tryAcquire(10);
    assert.equal(one?.bytes.length, 10);
    assert.equal(two?.bytes.length, 2 * MIB);
    const last = other.tryAcquire(1);
    assert.equal(mailbox.tryAcquire(1), undefined);
    last?.release();
    last?.release();
    assert.equal(mailbox.freeCount, 1);
    assert.throws(() => mailbox.tryAcquire(5 * MIB + 1), RangeError);
    assert.throws(() => mailbox.tryAcquire(-1), RangeError);
  },
);

mailboxTest(
  "SharedMailbox.acquire() waits until a box is free",
  { 1: 1 },
  async ({ mailbox, otherQueue, other }) => {
    const box = await mailbox.acquire(1);
    const waiting = other.acquire(1);
    await assert.rejects(other.acquire(1, { timeoutMs: 5 }), { name: "TimeoutError" });
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
  assert.throws(() => seen?.bytes, Deno.errors.BadResource);
  const second = await queue.reserve();
  assert.deepEqual([...mailbox.open(second)?.bytes ?? []], [1, 2, 3]);
  assert.throws(() => other.open(second), TypeError);
  second.nack();
  assert.equal(queue.tryReserve(), undefined);
  assert.equal(mailbox.freeCount, 0);
  const dead = queue.deadLetters.tryReserve();
  assert.ok(dead !== undefined);
  assert.deepEqual([...mailbox.open(dead)?.bytes ?? []], [1, 2, 3]);
  dead.ack();
  assert.equal(mailbox.freeCount, 1);
});

mailboxTest(
  "SharedMailbox: the box of a message that expired or was received without it is free",
  { 1: 2 },
  async (opened) => {
    const { queue, mailbox, otherQueue } = opened;
    await mailbox.send(await mailbox.acquire(1), "a", { expiresAfterMs: 1 });
    await mailbox.send(await mailbox.acquire(1), "b");
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(otherQueue.tryReceive()?.text(), "b");
    assert.equal(queue.tryReceive(), undefined);
    assert.equal(mailbox.freeCount, 2);
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
    assert.equal(bytes.length, 0);
    kept.release();
    assert.throws(() => kept.bytes, Deno.errors.BadResource);
    assert.throws(() => other.tryAcquire(1), Deno.errors.BadResource);
    assert.equal(mailbox.freeCount, 1, "what was sent is the message's");
    using again = SharedMailbox.connect(otherQueue);
    assert.throws(() => SharedMailbox.connect(otherQueue), Deno.errors.Busy);
    assert.equal(again.freeCount, 1);
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
    await assert.rejects(waiting, Deno.errors.BadResource);
    assert.equal(mailbox.freeCount, 1);
    assert.throws(() => kept.bytes, Deno.errors.BadResource);
    // Who comes next has the number of who has gone, and keeps its boxes when that one closes at last.
    using thirdQueue = SharedQueue.connect(queue.name);
    using third = SharedMailbox.connect(thirdQueue);
    const box = await third.acquire(1);
    box.bytes[0] = 7;
    other.close();
    assert.equal(mailbox.tryAcquire(1), undefined);
    await third.send(box);
    using delivery = await queue.reserve();
    assert.deepEqual([...mailbox.open(delivery)?.bytes ?? []], [7]);
    last.release();
    delivery.ack();
    // A sleep in the kernel that was under way has ended by now.
    await new Promise((resolve) => setTimeout(resolve, 2 * QUEUE_WAIT_MS_MAX));
    assert.equal(mailbox.freeCount, 2);
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
  assert.equal(mailbox.freeCount, 0);
  child.kill("SIGKILL");
  await child.ended();
  assert.equal(mailbox.freeCount, 2);
  using delivery = await otherQueue.reserve();
  assert.deepEqual([...other.open(delivery)?.bytes ?? []], [1, 2, 3, 4]);
  delivery.ack();
  assert.equal(mailbox.freeCount, 3);
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
    assert.throws(() => SharedMailbox.create(queue, { boxes }), {
      name: "RangeError",
      message: /^create mailbox: /,
    });
    assert.throws(() => SharedMailbox.connect(queue), {
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
  assert.throws(() => SharedMailbox.create(other, { boxes: { 1: 1 } }), {
    name: "AlreadyExists",
    message: `create the mailbox of queue ${name}: it exists already`,
  });
  SharedMailbox.unlink(name);
  assert.throws(() => SharedMailbox.create(queue, { boxes: { 1: 1 } }), Deno.errors.Busy);
  assert.deepEqual(SharedMemory.list({ prefix: `mailbox.${name}` }), []);
  assert.equal(mailbox.freeCount, 1);
});

nativeTest("SharedMailbox goes with its queue's name, and is not that of a later queue of the name", () => {
  using names = new QueueNames();
  const name = names.next();
  using queue = SharedQueue.create(name, { capacity: 1, messageBytesMax: 1 });
  using mailbox = SharedMailbox.create(queue, { boxes: { 1: 1 } });
  SharedMemory.unlink(`queue.${name}`);
  using later = SharedQueue.create(name, { capacity: 1, messageBytesMax: 1 });
  assert.throws(() => SharedMailbox.connect(later), {
    name: "NotFound",
    message: /there is none but that of another queue of the same name$/,
  });
  assert.equal(mailbox.freeCount, 1);
  SharedQueue.unlink(name);
  assert.deepEqual(SharedMemory.list({ prefix: `mailbox.${name}` }), []);
  later.close();
  assert.throws(() => SharedMailbox.create(later, { boxes: { 1: 1 } }), Deno.errors.BadResource);
});
