import { assert, assertEquals, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { FLAG, PARTICIPANT, participantAt, RECORD, repliesOf, WORD } from "../../../src/ipc/queue/layout.ts";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { SharedMailbox, SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { Notifier } from "../../../src/ipc/sharing/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, HastyClock, QueueNames, reopened } from "./support.ts";

nameSkipReason("Who waits for a box, or for a reply", nativeSkipReason());

const MESSAGE = new Uint8Array([1]);
const PLAIN = { lane: 0, flags: 0, expiresMs: 0 };

/** All ways in which the one message of a queue goes away. */
const WAYS: Record<string, (core: QueueCore) => unknown> = {
  "receive()": (core) => core.receive(),
  "receiveMany()": (core) => core.receiveMany([], 4),
  "drainInPlace()": (core) => core.drainInPlace(() => {}, 4),
  "reserve() and ack()": (core) => core.ack(core.reserve()?.slot ?? fail("there is no message")),
  "dropOldest()": (core) => core.dropOldest(),
  "purge()": (core) => core.purge(),
  "its time": (core) => {
    core.memory.floats[core.memory.recordOf(0) + RECORD.expiresMs >> 1] = 1;
    core.receive();
  },
  "room for another": (core) => {
    core.memory.floats[core.memory.recordOf(0) + RECORD.expiresMs >> 1] = 1;
    core.freeExpired();
  },
  "too many deliveries": (core) => {
    core.memory.words[core.memory.recordOf(0) + RECORD.deliveryCount] = 9;
    core.receive();
  },
};

/** Checks for each way, with native code and without, what one opener is told that has sent the message, and sleeps on a signal. */
function waysTest(
  name: string,
  signalOf: (core: QueueCore) => number,
  send: (core: QueueCore) => number,
  check: (told: { core: QueueCore; way: string; isTold: boolean }) => void,
): void {
  for (const native of [true, false]) {
    nativeTest(`${name} (${native ? "native code" : "TypeScript"})`, () => {
      using _ = new HastyClock();
      for (const [way, goes] of Object.entries(WAYS)) {
        const shape = { capacity: 1, messageBytesMax: 8, deliveryCountMax: 9, deadLetterCountMax: 0 };
        const { memory } = fakeMemory(shape);
        const core = new QueueCore(memory, { native });
        const other = new QueueCore(reopened(memory).memory, { native });
        assertStrictEquals(send(core), 0);
        const at = signalOf(core);
        new Notifier(memory.words, at).arm();
        const before = memory.words[at];
        goes(other);
        check({ core, way, isTold: memory.words[at] !== before });
        core.close();
        other.close();
      }
    });
  }
}

waysTest(
  "Who waits for a box is told when its message is no more, by who has no mailbox open, too",
  () => WORD.boxes,
  (core) => {
    const box = { box: 0, generation: 1, check: () => {}, go: () => {} };
    return core.trySend(MESSAGE, { ...PLAIN, box });
  },
  ({ way, isTold }) => assertStrictEquals(isTold, true, way),
);

waysTest(
  "Who waits for a reply is told when its request is no more, and to look at all of them",
  (core) => repliesOf(core.participants.number),
  (core) => core.trySend(MESSAGE, { ...PLAIN, flags: FLAG.request }),
  ({ core, way, isTold }) => {
    assertStrictEquals(isTold, true, way);
    assertEquals([...core.replyHints.due()], [0], way);
    assertEquals([...core.replyHints.due()], [], way);
  },
);

nativeTest("Who waits for a reply is told when its request becomes a dead letter", () => {
  const { memory } = fakeMemory({
    capacity: 2,
    messageBytesMax: 8,
    deliveryCountMax: 1,
    deadLetterCountMax: 1,
  });
  const core = new QueueCore(memory);
  const other = new QueueCore(reopened(memory).memory);
  core.trySend(MESSAGE, { ...PLAIN, flags: FLAG.request });
  other.giveBack(other.reserve()?.slot ?? fail("there is no message"));
  assertEquals([...core.replyHints.due()], []);
  assertStrictEquals(other.receive(), undefined);
  assertEquals([...core.replyHints.due()], [0]);
});

nativeTest("Who waits for a reply is told of no request of its predecessor", () => {
  const { memory } = fakeMemory({ capacity: 2, messageBytesMax: 8 });
  const core = new QueueCore(memory);
  const lost = (participantAt(core.participants.number) >> 2) + PARTICIPANT.lost;
  core.close();
  memory.words[lost] = 1;
  new QueueCore(reopened(memory).memory);
  assertStrictEquals(memory.words[lost], 0);
});

nativeTest(
  "SharedQueue.drainInPlace() frees the box of a message, and gives back one whose handler throws",
  async () => {
    using names = new QueueNames();
    using queue = SharedQueue.create(names.next(), { capacity: 4, messageBytesMax: 8 });
    using mailbox = SharedMailbox.create(queue, { boxes: { 1: 1 } });
    await mailbox.send(await mailbox.acquire(1), "a");
    assertThrows(() =>
      queue.drainInPlace(() => {
        throw new Error("no");
      })
    );
    assertEquals([queue.status().readyCount, mailbox.freeCount], [1, 0]);
    const counts: number[] = [];
    assertStrictEquals(
      queue.drainInPlace((_bytes, _at, _length, redeliveryCount) => counts.push(redeliveryCount)),
      1,
    );
    const { readyCount, reservedCount } = queue.status();
    assertEquals([counts, readyCount, reservedCount, mailbox.freeCount], [[1], 0, 0, 1]);
  },
);

nativeTest(
  "SharedMailbox.tryAcquire() gives a box whose message is too old, though nobody came to look at it",
  async () => {
    using names = new QueueNames();
    using queue = SharedQueue.create(names.next(), { capacity: 4, messageBytesMax: 8 });
    using mailbox = SharedMailbox.create(queue, { boxes: { 1: 1 } });
    await mailbox.send(await mailbox.acquire(1), "a", { expiresAfterMs: 3_600_000 });
    assertStrictEquals(mailbox.tryAcquire(1), undefined);
    const { now } = Date;
    try {
      Date.now = () => now() + 7_200_000;
      assert(mailbox.tryAcquire(1) !== undefined);
    } finally {
      Date.now = now;
    }
    assertStrictEquals(queue.status().expiredCount, 1);
  },
);
