import {
  assert,
  assertEquals,
  assertMatch,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import {
  jsonPayload,
  type Message,
  messagePackPayload,
  QUEUE_CAPACITY_MAX,
  QUEUE_MESSAGE_BYTES_MAX,
  QUEUE_NAME_LENGTH_MAX,
  QUEUE_PARTICIPANTS_MAX,
  type QueueCreateOptions,
  SharedQueue,
  SharedQueueFullError,
} from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { startProgram } from "../../support/net_child.ts";
import { QUEUE_URL, QueueNames } from "./support.ts";

nameSkipReason("SharedQueue", nativeSkipReason());

/** A test with a queue of its own, opened twice. */
function queueTest(
  name: string,
  options: QueueCreateOptions,
  body: (queue: SharedQueue, other: SharedQueue) => Promise<void> | void,
): void {
  nativeTest(name, async () => {
    using names = new QueueNames();
    const queueName = names.next();
    using queue = SharedQueue.create(queueName, options);
    using other = SharedQueue.connect(queueName);
    await body(queue, other);
  });
}

const SMALL = { capacity: 4, messageBytesMax: 100 };

function texts(queue: SharedQueue): string[] {
  const found: string[] = [];
  for (let message = queue.tryReceive(); message !== undefined; message = queue.tryReceive()) {
    found.push(message.text());
  }
  return found;
}

queueTest("SharedQueue.trySend() and tryReceive() carry messages in order", SMALL, (queue, other) => {
  assertStrictEquals(other.tryReceive(), undefined);
  for (const text of ["a", "", "c".repeat(100)]) assertStrictEquals(queue.trySend(text), true);
  assertEquals(texts(other), ["a", "", "c".repeat(100)]);
  assertStrictEquals(queue.status().readyCount, 0);
});

queueTest(
  "SharedQueue.trySend() is false when the queue is full, and true again when a message is done",
  SMALL,
  (queue, other) => {
    for (let count = 0; count < 4; count++) assertStrictEquals(queue.trySend(`${count}`), true);
    assertStrictEquals(queue.trySend("5"), false);
    using delivery = other.tryReserve();
    assertStrictEquals(queue.trySend("5"), false, "a message that somebody has takes its place");
    delivery?.ack();
    assertStrictEquals(queue.trySend("5"), true);
  },
);

queueTest(
  "SharedQueue carries bytes as they are, whatever they lie in",
  { messageBytesMax: 70_000 },
  (queue, other) => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index * 7);
    const shared = new Uint8Array(new SharedArrayBuffer(10));
    shared.fill(9);
    for (const sent of [bytes, bytes.subarray(3, 260), bytes.subarray(1, 2100), new Uint8Array(0), shared]) {
      assertStrictEquals(queue.trySend(sent), true);
      assertEquals([...other.tryReceive()?.data ?? []], [...sent]);
    }
  },
);

queueTest(
  "Message.data stays as it was when others are received",
  { messageBytesMax: 3000 },
  (queue, other) => {
    const kept: Message[] = [];
    for (let round = 0; round < 300; round++) {
      queue.trySend(new Uint8Array(round * 10 % 3000).fill(round));
      const message = other.tryReceive();
      if (message !== undefined) kept.push(message);
    }
    assertStrictEquals(kept.length, 300);
    for (const [round, { data }] of kept.entries()) {
      assertStrictEquals(data.length, round * 10 % 3000);
      assert(data.every((byte) => byte === (round & 0xff)));
    }
  },
);

queueTest(
  "SharedQueue.send() resolves to ids that differ and go up within a sender",
  SMALL,
  async (queue, other) => {
    const ids = [await queue.send("a"), await queue.send("b"), await other.send("c")];
    assertStrictEquals(new Set(ids).size, 3);
    assert(ids[1] > ids[0]);
    const received = [other.tryReceive(), other.tryReceive(), queue.tryReceive()];
    assertEquals(received.map((message) => message?.id), ids);
  },
);

queueTest(
  "Message says when it was sent, and reads as text, JSON and MessagePack",
  SMALL,
  async (queue, other) => {
    const beforeMs = Date.now();
    queue.trySend(jsonPayload({ a: [1, "ü"] }));
    queue.trySend(messagePackPayload({ a: [1, new Uint8Array([1])] }));
    const json = await other.receive();
    assert(json.timestampMs >= beforeMs && json.timestampMs <= Date.now());
    assertEquals([json.text(), json.json()], ['{"a":[1,"ü"]}', { a: [1, "ü"] }]);
    assertEquals((await other.receive()).messagePack(), { a: [1, new Uint8Array([1])] });
    assertThrows(() => jsonPayload(undefined), TypeError);
  },
);

queueTest("SharedQueue: who waits in vain, or finds it full, is told which queue", SMALL, async (queue) => {
  const { name } = queue;
  const late = (message: string) => ({ name: "TimeoutError", message: `${message}: not done within 5 ms` });
  await assertRejectsMatching(() => queue.receive({ timeoutMs: 5 }), late(`receive from queue ${name}`));
  await assertRejectsMatching(() => queue.reserve({ timeoutMs: 5 }), late(`reserve from queue ${name}`));
  while (queue.trySend("x"));
  await assertRejectsMatching(() => queue.send("x", { timeoutMs: 5 }), late(`send to queue ${name}`));
  await assertRejectsMatching(() => queue.send("x", { whenFull: "fail" }), {
    name: "SharedQueueFullError",
    message: `send to queue ${name}: the queue is full: it holds ${queue.capacity} messages`,
  });
  await assertRejectsMatching(() => queue.send("x".repeat(queue.messageBytesMax + 1)), {
    name: "RangeError",
    message: `send to queue ${name}: the message has 101 bytes, expected at most 100`,
  });
});

queueTest("SharedQueue.send() waits for room, first come, first served", SMALL, async (queue, other) => {
  for (let count = 0; count < 4; count++) queue.trySend(`${count}`);
  const sent: string[] = [];
  const sends = ["4", "5"].map((text) => queue.send(text).then(() => sent.push(text)));
  assertEquals(sent, []);
  for (let count = 0; count < 6; count++) assertStrictEquals((await other.receive()).text(), `${count}`);
  await Promise.all(sends);
  assertEquals(sent, ["4", "5"]);
});

queueTest("SharedQueue.send() fails or drops the oldest, as whenFull says", SMALL, async (queue, other) => {
  for (let count = 0; count < 4; count++) queue.trySend(`${count}`);
  await assertRejects(() => queue.send("4", { whenFull: "fail" }), SharedQueueFullError);
  await queue.send("4", { whenFull: "drop-oldest" });
  assertStrictEquals(queue.trySend("5", { whenFull: "drop-oldest" }), true);
  assertEquals(texts(other), ["2", "3", "4", "5"]);
  assertStrictEquals(queue.status().droppedCount, 2);
  // deno-lint-ignore no-explicit-any -- what a program in JavaScript may pass
  await assertRejects(() => queue.send("x", { whenFull: "later" as any }), TypeError);
  // deno-lint-ignore no-explicit-any -- the same
  assertThrows(() => queue.trySend("x", { whenFull: "later" as any }), TypeError);
});

queueTest(
  "SharedQueue: calls that wait reject when aborted and when their time is over",
  SMALL,
  async (queue) => {
    const reason = new Error("enough");
    await assertRejectsMatching(() => queue.receive({ timeoutMs: 5 }), { name: "TimeoutError" });
    await assertRejectsMatching(() => queue.reserve({ signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const waiting = queue.receive({ signal: controller.signal });
    controller.abort(reason);
    await assertRejectsMatching(() => waiting, reason);
    await assertRejects(() => queue.receive({ timeoutMs: -1 }), RangeError);
    while (queue.trySend("x"));
    await assertRejectsMatching(() => queue.send("y", { timeoutMs: 5 }), { name: "TimeoutError" });
    assertStrictEquals(queue.status().readyCount, 4);
  },
);

queueTest(
  "SharedQueue.sendMany() and receiveMany() carry many",
  { capacity: 300, messageBytesMax: 1000 },
  async (queue, other) => {
    const sent = Array.from({ length: 1000 }, (_, index) => `${index}`.padEnd(index, "."));
    const sending = queue.sendMany(sent);
    const received: string[] = [];
    while (received.length < sent.length) {
      received.push(
        ...(await other.receiveMany(70)).map((message) => message.text()),
      );
    }
    const ids = await sending;
    assertEquals(received, sent);
    assertStrictEquals(new Set(ids).size, sent.length);
    await assertRejects(() => other.receiveMany(0), RangeError);
  },
);

queueTest(
  "SharedQueue.receiveSync() waits while it holds up the thread, and not for ever",
  SMALL,
  async (queue) => {
    assertStrictEquals(queue.receiveSync({ timeoutMs: 0 }), undefined);
    const startMs = performance.now();
    assertStrictEquals(queue.receiveSync({ timeoutMs: 70 }), undefined);
    assert(performance.now() - startMs >= 70);
    await using sender = await startProgram(`
    import { SharedQueue } from ${QUEUE_URL};
    using queue = SharedQueue.connect("${queue.name}");
    await new Promise((resolve) => setTimeout(resolve, 20));
    queue.trySend("from another process");
  `);
    assertStrictEquals(queue.receiveSync({ timeoutMs: 30_000 })?.text(), "from another process");
    assertStrictEquals((await sender.ended()).code, 0);
    assertThrows(() => queue.receiveSync({ timeoutMs: -1 }), RangeError);
  },
);

queueTest(
  "SharedQueue.sendSync() waits while it holds up the thread, and not for ever",
  { ...SMALL, priorities: 2 },
  async (queue) => {
    const first = queue.sendSync("0", { priority: 0 });
    assert(first !== undefined);
    for (let count = 1; count < queue.capacity; count++) assert(queue.sendSync(`${count}`) !== undefined);
    const startMs = performance.now();
    assertStrictEquals(queue.sendSync("full", { timeoutMs: 70 }), undefined);
    assert(performance.now() - startMs >= 70);
    await using receiver = await startProgram(`
    import { SharedQueue } from ${QUEUE_URL};
    using queue = SharedQueue.connect("${queue.name}");
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { id } = queue.tryReceive();
    console.log(String(id));
  `);
    const last = queue.sendSync("room", { timeoutMs: 30_000 });
    assert(last !== undefined && last !== first);
    assertStrictEquals((await receiver.ended()).stdout, `${first}\n`);
    assertThrows(() => queue.sendSync("x", { timeoutMs: -1 }), RangeError);
    assertThrows(() => queue.sendSync(new Uint8Array(queue.messageBytesMax + 1)), RangeError);
    assertStrictEquals(queue.status().readyCount, queue.capacity);
  },
);

queueTest("SharedQueue.trySendMany() and tryReceiveMany() say how many", SMALL, (queue, other) => {
  assertEquals(other.tryReceiveMany(10), []);
  assertStrictEquals(queue.trySendMany(["0", "1", "2", "3", "4", "5"]), 4);
  assertStrictEquals(queue.trySendMany(["4", "5"], { whenFull: "drop-oldest" }), 2);
  assertEquals(other.tryReceiveMany(3).map((message) => message.text()), ["2", "3", "4"]);
  assertStrictEquals(queue.trySendMany([]), 0);
  assertEquals(other.tryReceiveMany(3).map((message) => message.text()), ["5"]);
  assertThrows(() => other.tryReceiveMany(0.5), RangeError);
});

queueTest("SharedQueue.sendMany() says which were sent when it fails", SMALL, async (queue, other) => {
  await assertRejects(
    () => queue.sendMany(["0", "1", "2", "3", "4"], { whenFull: "fail" }),
    SharedQueueFullError,
  );
  assertEquals(texts(other), ["0", "1", "2", "3"]);
});

queueTest("Delivery.nack() and dispose give the message back, and it says so", SMALL, (queue, other) => {
  queue.trySend("a");
  const first = other.tryReserve();
  assertStrictEquals(first?.message.redeliveryCount, 0);
  assertStrictEquals(queue.tryReceive(), undefined);
  assertEquals([first?.nack(), first?.nack(), first?.ack()], [true, false, false]);
  {
    using second = queue.tryReserve();
    assertStrictEquals(second?.message.redeliveryCount, 1);
  }
  const third = other.tryReserve();
  assertStrictEquals(third?.message.redeliveryCount, 2);
  assertEquals([third?.ack(), third?.settled], [true, true]);
  const { redeliveredCount, givenBackCount, receivedCount } = queue.status();
  assertEquals([redeliveredCount, givenBackCount, receivedCount], [2, 2, 3]);
});

queueTest(
  "SharedQueue.close() gives back what it had, and rejects calls that wait",
  SMALL,
  async (queue, other) => {
    queue.trySend("a");
    const delivery = other.tryReserve();
    const waiting = other.receive();
    other.close();
    other.close();
    await assertRejects(() => waiting, Deno.errors.BadResource);
    assertEquals([delivery?.settled, delivery?.ack()], [true, false]);
    assertThrows(() => other.tryReceive(), Deno.errors.BadResource);
    assertThrows(() => other.trySend("x"), Deno.errors.BadResource);
    await assertRejects(() => other.send("x"), Deno.errors.BadResource);
    assertStrictEquals(queue.tryReceive()?.redeliveryCount, 1);
  },
);

queueTest(
  "SharedQueue: what is urgent comes first",
  { ...SMALL, capacity: 10, priorities: 3 },
  (queue, other) => {
    for (const [text, priority] of [["c", 2], ["b", 1], ["a", 0], ["d", undefined]] as const) {
      queue.trySend(text, priority === undefined ? {} : { priority });
    }
    const first = other.tryReceive();
    assertEquals([first?.text(), first?.priority, first?.partition], ["a", 0, undefined]);
    assertEquals(texts(other), ["b", "c", "d"]);
    assertThrows(() => queue.trySend("x", { priority: 3 }), RangeError);
    assertThrows(() => queue.trySend("x", { key: "k" }), RangeError);
  },
);

queueTest("SharedQueue: nobody gets a message whose time is over", SMALL, async (queue, other) => {
  queue.trySend("a", { expiresAfterMs: 1 });
  queue.trySend("b", { expiresAfterMs: 60_000 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(texts(other), ["b"]);
  assertStrictEquals(queue.status().expiredCount, 1);
  while (queue.trySend("c", { expiresAfterMs: 1 }));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertStrictEquals(queue.trySend("d"), true, "expired messages make room");
  assertThrows(() => queue.trySend("x", { expiresAfterMs: 0 }), RangeError);
});

queueTest(
  "SharedQueue: a message that is delivered too often goes to the dead letters, and from there back",
  { ...SMALL, capacity: 8, deliveryCountMax: 2, deadLetterCountMax: 2 },
  (queue, other) => {
    const fail = (text: string) => {
      queue.trySend(text);
      for (let count = 0; count < 2; count++) other.tryReserve()?.nack();
      assertStrictEquals(other.tryReceive(), undefined);
    };
    fail("a");
    const { deadLetterCount, readyCount, deadLetteredCount } = queue.status();
    assertEquals([deadLetterCount, readyCount, deadLetteredCount], [1, 0, 1]);
    fail("b");
    fail("c");
    assertStrictEquals(queue.status().deadLetterCount, 2, "the oldest gives way");
    assertStrictEquals(queue.deadLetters.tryReceive()?.text(), "b");
    assertStrictEquals(queue.deadLetters.redeliver(), 1);
    const revived = other.tryReceive();
    assertEquals([revived?.text(), revived?.redeliveryCount], ["c", 0]);
    assertStrictEquals(queue.deadLetters.tryReceive(), undefined);
  },
);

queueTest(
  "SharedQueue: messages of one key are delivered in order, one at a time",
  { ...SMALL, capacity: 16, partitions: 2 },
  (queue, other) => {
    const keys = ["a", "b", "c", "d"];
    for (const round of [1, 2]) for (const key of keys) queue.trySend(`${key}${round}`, { key });
    const first = other.tryReserve();
    const second = queue.tryReserve();
    assertNotStrictEquals(first?.message.partition, second?.message.partition);
    assertStrictEquals(other.tryReserve(), undefined, "both partitions have a message out");
    const text = first?.message.text();
    first?.nack();
    using again = queue.tryReserve();
    assertStrictEquals(again?.message.text(), text, "what was given back comes before what is behind it");
    again?.ack();
    second?.ack();
    const order = texts(other);
    for (const key of keys) {
      const own = [text, second?.message.text(), ...order].filter((found) => found?.startsWith(key));
      assertEquals(own, [`${key}1`, `${key}2`]);
    }
    assertThrows(() => queue.trySend("x", { priority: 1 }), RangeError);
  },
);

queueTest(
  "SharedQueue compresses what is longer than compressAboveBytes, where that makes it shorter",
  { capacity: 4, messageBytesMax: 1000, compressAboveBytes: 100 },
  (queue, other) => {
    const text = "abc".repeat(3000);
    assertStrictEquals(queue.trySend(text), true);
    assertStrictEquals(other.tryReceive()?.text(), text);
    const noise = crypto.getRandomValues(new Uint8Array(1000));
    assertStrictEquals(queue.trySend(noise), true);
    assertEquals(other.tryReserve()?.message.data, noise);
    assertThrows(() => queue.trySend(crypto.getRandomValues(new Uint8Array(2000))), RangeError);
    assertThrows(() => other.trySend(text), RangeError);
  },
);

queueTest(
  "SharedQueue is an async iterable, a readable and a writable stream",
  SMALL,
  async (queue, other) => {
    const writer = queue.writable().getWriter();
    const writing = (async () => {
      for (let count = 0; count < 20; count++) await writer.write(`${count}`);
      await writer.close();
    })();
    const found: string[] = [];
    for await (const message of other) {
      found.push(message.text());
      if (found.length === 10) break;
    }
    const reader = other.readable().getReader();
    while (found.length < 21) found.push((await reader.read()).value?.text() ?? "");
    await writing;
    assertStrictEquals(
      found.splice(found.lastIndexOf("9"), 1).length,
      1,
      "the message at which it was left comes again",
    );
    assertEquals(found, Array.from({ length: 20 }, (_, index) => `${index}`));
    const pending = reader.read();
    await reader.cancel();
    assertEquals(await pending, { value: undefined, done: true });
    assertStrictEquals(queue.trySend("after"), true);
    assertStrictEquals(other.tryReceive()?.text(), "after");
  },
);

queueTest(
  "SharedQueue iteration gives back the message at which it was left by an error",
  SMALL,
  async (queue, other) => {
    queue.trySend("a");
    await assertRejectsMatching(async () => {
      for await (const message of other) throw new Error(message.text());
    }, /^Error: a$/);
    assertStrictEquals(queue.tryReceive()?.redeliveryCount, 1);
  },
);

queueTest(
  "SharedQueue.purge() takes away what nobody has",
  { ...SMALL, deliveryCountMax: 1 },
  (queue, other) => {
    queue.trySend("a");
    other.tryReserve()?.nack();
    assertStrictEquals(other.tryReserve(), undefined);
    queue.trySend("b");
    const kept = other.tryReserve();
    queue.trySend("c");
    assertStrictEquals(queue.purge(), 2);
    assertStrictEquals(kept?.ack(), true);
    const { readyCount, deadLetterCount, reservedCount } = queue.status();
    assertEquals([readyCount, deadLetterCount, reservedCount], [0, 0, 0]);
  },
);

queueTest(
  "SharedQueue.status() and metrics() say what is in it, and who has it open",
  SMALL,
  (queue, other) => {
    queue.trySend("a");
    queue.trySend("b");
    other.tryReserve();
    const status = queue.status();
    assertEquals(
      [status.capacity, status.readyCount, status.reservedCount, status.sentCount, status.receivedCount],
      [4, 1, 1, 2, 1],
    );
    assert(status.oldestAgeMs !== undefined && status.oldestAgeMs >= 0);
    assert(status.sentPerSecond > 0);
    assertEquals(status.participants.map(({ pid, alive }) => [pid, alive]), [[Deno.pid, true], [
      Deno.pid,
      true,
    ]]);
    const metrics = queue.metrics();
    assertMatch(metrics, new RegExp(`^millrace_queue_ready\\{queue="${queue.name}"\\} 1$`, "m"));
    assertMatch(metrics, /^# TYPE millrace_queue_sent_total counter$/m);
    other.close();
    assertEquals(queue.status().participants.length, 1);
  },
);

nativeTest("SharedQueue.create(), connect(), list() and unlink() refuse what they must", () => {
  using names = new QueueNames();
  const name = names.next();
  assertThrows(() => SharedQueue.connect(name), Deno.errors.NotFound);
  assertThrows(() => SharedQueue.unlink(name), Deno.errors.NotFound);
  using queue = SharedQueue.create(name, { ...SMALL, mode: 0o640 });
  assertThrows(() => SharedQueue.create(name, SMALL), Deno.errors.AlreadyExists);
  const [info] = SharedQueue.list({ prefix: name });
  assertEquals([info.name, info.mode, info.inUse, info.state], [name, 0o640, true, "ready"]);
  const tooLong = "x".repeat(QUEUE_NAME_LENGTH_MAX + 1);
  // The last ones are what a program in JavaScript may pass.
  for (
    const wrong of ["a/b", "", "../x", "a b", tooLong, null as unknown as string, ["a"] as unknown as string]
  ) {
    assertThrows(() => SharedQueue.create(wrong, SMALL), RangeError);
    assertThrows(() => SharedQueue.connect(wrong), RangeError);
    assertThrows(() => SharedQueue.unlink(wrong), RangeError);
  }
  SharedQueue.unlink(name);
  assertStrictEquals(queue.trySend("it lives on"), true);
});

for (
  const [what, options] of Object.entries<QueueCreateOptions>({
    "no capacity": { capacity: 0 },
    "too large a capacity": { capacity: QUEUE_CAPACITY_MAX + 1 },
    "half a message": { capacity: 1.5 },
    "messages of no bytes": { messageBytesMax: 0 },
    "messages that are too long": { messageBytesMax: QUEUE_MESSAGE_BYTES_MAX + 1 },
    "more memory than a region can have": { capacity: 65_536, messageBytesMax: QUEUE_MESSAGE_BYTES_MAX },
    "no priorities": { priorities: 0 },
    "partitions and priorities": { priorities: 2, partitions: 2 },
    "less than one partition": { partitions: -1 },
    "no deliveries": { deliveryCountMax: 0 },
    "as many dead letters as messages": { capacity: 2, deadLetterCountMax: 2 },
    "no number of bytes": { compressAboveBytes: NaN },
    "a mode that is none": { mode: 0o1000 },
  })
) {
  nativeTest(`SharedQueue.create() refuses ${what}, and leaves nothing behind`, () => {
    using names = new QueueNames();
    const name = names.next();
    assertThrows(() => SharedQueue.create(name, options), RangeError);
    assertEquals(SharedQueue.list({ prefix: name }), []);
  });
}

queueTest(
  "SharedQueue refuses messages that are too long, and is none the worse for it",
  SMALL,
  async (queue, other) => {
    const long = "x".repeat(101);
    assertThrows(() => queue.trySend(long), RangeError);
    await assertRejects(() => queue.send(long), RangeError);
    assertThrows(() => queue.trySendMany(["a", long]), RangeError);
    assertEquals(texts(other), [], "all or none");
    await assertRejects(() => queue.sendMany(["a", long, "b"]), RangeError);
    assertEquals(texts(other), ["a"], "those before it");
  },
);

nativeTest(
  "SharedQueue.connect() refuses more openers than there can be, and has room again when one goes",
  () => {
    using names = new QueueNames();
    const name = names.next();
    using stack = new DisposableStack();
    const first = stack.use(SharedQueue.create(name, SMALL));
    for (let count = 1; count < QUEUE_PARTICIPANTS_MAX; count++) stack.use(SharedQueue.connect(name));
    const refused = { name: "Busy", message: `connect to queue ${name}: it has 255 openers already` };
    assertThrowsMatching(() => SharedQueue.connect(name), refused);
    first.close();
    stack.use(SharedQueue.connect(name));
  },
);

queueTest(
  "SharedQueue: timers have their turn while there is always a message",
  SMALL,
  async (queue, other) => {
    for (const body of [() => other.receive(), () => other.reserve().then((delivery) => delivery.ack())]) {
      let ticked = false;
      const timer = setTimeout(() => ticked = true, 1);
      while (!ticked) {
        await queue.send("x");
        await body();
      }
      clearTimeout(timer);
    }
  },
);
