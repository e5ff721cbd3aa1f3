import assert from "node:assert/strict";
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
  assert.equal(other.tryReceive(), undefined);
  for (const text of ["a", "", "c".repeat(100)]) assert.equal(queue.trySend(text), true);
  assert.deepEqual(texts(other), ["a", "", "c".repeat(100)]);
  assert.equal(queue.status().readyCount, 0);
});

queueTest(
  "SharedQueue.trySend() is false when the queue is full, and true again when a message is done",
  SMALL,
  (queue, other) => {
    for (let count = 0; count < 4; count++) assert.equal(queue.trySend(`${count}`), true);
    assert.equal(queue.trySend("5"), false);
    using delivery = other.tryReserve();
    assert.equal(queue.trySend("5"), false, "a message that somebody has takes its place");
    delivery?.ack();
    assert.equal(queue.trySend("5"), true);
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
      assert.equal(queue.trySend(sent), true);
      assert.deepEqual([...other.tryReceive()?.data ?? []], [...sent]);
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
    assert.equal(kept.length, 300);
    for (const [round, { data }] of kept.entries()) {
      assert.equal(data.length, round * 10 % 3000);
      assert.ok(data.every((byte) => byte === (round & 0xff)));
    }
  },
);

queueTest(
  "SharedQueue.send() resolves to ids that differ and go up within a sender",
  SMALL,
  async (queue, other) => {
    const ids = [await queue.send("a"), await queue.send("b"), await other.send("c")];
    assert.equal(new Set(ids).size, 3);
    assert.ok(ids[1] > ids[0]);
    const received = [other.tryReceive(), other.tryReceive(), queue.tryReceive()];
    assert.deepEqual(received.map((message) => message?.id), ids);
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
    assert.ok(json.timestampMs >= beforeMs && json.timestampMs <= Date.now());
    assert.deepEqual([json.text(), json.json()], ['{"a":[1,"ü"]}', { a: [1, "ü"] }]);
    assert.deepEqual((await other.receive()).messagePack(), { a: [1, new Uint8Array([1])] });
    assert.throws(() => jsonPayload(undefined), TypeError);
  },
);

queueTest("SharedQueue: who waits in vain, or finds it full, is told which queue", SMALL, async (queue) => {
  const { name } = queue;
  const late = (message: string) => ({ name: "TimeoutError", message: `${message}: not done within 5 ms` });
  await assert.rejects(queue.receive({ timeoutMs: 5 }), late(`receive from queue ${name}`));
  await assert.rejects(queue.reserve({ timeoutMs: 5 }), late(`reserve from queue ${name}`));
  while (queue.trySend("x"));
  await assert.rejects(queue.send("x", { timeoutMs: 5 }), late(`send to queue ${name}`));
  await assert.rejects(queue.send("x", { whenFull: "fail" }), {
    name: "SharedQueueFullError",
    message: `send to queue ${name}: the queue is full: it holds ${queue.capacity} messages`,
  });
  await assert.rejects(queue.send("x".repeat(queue.messageBytesMax + 1)), {
    name: "RangeError",
    message: `send to queue ${name}: the message has 101 bytes, expected at most 100`,
  });
});

queueTest("SharedQueue.send() waits for room, first come, first served", SMALL, async (queue, other) => {
  for (let count = 0; count < 4; count++) queue.trySend(`${count}`);
  const sent: string[] = [];
  const sends = ["4", "5"].map((text) => queue.send(text).then(() => sent.push(text)));
  assert.deepEqual(sent, []);
  for (let count = 0; count < 6; count++) assert.equal((await other.receive()).text(), `${count}`);
  await Promise.all(sends);
  assert.deepEqual(sent, ["4", "5"]);
});

queueTest("SharedQueue.send() fails or drops the oldest, as whenFull says", SMALL, async (queue, other) => {
  for (let count = 0; count < 4; count++) queue.trySend(`${count}`);
  await assert.rejects(queue.send("4", { whenFull: "fail" }), SharedQueueFullError);
  await queue.send("4", { whenFull: "drop-oldest" });
  assert.equal(queue.trySend("5", { whenFull: "drop-oldest" }), true);
  assert.deepEqual(texts(other), ["2", "3", "4", "5"]);
  assert.equal(queue.status().droppedCount, 2);
  // deno-lint-ignore no-explicit-any -- what a program in JavaScript may pass
  await assert.rejects(queue.send("x", { whenFull: "later" as any }), TypeError);
  // deno-lint-ignore no-explicit-any -- the same
  assert.throws(() => queue.trySend("x", { whenFull: "later" as any }), TypeError);
});

queueTest(
  "SharedQueue: calls that wait reject when aborted and when their time is over",
  SMALL,
  async (queue) => {
    const reason = new Error("enough");
    await assert.rejects(queue.receive({ timeoutMs: 5 }), { name: "TimeoutError" });
    await assert.rejects(queue.reserve({ signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const waiting = queue.receive({ signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(queue.receive({ timeoutMs: -1 }), RangeError);
    while (queue.trySend("x"));
    await assert.rejects(queue.send("y", { timeoutMs: 5 }), { name: "TimeoutError" });
    assert.equal(queue.status().readyCount, 4);
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
    assert.deepEqual(received, sent);
    assert.equal(new Set(ids).size, sent.length);
    await assert.rejects(other.receiveMany(0), RangeError);
  },
);

queueTest(
  "SharedQueue.receiveSync() waits while it holds up the thread, and not for ever",
  SMALL,
  async (queue) => {
    assert.equal(queue.receiveSync({ timeoutMs: 0 }), undefined);
    const startMs = performance.now();
    assert.equal(queue.receiveSync({ timeoutMs: 70 }), undefined);
    assert.ok(performance.now() - startMs >= 70);
    await using sender = await startProgram(`
    import { SharedQueue } from ${QUEUE_URL};
    using queue = SharedQueue.connect("${queue.name}");
    await new Promise((resolve) => setTimeout(resolve, 20));
    queue.trySend("from another process");
  `);
    assert.equal(queue.receiveSync({ timeoutMs: 30_000 })?.text(), "from another process");
    assert.equal((await sender.ended()).code, 0);
    assert.throws(() => queue.receiveSync({ timeoutMs: -1 }), RangeError);
  },
);

queueTest(
  "SharedQueue.sendSync() waits while it holds up the thread, and not for ever",
  { ...SMALL, priorities: 2 },
  async (queue) => {
    const first = queue.sendSync("0", { priority: 0 });
    assert.ok(first !== undefined);
    for (let count = 1; count < queue.capacity; count++) assert.ok(queue.sendSync(`${count}`) !== undefined);
    const startMs = performance.now();
    assert.equal(queue.sendSync("full", { timeoutMs: 70 }), undefined);
    assert.ok(performance.now() - startMs >= 70);
    await using receiver = await startProgram(`
    import { SharedQueue } from ${QUEUE_URL};
    using queue = SharedQueue.connect("${queue.name}");
    await new Promise((resolve) => setTimeout(resolve, 20));
    const { id } = queue.tryReceive();
    console.log(String(id));
  `);
    const last = queue.sendSync("room", { timeoutMs: 30_000 });
    assert.ok(last !== undefined && last !== first);
    assert.equal((await receiver.ended()).stdout, `${first}\n`);
    assert.throws(() => queue.sendSync("x", { timeoutMs: -1 }), RangeError);
    assert.throws(() => queue.sendSync(new Uint8Array(queue.messageBytesMax + 1)), RangeError);
    assert.equal(queue.status().readyCount, queue.capacity);
  },
);

queueTest("SharedQueue.trySendMany() and tryReceiveMany() say how many", SMALL, (queue, other) => {
  assert.deepEqual(other.tryReceiveMany(10), []);
  assert.equal(queue.trySendMany(["0", "1", "2", "3", "4", "5"]), 4);
  assert.equal(queue.trySendMany(["4", "5"], { whenFull: "drop-oldest" }), 2);
  assert.deepEqual(other.tryReceiveMany(3).map((message) => message.text()), ["2", "3", "4"]);
  assert.equal(queue.trySendMany([]), 0);
  assert.deepEqual(other.tryReceiveMany(3).map((message) => message.text()), ["5"]);
  assert.throws(() => other.tryReceiveMany(0.5), RangeError);
});

queueTest("SharedQueue.sendMany() says which were sent when it fails", SMALL, async (queue, other) => {
  await assert.rejects(queue.sendMany(["0", "1", "2", "3", "4"], { whenFull: "fail" }), SharedQueueFullError);
  assert.deepEqual(texts(other), ["0", "1", "2", "3"]);
});

queueTest("Delivery.nack() and dispose give the message back, and it says so", SMALL, (queue, other) => {
  queue.trySend("a");
  const first = other.tryReserve();
  assert.equal(first?.message.redeliveryCount, 0);
  assert.equal(queue.tryReceive(), undefined);
  assert.deepEqual([first?.nack(), first?.nack(), first?.ack()], [true, false, false]);
  {
    using second = queue.tryReserve();
    assert.equal(second?.message.redeliveryCount, 1);
  }
  const third = other.tryReserve();
  assert.equal(third?.message.redeliveryCount, 2);
  assert.deepEqual([third?.ack(), third?.settled], [true, true]);
  const { redeliveredCount, givenBackCount, receivedCount } = queue.status();
  assert.deepEqual([redeliveredCount, givenBackCount, receivedCount], [2, 2, 3]);
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
    await assert.rejects(waiting, Deno.errors.BadResource);
    assert.deepEqual([delivery?.settled, delivery?.ack()], [true, false]);
    assert.throws(() => other.tryReceive(), Deno.errors.BadResource);
    assert.throws(() => other.trySend("x"), Deno.errors.BadResource);
    await assert.rejects(other.send("x"), Deno.errors.BadResource);
    assert.equal(queue.tryReceive()?.redeliveryCount, 1);
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
    assert.deepEqual([first?.text(), first?.priority, first?.partition], ["a", 0, undefined]);
    assert.deepEqual(texts(other), ["b", "c", "d"]);
    assert.throws(() => queue.trySend("x", { priority: 3 }), RangeError);
    assert.throws(() => queue.trySend("x", { key: "k" }), RangeError);
  },
);

queueTest("SharedQueue: nobody gets a message whose time is over", SMALL, async (queue, other) => {
  queue.trySend("a", { expiresAfterMs: 1 });
  queue.trySend("b", { expiresAfterMs: 60_000 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(texts(other), ["b"]);
  assert.equal(queue.status().expiredCount, 1);
  while (queue.trySend("c", { expiresAfterMs: 1 }));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(queue.trySend("d"), true, "expired messages make room");
  assert.throws(() => queue.trySend("x", { expiresAfterMs: 0 }), RangeError);
});

queueTest(
  "SharedQueue: a message that is delivered too often goes to the dead letters, and from there back",
  { ...SMALL, capacity: 8, deliveryCountMax: 2, deadLetterCountMax: 2 },
  (queue, other) => {
    const fail = (text: string) => {
      queue.trySend(text);
      for (let count = 0; count < 2; count++) other.tryReserve()?.nack();
      assert.equal(other.tryReceive(), undefined);
    };
    fail("a");
    const { deadLetterCount, readyCount, deadLetteredCount } = queue.status();
    assert.deepEqual([deadLetterCount, readyCount, deadLetteredCount], [1, 0, 1]);
    fail("b");
    fail("c");
    assert.equal(queue.status().deadLetterCount, 2, "the oldest gives way");
    assert.equal(queue.deadLetters.tryReceive()?.text(), "b");
    assert.equal(queue.deadLetters.redeliver(), 1);
    const revived = other.tryReceive();
    assert.deepEqual([revived?.text(), revived?.redeliveryCount], ["c", 0]);
    assert.equal(queue.deadLetters.tryReceive(), undefined);
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
    assert.notEqual(first?.message.partition, second?.message.partition);
    assert.equal(other.tryReserve(), undefined, "both partitions have a message out");
    const text = first?.message.text();
    first?.nack();
    using again = queue.tryReserve();
    assert.equal(again?.message.text(), text, "what was given back comes before what is behind it");
    again?.ack();
    second?.ack();
    const order = texts(other);
    for (const key of keys) {
      const own = [text, second?.message.text(), ...order].filter((found) => found?.startsWith(key));
      assert.deepEqual(own, [`${key}1`, `${key}2`]);
    }
    assert.throws(() => queue.trySend("x", { priority: 1 }), RangeError);
  },
);

queueTest(
  "SharedQueue compresses what is longer than compressAboveBytes, where that makes it shorter",
  { capacity: 4, messageBytesMax: 1000, compressAboveBytes: 100 },
  (queue, other) => {
    const text = "abc".repeat(3000);
    assert.equal(queue.trySend(text), true);
    assert.equal(other.tryReceive()?.text(), text);
    const noise = crypto.getRandomValues(new Uint8Array(1000));
    assert.equal(queue.trySend(noise), true);
    assert.deepEqual(other.tryReserve()?.message.data, noise);
    assert.throws(() => queue.trySend(crypto.getRandomValues(new Uint8Array(2000))), RangeError);
    assert.throws(() => other.trySend(text), RangeError);
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
    assert.equal(
      found.splice(found.lastIndexOf("9"), 1).length,
      1,
      "the message at which it was left comes again",
    );
    assert.deepEqual(found, Array.from({ length: 20 }, (_, index) => `${index}`));
    const pending = reader.read();
    await reader.cancel();
    assert.deepEqual(await pending, { value: undefined, done: true });
    assert.equal(queue.trySend("after"), true);
    assert.equal(other.tryReceive()?.text(), "after");
  },
);

queueTest(
  "SharedQueue iteration gives back the message at which it was left by an error",
  SMALL,
  async (queue, other) => {
    queue.trySend("a");
    await assert.rejects(async () => {
      for await (const message of other) throw new Error(message.text());
    }, /^Error: a$/);
    assert.equal(queue.tryReceive()?.redeliveryCount, 1);
  },
);

queueTest(
  "SharedQueue.purge() takes away what nobody has",
  { ...SMALL, deliveryCountMax: 1 },
  (queue, other) => {
    queue.trySend("a");
    other.tryReserve()?.nack();
    assert.equal(other.tryReserve(), undefined);
    queue.trySend("b");
    const kept = other.tryReserve();
    queue.trySend("c");
    assert.equal(queue.purge(), 2);
    assert.equal(kept?.ack(), true);
    const { readyCount, deadLetterCount, reservedCount } = queue.status();
    assert.deepEqual([readyCount, deadLetterCount, reservedCount], [0, 0, 0]);
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
    assert.deepEqual(
      [status.capacity, status.readyCount, status.reservedCount, status.sentCount, status.receivedCount],
      [4, 1, 1, 2, 1],
    );
    assert.ok(status.oldestAgeMs !== undefined && status.oldestAgeMs >= 0);
    assert.ok(status.sentPerSecond > 0);
    assert.deepEqual(status.participants.map(({ pid, alive }) => [pid, alive]), [[Deno.pid, true], [
      Deno.pid,
      true,
    ]]);
    const metrics = queue.metrics();
    assert.match(metrics, new RegExp(`^millrace_queue_ready\\{queue="${queue.name}"\\} 1$`, "m"));
    assert.match(metrics, /^# TYPE millrace_queue_sent_total counter$/m);
    other.close();
    assert.deepEqual(queue.status().participants.length, 1);
  },
);

nativeTest("SharedQueue.create(), connect(), list() and unlink() refuse what they must", () => {
  using names = new QueueNames();
  const name = names.next();
  assert.throws(() => SharedQueue.connect(name), Deno.errors.NotFound);
  assert.throws(() => SharedQueue.unlink(name), Deno.errors.NotFound);
  using queue = SharedQueue.create(name, { ...SMALL, mode: 0o640 });
  assert.throws(() => SharedQueue.create(name, SMALL), Deno.errors.AlreadyExists);
  const [info] = SharedQueue.list({ prefix: name });
  assert.deepEqual([info.name, info.mode, info.inUse, info.state], [name, 0o640, true, "ready"]);
  const tooLong = "x".repeat(QUEUE_NAME_LENGTH_MAX + 1);
  // The last ones are what a program in JavaScript may pass.
  for (
    const wrong of ["a/b", "", "../x", "a b", tooLong, null as unknown as string, ["a"] as unknown as string]
  ) {
    assert.throws(() => SharedQueue.create(wrong, SMALL), RangeError);
    assert.throws(() => SharedQueue.connect(wrong), RangeError);
    assert.throws(() => SharedQueue.unlink(wrong), RangeError);
  }
  SharedQueue.unlink(name);
  assert.equal(queue.trySend("it lives on"), true);
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
    assert.throws(() => SharedQueue.create(name, options), RangeError);
    assert.deepEqual(SharedQueue.list({ prefix: name }), []);
  });
}

queueTest(
  "SharedQueue refuses messages that are too long, and is none the worse for it",
  SMALL,
  async (queue, other) => {
    const long = "x".repeat(101);
    assert.throws(() => queue.trySend(long), RangeError);
    await assert.rejects(queue.send(long), RangeError);
    assert.throws(() => queue.trySendMany(["a", long]), RangeError);
    assert.deepEqual(texts(other), [], "all or none");
    await assert.rejects(queue.sendMany(["a", long, "b"]), RangeError);
    assert.deepEqual(texts(other), ["a"], "those before it");
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
    assert.throws(() => SharedQueue.connect(name), refused);
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
