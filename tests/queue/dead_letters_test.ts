import assert from "node:assert/strict";
import { QueueCore } from "../../src/queue/_core.ts";
import { DeadLetters } from "../../src/queue/dead_letters.ts";
import { WORD } from "../../src/queue/layout.ts";
import { QUEUE_WAIT_MS_MAX, type QueueCreateOptions, SharedQueue } from "../../src/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../support/driver_native.ts";
import { fakeMemory, QueueNames, reopened } from "./_support.ts";

nameSkipReason("DeadLetters", nativeSkipReason());

function deadTest(
  name: string,
  options: QueueCreateOptions,
  body: (queue: SharedQueue, other: SharedQueue) => Promise<void> | void,
): void {
  nativeTest(name, async () => {
    using names = new QueueNames();
    const queueName = names.next();
    using queue = SharedQueue.create(queueName, {
      capacity: 8,
      messageBytesMax: 100,
      deliveryCountMax: 1,
      ...options,
    });
    using other = SharedQueue.connect(queueName);
    await body(queue, other);
  });
}

/** Sends a message and has it buried. */
function bury(queue: SharedQueue, text: string, key?: string): void {
  queue.trySend(text, key === undefined ? {} : { key });
  queue.tryReserve()?.nack();
  assert.equal(queue.tryReserve(), undefined);
}

deadTest(
  "DeadLetters.tryReserve() and receive() give the oldest, and say how often it was delivered",
  {},
  async (queue, other) => {
    assert.equal(other.deadLetters.tryReceive(), undefined);
    const waiting = other.deadLetters.receive();
    bury(queue, "a");
    assert.equal((await waiting).text(), "a");
    bury(queue, "b");
    bury(queue, "c");
    const first = other.deadLetters.tryReserve();
    assert.deepEqual([first?.message.text(), first?.message.redeliveryCount, first?.isRequest], [
      "b",
      1,
      false,
    ]);
    assert.equal(queue.deadLetters.tryReceive()?.text(), "c");
    first?.nack();
    assert.equal(queue.deadLetters.tryReceive()?.text(), "b");
    await assert.rejects(other.deadLetters.receive({ timeoutMs: 5 }), { name: "TimeoutError" });
  },
);

deadTest("DeadLetters.redeliver() sends countMax of them on their way again, where they were sent to", {
  priorities: 2,
}, (queue, other) => {
  for (const priority of [1, 0, 1]) {
    queue.trySend(`${priority}`, { priority });
    queue.tryReserve()?.nack();
    assert.equal(queue.tryReserve(), undefined);
  }
  // No more than a quarter of the capacity is kept.
  assert.equal(queue.status().deadLetterCount, 2);
  assert.deepEqual([other.deadLetters.redeliver(0), other.deadLetters.redeliver(1)], [0, 1]);
  assert.deepEqual([other.deadLetters.redeliver(), other.deadLetters.redeliver()], [1, 0]);
  const seen = [queue.tryReceive(), queue.tryReceive()];
  assert.deepEqual(seen.map((message) => [message?.text(), message?.priority]), [["0", 0], ["1", 1]]);
});

deadTest(
  "DeadLetters.redeliver() refuses what is no number of dead letters, and leaves them",
  {},
  (queue) => {
    bury(queue, "dead");
    for (const countMax of [-1, NaN]) {
      assert.throws(() => queue.deadLetters.redeliver(countMax), {
        name: "RangeError",
        message: `redeliver dead letters: countMax is ${countMax}, expected 0 or more`,
      });
    }
    assert.equal(queue.status().deadLetterCount, 1);
  },
);

deadTest(
  "DeadLetters.redeliver() leaves a partition to who has a message of it",
  { partitions: 2 },
  (queue, other) => {
    bury(queue, "dead", "k");
    queue.trySend("one", { key: "k" });
    queue.trySend("two", { key: "k" });
    using held = other.tryReserve();
    assert.equal(held?.message.text(), "one");
    assert.equal(queue.deadLetters.redeliver(), 1);
    assert.equal(queue.tryReserve(), undefined, "one message of a partition at a time");
    held?.ack();
    assert.equal(queue.tryReceive()?.text(), "two");
    assert.equal(queue.tryReceive()?.text(), "dead");
  },
);

nativeTest(
  "DeadLetters.receive() sleeps apart from who waits for messages, and is woken by what is buried",
  async () => {
    const { memory } = fakeMemory({ capacity: 4, messageBytesMax: 8, deliveryCountMax: 1 });
    const core = new QueueCore(memory);
    const other = new QueueCore(reopened(memory).memory);
    const waiting = new DeadLetters(core).receive();
    await Promise.resolve();
    const word = (at: number): number => memory.words[at];
    const isAwaited = (signal: number): boolean => word(signal + 1) !== word(signal + 2);
    // A message wakes one who sleeps: it must not be one who has no use for it.
    assert.deepEqual([isAwaited(WORD.items), isAwaited(WORD.deadLetters)], [false, true]);
    other.trySend(new Uint8Array([3]), { lane: 0, flags: 0, expiresMs: 0 });
    other.giveBack(other.reserve()?.slot ?? -1);
    // It was delivered as often as it may be: who waits for dead letters is told, and need not wait for another delivery.
    assert.equal(word(WORD.deadLetters), 1);
    assert.equal((await waiting).data[0], 3);
    core.close();
    other.close();
  },
);

deadTest("DeadLetters wait for nothing once the queue is closed", {}, async (queue, other) => {
  const waiting = other.deadLetters.receive();
  other.close();
  await assert.rejects(waiting, Deno.errors.BadResource);
  for (const call of [() => other.deadLetters.tryReceive(), () => other.deadLetters.redeliver()]) {
    assert.throws(call, Deno.errors.BadResource);
  }
  bury(queue, "a");
  await new Promise((resolve) => setTimeout(resolve, QUEUE_WAIT_MS_MAX));
  assert.equal(queue.deadLetters.tryReceive()?.text(), "a");
});
