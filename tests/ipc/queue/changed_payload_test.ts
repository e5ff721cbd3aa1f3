import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { QueueNames } from "./support.ts";

// What a program does to the bytes of a payload before, while and after they are sent.

nameSkipReason("SharedQueue and payloads that change", nativeSkipReason());

const SHAPE = { capacity: 2, messageBytesMax: 16 };

/** Native code sends to the first, TypeScript to the second. */
for (const [what, shape] of [["", SHAPE], [" with partitions", { ...SHAPE, partitions: 1 }]] as const) {
  const payloadTest = (name: string, body: (queue: SharedQueue) => Promise<void> | void): void =>
    nativeTest(`${name}, in a queue${what}`, async () => {
      using names = new QueueNames();
      using queue = SharedQueue.create(names.next(), shape);
      await body(queue);
      let count = 0;
      while (queue.trySend("x")) count++;
      assertStrictEquals(count, SHAPE.capacity, "no slot is lost");
      assertStrictEquals(queue.status().damagedCount, 0);
    });

  payloadTest(
    "SharedQueue.send() that waits sends what the payload was when it was called",
    async (queue) => {
      const changes: readonly ((bytes: Uint8Array<ArrayBuffer>) => void)[] = [
        (bytes) => bytes.fill(9),
        ({ buffer }) => void structuredClone(buffer, { transfer: [buffer] }),
        ({ buffer }) => buffer.resize(10_000),
        ({ buffer }) => buffer.resize(0),
      ];
      for (const change of changes) {
        assertStrictEquals(queue.trySendMany(["a", "b"]), 2);
        const payloads = Array.from(
          { length: 3 },
          () => new Uint8Array(new ArrayBuffer(4, { maxByteLength: 10_000 })).fill(1),
        );
        const sending = [queue.send(payloads[0]), queue.sendMany(payloads.slice(1))];
        for (const payload of payloads) change(payload);
        const received: number[][] = [];
        while (received.length < 5) received.push([...(await queue.receive({ timeoutMs: 30_000 })).data]);
        assertEquals(received.slice(2), [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]);
        await Promise.all(sending);
      }
    },
  );

  payloadTest(
    "SharedQueue.sendMany() sends each of payloads that are made in the same bytes",
    async (queue) => {
      function* make(): Generator<Uint8Array> {
        const bytes = new Uint8Array(1);
        for (let number = 0; number < 100; number++) {
          bytes[0] = number;
          yield bytes;
        }
      }
      const sending = queue.sendMany(make());
      const received: number[] = [];
      while (received.length < 100) received.push((await queue.receive({ timeoutMs: 30_000 })).data[0]);
      assertEquals(received, Array.from({ length: 100 }, (_, number) => number));
      assertStrictEquals((await sending).length, 100);
    },
  );

  payloadTest(
    "SharedQueue.send() takes shared bytes, and refuses those that are another thread's",
    async (queue) => {
      const shared = new Uint8Array(new SharedArrayBuffer(3, { maxByteLength: 1000 })).fill(5);
      await queue.send(shared);
      shared.buffer.grow(1000);
      assertEquals([...(await queue.receive()).data], [5, 5, 5]);
      await assertRejects(() => queue.send(shared), RangeError);
      const gone = new Uint8Array(3);
      structuredClone(gone.buffer, { transfer: [gone.buffer] });
      await assertRejectsMatching(() => queue.send(gone), {
        name: "TypeError",
        message: /its buffer is detached/,
      });
      assertThrows(() => queue.trySendMany([gone]), TypeError);
      assertStrictEquals(queue.tryReceive(), undefined);
    },
  );
}
