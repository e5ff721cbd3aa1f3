import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { FLAG, RECORD } from "../../../src/ipc/queue/layout.ts";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { type Message, type QueueShape, SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { startProgram } from "../../support/net_child.ts";
import { fakeMemory, QUEUE_URL, QueueNames, reopened } from "./support.ts";

nameSkipReason("SharedQueue.drainInPlace()", nativeSkipReason());

const DECODER = new TextDecoder();
const PLAIN = { lane: 0, flags: 0, expiresMs: 0 };

function textOf(bytes: Uint8Array, at: number, byteLength: number): string {
  return DECODER.decode(bytes.subarray(at, at + byteLength));
}

/** With native code, and without. */
function bothTest(
  name: string,
  shape: QueueShape,
  body: (queue: {
    core: QueueCore;
    other: QueueCore;
    send: (...texts: string[]) => void;
    drain: (countMax?: number) => string[];
  }) => void,
): void {
  for (const native of [true, false]) {
    nativeTest(`${name} (${native ? "native code" : "TypeScript"})`, () => {
      const { memory } = fakeMemory({ messageBytesMax: 16, ...shape });
      const core = new QueueCore(memory, { native });
      const other = new QueueCore(reopened(memory).memory, { native });
      body({
        core,
        other,
        send: (...texts) => {
          const data = texts.map((text) => new TextEncoder().encode(text));
          for (let from = 0; from < data.length;) {
            const sent = other.trySendMany(data, from, data.length, PLAIN);
            assert(sent > 0);
            from += sent;
          }
        },
        drain: (countMax = 64) => {
          const found: string[] = [];
          const onMessage = (
            bytes: Uint8Array,
            at: number,
            byteLength: number,
            redeliveryCount: number,
          ): void => {
            found.push(textOf(bytes, at, byteLength) + (redeliveryCount > 0 ? `:${redeliveryCount}` : ""));
          };
          assertStrictEquals(core.drainInPlace(onMessage, countMax), found.length);
          return found;
        },
      });
      core.close();
      other.close();
    });
  }
}

function texts(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `m${index}`);
}

bothTest("drainInPlace() works off what is there, in order", { capacity: 256 }, ({ core, send, drain }) => {
  assertEquals(drain(), []);
  send(...texts(200));
  assertEquals(drain(3), ["m0", "m1", "m2"]);
  assertEquals(drain(), texts(67).slice(3));
  assertEquals(drain(1000), texts(200).slice(67));
  assertStrictEquals(core.sender.trySend(new Uint8Array(1), PLAIN, Date.now()) >= 0, true);
  assertStrictEquals(drain().length, 1);
});

bothTest(
  "drainInPlace() gives back the message whose handler throws, and leaves those behind it as they were",
  { capacity: 8, deliveryCountMax: 2 },
  ({ core, send, drain }) => {
    send(...texts(4));
    const failure = new Error("no");
    let count = 0;
    const fail = (): void => {
      if (++count === 2) throw failure;
    };
    assertThrowsMatching(() => core.drainInPlace(fail, 64), failure);
    assertEquals(drain().sort(), ["m1:1", "m2", "m3"]);
    assertEquals(drain(), []);
  },
);

bothTest(
  "drainInPlace() counts a delivery only of what the handler has come to: others are no dead letters",
  { capacity: 8, deliveryCountMax: 1, deadLetterCountMax: 4 },
  ({ core, send, drain }) => {
    send(...texts(3));
    assertThrows(() =>
      core.drainInPlace(() => {
        throw new Error("no");
      }, 64)
    );
    assertEquals(drain(), ["m1", "m2"]);
    assert(core.receiver.isDeadLetter(core.take("dead letters")));
  },
);

bothTest(
  "drainInPlace() ends when the handler closes the queue: what was before it is acknowledged",
  { capacity: 8 },
  ({ core, other, send }) => {
    send(...texts(4));
    const found: string[] = [];
    const onMessage = (bytes: Uint8Array, at: number, byteLength: number): void => {
      found.push(textOf(bytes, at, byteLength));
      if (found.length === 2) core.close();
    };
    core.drainInPlace(onMessage, 64);
    assertEquals(found, ["m0", "m1"]);
    const left = [other.receive(), other.receive(), other.receive()].map((message) => message?.text());
    assertEquals(left.sort(), ["m1", "m2", "m3"]);
    assertStrictEquals(other.receive(), undefined);
  },
);

bothTest(
  "drainInPlace() can be called from within its handler, as can other calls",
  { capacity: 256 },
  ({ core, send, drain }) => {
    send(...texts(150));
    const found: string[] = [];
    core.drainInPlace((bytes, at, byteLength) => {
      found.push(textOf(bytes, at, byteLength));
      found.push(core.receive()?.text() ?? "");
      found.push(...drain(2));
      assert(core.trySend(new Uint8Array([120]), PLAIN) >= 0);
    }, 20);
    assertEquals(found.sort(), texts(150).filter((text) => found.includes(text)).sort());
    assertStrictEquals(new Set(found).size, 80);
    const rest = [...drain(1000)];
    assertStrictEquals(rest.length, 150 - 80 + 20);
  },
);

bothTest(
  "drainInPlace() leaves out what is damaged, and what is too old",
  { capacity: 8 },
  ({ core, send, drain }) => {
    send("a");
    const slot = core.trySend(new Uint8Array([1, 2, 3]), { ...PLAIN, flags: FLAG.compressed });
    core.trySend(new Uint8Array(1), { ...PLAIN, expiresMs: 1 });
    send("b");
    const long = core.trySend(new Uint8Array(1), PLAIN);
    core.memory.words[core.memory.recordOf(long) + RECORD.byteLength] = 1 << 30;
    send("c");
    assert(slot >= 0);
    assertEquals(drain().sort(), ["a", "b", "c"]);
    const free = [];
    for (let next = core.trySend(new Uint8Array(1), PLAIN); next >= 0;) {
      free.push(next);
      next = core.trySend(new Uint8Array(1), PLAIN);
    }
    assertStrictEquals(free.length, 8, "all slots are free again");
  },
);

for (const shape of [{}, { partitions: 4 }, { priorities: 2 }]) {
  nativeTest(`SharedQueue.drainInPlace() takes messages of all kinds: ${JSON.stringify(shape)}`, () => {
    using names = new QueueNames();
    const name = names.next();
    using queue = SharedQueue.create(name, { capacity: 8, messageBytesMax: 4096, ...shape });
    using compressing = SharedQueue.connect(name, { compressAboveBytes: 64 });
    queue.trySend("plain");
    compressing.trySend("x".repeat(4000));
    queue.trySend("");
    const found: string[] = [];
    assertStrictEquals(
      queue.drainInPlace((...message) =>
        found.push(textOf(...message.slice(0, 3) as [Uint8Array, number, number]))
      ),
      3,
    );
    assertEquals(found.sort(), ["", "plain", "x".repeat(4000)]);
    const { receivedCount, readyCount, reservedCount, sentCount } = queue.status();
    assertEquals([receivedCount, readyCount, reservedCount, sentCount], [3, 0, 0, 3]);
  });
}

nativeTest("SharedQueue.drainInPlace() takes messages of a queue in a directory", async () => {
  const directory = await Deno.makeTempDir({ prefix: "millrace_test_" });
  try {
    using queue = SharedQueue.create("a", { capacity: 4, directory });
    queue.trySend("x");
    const found: string[] = [];
    queue.drainInPlace((bytes, at, byteLength) => found.push(textOf(bytes, at, byteLength)));
    assertEquals(found, ["x"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

nativeTest("SharedQueue.drainInPlace() refuses a count that is none, and a closed queue", () => {
  using names = new QueueNames();
  const queue = SharedQueue.create(names.next(), { capacity: 4 });
  const nothing = (): void => {};
  for (const count of [0, -1, 1.5, NaN]) assertThrows(() => queue.drainInPlace(nothing, count), RangeError);
  queue.close();
  assertThrows(() => queue.drainInPlace(nothing), Deno.errors.BadResource);
});

nativeTest("SharedQueue.drainInPlace() leaves everything there when its process is killed", async () => {
  using names = new QueueNames();
  const name = names.next();
  using queue = SharedQueue.create(name, { capacity: 8, messageBytesMax: 8, deliveryCountMax: 9 });
  for (const text of texts(5)) queue.trySend(text);
  await using child = await startProgram(`
    import { SharedQueue } from ${QUEUE_URL};
    const queue = SharedQueue.connect(${JSON.stringify(name)});
    let count = 0;
    queue.drainInPlace(() => {
      if (++count < 3) return;
      console.log("third");
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    });
  `);
  await child.says(/third/);
  assertStrictEquals(queue.tryReceive(), undefined, "it has them all");
  child.kill("SIGKILL");
  const messages: Message[] = [];
  while (messages.length < 5) messages.push(await queue.receive());
  const found = messages.map((message) => [message.text(), message.redeliveryCount]);
  assertEquals(found.sort(), [["m0", 1], ["m1", 1], ["m2", 1], ["m3", 0], ["m4", 0]]);
});
