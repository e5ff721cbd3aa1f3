import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { DeadLetters } from "../../../src/ipc/queue/dead_letters.ts";
import { COUNTER, WORD } from "../../../src/ipc/queue/layout.ts";
import { OwnSlots } from "../../../src/ipc/queue/own_slots.ts";
import type { QueueMemory } from "../../../src/ipc/queue/queue_memory.ts";
import { QUEUE_WAIT_MS_MAX, type QueueCreateOptions, SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, HastyClock, QueueNames, reopened } from "./support.ts";

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
  assertStrictEquals(queue.tryReserve(), undefined);
}

deadTest(
  "DeadLetters.tryReserve() and receive() give the oldest, and say how often it was delivered",
  {},
  async (queue, other) => {
    assertStrictEquals(other.deadLetters.tryReceive(), undefined);
    const waiting = other.deadLetters.receive();
    bury(queue, "a");
    assertStrictEquals((await waiting).text(), "a");
    bury(queue, "b");
    bury(queue, "c");
    const first = other.deadLetters.tryReserve();
    assertEquals([first?.message.text(), first?.message.redeliveryCount, first?.isRequest], [
      "b",
      1,
      false,
    ]);
    assertStrictEquals(queue.deadLetters.tryReceive()?.text(), "c");
    first?.nack();
    assertStrictEquals(queue.deadLetters.tryReceive()?.text(), "b");
    await assertRejectsMatching(() => other.deadLetters.receive({ timeoutMs: 5 }), { name: "TimeoutError" });
  },
);

deadTest("DeadLetters.redeliver() sends countMax of them on their way again, where they were sent to", {
  priorities: 2,
}, (queue, other) => {
  for (const priority of [1, 0, 1]) {
    queue.trySend(`${priority}`, { priority });
    queue.tryReserve()?.nack();
    assertStrictEquals(queue.tryReserve(), undefined);
  }
  // No more than a quarter of the capacity is kept.
  assertStrictEquals(queue.status().deadLetterCount, 2);
  assertEquals([other.deadLetters.redeliver(0), other.deadLetters.redeliver(1)], [0, 1]);
  assertEquals([other.deadLetters.redeliver(), other.deadLetters.redeliver()], [1, 0]);
  const seen = [queue.tryReceive(), queue.tryReceive()];
  assertEquals(seen.map((message) => [message?.text(), message?.priority]), [["0", 0], ["1", 1]]);
});

deadTest(
  "DeadLetters.redeliver() refuses what is no number of dead letters, and leaves them",
  {},
  (queue) => {
    bury(queue, "dead");
    for (const countMax of [-1, NaN]) {
      assertThrowsMatching(() => queue.deadLetters.redeliver(countMax), {
        name: "RangeError",
        message: `redeliver dead letters of queue ${queue.name}: countMax is ${countMax}, expected 0 or more`,
      });
    }
    assertStrictEquals(queue.status().deadLetterCount, 1);
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
    assertStrictEquals(held?.message.text(), "one");
    assertStrictEquals(queue.deadLetters.redeliver(), 1);
    assertStrictEquals(queue.tryReserve(), undefined, "one message of a partition at a time");
    held?.ack();
    assertStrictEquals(queue.tryReceive()?.text(), "two");
    assertStrictEquals(queue.tryReceive()?.text(), "dead");
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
    assertEquals([isAwaited(WORD.items), isAwaited(WORD.deadLetters)], [false, true]);
    other.trySend(new Uint8Array([3]), { lane: 0, flags: 0, expiresMs: 0 });
    other.giveBack(other.reserve()?.slot ?? -1);
    // It was delivered as often as it may be: who waits for dead letters is told, and need not wait for another delivery.
    assertStrictEquals(word(WORD.deadLetters), 1);
    assertStrictEquals((await waiting).data[0], 3);
    core.close();
    other.close();
  },
);

/** Has one opener bury at the moment in which another, that buries too, takes or lets go of a slot for the `turn`th time. */
function deadLettersOfTwo(kept: number, turn: number): { letters: number[]; dropped: number } {
  const { memory } = fakeMemory({
    capacity: 8,
    messageBytesMax: 8,
    deliveryCountMax: 1,
    deadLetterCountMax: 2,
  });
  using stack = new DisposableStack();
  const open = (memory: QueueMemory) =>
    stack.adopt(new QueueCore(memory, { native: false }), (core) => core.close());
  const [one, other] = [open(memory), open(reopened(memory).memory)];
  const spend = (core: QueueCore, number: number): void => {
    core.trySend(new Uint8Array([number]), { lane: 0, flags: 0, expiresMs: 0 });
    core.giveBack(core.take("messages"));
  };
  for (let number = 0; number < kept; number++) {
    spend(one, number);
    one.receiver.burySpent();
  }
  const { reserve, leave } = OwnSlots.prototype;
  let turns = 0;
  const interrupt = <A extends [number, number, ...number[]]>(step: (...args: A) => boolean) =>
    function (this: OwnSlots, ...args: A): boolean {
      if (++turns === turn) {
        spend(other, 11);
        other.receiver.take("messages", true);
      }
      return step.apply(this, args);
    };
  spend(one, 10);
  OwnSlots.prototype.reserve = interrupt(reserve);
  OwnSlots.prototype.leave = interrupt(leave);
  try {
    one.receiver.burySpent();
  } finally {
    Object.assign(OwnSlots.prototype, { reserve, leave });
  }
  assert(turns >= turn, "there is such a moment");
  const dropped = one.participants.total(COUNTER.dropped);
  const letters: number[] = [];
  const dead = new DeadLetters(one);
  for (let next = dead.tryReceive(); next !== undefined; next = dead.tryReceive()) letters.push(next.data[0]);
  return { letters: letters.sort(), dropped };
}

nativeTest(
  "DeadLetters are no more than deadLetterCountMax, and no fewer, when two openers bury at once",
  () => {
    using _ = new HastyClock();
    for (const [kept, turns] of [[0, 2], [1, 2], [2, 4]] as const) {
      for (let turn = 2; turn <= turns; turn++) {
        const { letters, dropped } = deadLettersOfTwo(kept, turn);
        assertEquals([letters.length, dropped], [2, kept], `${kept} kept, turn ${turn}: ${letters}`);
      }
    }
  },
);

deadTest("DeadLetters wait for nothing once the queue is closed", {}, async (queue, other) => {
  const waiting = other.deadLetters.receive();
  other.close();
  await assertRejects(() => waiting, Deno.errors.BadResource);
  for (const call of [() => other.deadLetters.tryReceive(), () => other.deadLetters.redeliver()]) {
    assertThrows(call, Deno.errors.BadResource);
  }
  bury(queue, "a");
  await new Promise((resolve) => setTimeout(resolve, QUEUE_WAIT_MS_MAX));
  assertStrictEquals(queue.deadLetters.tryReceive()?.text(), "a");
});
