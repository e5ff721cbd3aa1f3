import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { RING_WAITS_MAX, RingClosedError, type RingRegion, SpscRing } from "../../../src/ipc/ring/mod.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { FakeRegion, isMessageOf, Lengths, messageOf, openRing, POSITIONS, send } from "./support.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

for (const position of POSITIONS) {
  Deno.test(`RingProducer.tryWrite() returns false when the ring is full, from position ${position}`, () => {
    const { producer, consumer } = openRing({ capacityBytes: 64 }, position);
    // Records of 16 bytes: four fit, wherever the first begins.
    for (let number = 0; number < 4; number++) {
      assert(producer.tryWrite(messageOf(number, 8)), `${number}`);
    }
    assertStrictEquals(producer.tryWrite(bytes()), false);
    assertStrictEquals(producer.usedBytes, 64);
    assert(isMessageOf(consumer.tryRead() as Uint8Array, 0, 8));
    assert(producer.tryWrite(messageOf(4, 8)));
    producer.flush();
    for (let number = 1; number < 5; number++) {
      assert(isMessageOf(consumer.tryRead() as Uint8Array, number, 8));
    }
    assertStrictEquals(consumer.tryRead(), undefined);
  });

  Deno.test(`RingProducer takes its longest message whenever the ring is empty, from position ${position}`, () => {
    const { ring, producer, consumer } = openRing({ capacityBytes: 128 }, position);
    for (let number = 0; number < 40; number++) {
      assert(send(producer, messageOf(number, ring.messageBytesMax)));
      assert(isMessageOf(consumer.tryRead() as Uint8Array, number, ring.messageBytesMax));
      assert(send(producer, messageOf(number, number % 17)));
      assert(isMessageOf(consumer.tryRead() as Uint8Array, number, number % 17));
    }
  });
}

Deno.test("RingProducer.write() refuses more calls than may wait, and has room again when one ends", async () => {
  const { producer, consumer } = openRing({ capacityBytes: 64 });
  while (producer.tryWrite(bytes(1)));
  const controller = new AbortController();
  const gone = producer.write(bytes(2), { signal: controller.signal });
  const calls = Array.from({ length: RING_WAITS_MAX - 1 }, () => producer.writable(1));
  const ended = Promise.allSettled(calls);
  const refused = { name: "Busy", message: "wait for the ring: 65536 calls wait already, expected fewer" };
  await assertRejectsMatching(() => producer.write(bytes(3)), refused);
  await assertRejectsMatching(() => producer.writable(1), refused);
  controller.abort();
  await assertRejectsMatching(() => gone, { name: "AbortError" });
  const last = producer.write(bytes(4)).catch((error) => error);
  producer.close();
  assert(await last instanceof RingClosedError);
  assert((await ended).every(({ status }) => status === "rejected"));
  consumer.close();
});

Deno.test("RingProducer.tryWrite() refuses a message over the limit", () => {
  const { producer } = openRing({ capacityBytes: 256, messageBytesMax: 100 });
  assertThrowsMatching(() => producer.tryWrite(new Uint8Array(101)), {
    name: "RangeError",
    message: "write to the ring: the message has 101 bytes, expected 0 to 100",
  });
  assert(producer.tryWrite(new Uint8Array(100)));
  for (const byteLength of [101, -1, NaN, Infinity]) {
    assertThrows(() => producer.tryClaim(byteLength), RangeError, undefined, `${byteLength}`);
  }
});

Deno.test("RingProducer.tryWrite() refuses what is no Uint8Array, and writes nothing then", async () => {
  const { producer } = openRing({ capacityBytes: 256 });
  const wrong: [unknown, string][] = [
    ["abc", "String"],
    [undefined, "Undefined"],
    [[1, 2], "Array"],
    [new ArrayBuffer(8), "ArrayBuffer"],
    [new Float64Array([1.5]), "Float64Array"],
    [{ length: 3 }, "Object"],
  ];
  for (const [message, found] of wrong) {
    const refused = {
      name: "TypeError",
      message: `write to the ring: the message is of type ${found}, expected a Uint8Array`,
    };
    assertThrowsMatching(() => producer.tryWrite(message as Uint8Array), refused);
    assertThrowsMatching(() => producer.writeSync(message as Uint8Array), refused);
    await assertRejectsMatching(() => producer.write(message as Uint8Array), refused);
  }
  const transferred = bytes(1, 2);
  transferred.buffer.transfer();
  assertThrowsMatching(() => producer.tryWrite(transferred), {
    name: "TypeError",
    message: "write to the ring: the message is memory that was transferred",
  });
  assertStrictEquals(producer.usedBytes, 0);
  class Bytes extends Uint8Array {}
  assert(producer.tryWrite(new Bytes(3)));
});

Deno.test("RingProducer.flush() makes visible what was written, and nothing before does", () => {
  const { producer, consumer } = openRing({ capacityBytes: 1024 });
  producer.tryWrite(bytes(1));
  producer.tryWrite(bytes(2));
  assertStrictEquals(consumer.tryRead(), undefined);
  producer.flush();
  producer.tryWrite(bytes(3));
  assertEquals([consumer.tryRead(), consumer.tryRead(), consumer.tryRead()], [
    bytes(1),
    bytes(2),
    undefined,
  ]);
});

Deno.test("RingProducer publishes by itself when a quarter of the ring is written, and when it is full", () => {
  const { producer, consumer } = openRing({ capacityBytes: 1024 });
  producer.tryWrite(new Uint8Array(240));
  assertStrictEquals(consumer.readableBytes, 0);
  producer.tryWrite(new Uint8Array(8));
  assertStrictEquals(consumer.readableBytes, 264);
  while (producer.tryWrite(new Uint8Array(8)));
  assertStrictEquals(consumer.readableBytes, producer.usedBytes);
  assertStrictEquals(producer.usedBytes, 1016);
});

Deno.test("RingProducer.tryClaim() gives room to encode in place", () => {
  const { producer, consumer } = openRing({ capacityBytes: 64 });
  for (let number = 0; number < 100; number++) {
    const at = producer.tryClaim(12);
    assert(at >= 0 && at % 8 === 0);
    producer.view.setFloat64(at, number / 3);
    producer.bytes.set(bytes(1, 2, 3, number), at + 8);
    producer.commit();
    producer.flush();
    consumer.drain((message, from) => {
      assertStrictEquals(consumer.view.getFloat64(from), number / 3);
      assertEquals([...message.subarray(8)], [1, 2, 3, number]);
    });
  }
});

Deno.test("RingProducer.commit() may take less than was claimed; a claim not committed is forgotten", () => {
  const { producer, consumer } = openRing({ capacityBytes: 256 });
  producer.bytes[producer.tryClaim(20)] = 9;
  producer.bytes.set(bytes(5, 6), producer.tryClaim(100));
  producer.commit(2);
  producer.tryClaim(50);
  producer.flush();
  assertEquals(consumer.tryRead(), bytes(5, 6));
  assertStrictEquals(consumer.tryRead(), undefined);
  assertThrowsMatching(() => {
    producer.tryClaim(4);
    producer.commit(5);
  }, { name: "RangeError", message: "commit to the ring: 5 bytes, expected 0 to the 4 claimed" });
});

Deno.test("RingProducer.commit() without a claim is a mistake", () => {
  const { producer } = openRing({ capacityBytes: 256 });
  assertThrowsMatching(() => producer.commit(), /nothing is claimed/);
  producer.tryClaim(0);
  producer.commit();
  assertThrowsMatching(() => producer.commit(), /nothing is claimed/);
  producer.tryWrite(bytes(1));
  assertThrowsMatching(() => producer.commit(0), /nothing is claimed/);
});

Deno.test("RingProducer.write() waits until there is room", () =>
  withWatchdog(20_000, async () => {
    const { producer, consumer } = openRing({ capacityBytes: 64 });
    const lengths = new Lengths(7, 24);
    const expected = Array.from({ length: 300 }, () => lengths.next());
    const writing = (async () => {
      for (const [number, length] of expected.entries()) await producer.write(messageOf(number, length));
      producer.close();
    })();
    let number = 0;
    for await (const message of consumer) {
      assert(isMessageOf(message, number, expected[number]), `message ${number}`);
      number++;
    }
    assertStrictEquals(number, expected.length);
    await writing;
  }));

Deno.test("RingProducer.write() rejects with the reason of its signal, and writes nothing then", () =>
  withWatchdog(20_000, async () => {
    const { producer, consumer } = openRing({ capacityBytes: 64 });
    while (producer.tryWrite(bytes(1)));
    const controller = new AbortController();
    const writing = producer.write(bytes(2), { signal: controller.signal });
    await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort("enough");
    await assertRejectsMatching(() => writing, (reason) => reason === "enough");
    await assertRejectsMatching(
      () => producer.write(bytes(2), { signal: controller.signal }),
      (reason) => reason === "enough",
    );
    await assertRejectsMatching(() => producer.write(bytes(2), { timeoutMs: 5 }), { name: "TimeoutError" });
    assertStrictEquals(producer.writeSync(bytes(2), { timeoutMs: 1 }), false);
    assertStrictEquals(producer.writeSync(bytes(2), { timeoutMs: 1, strategy: "spin" }), false);
    assertStrictEquals(consumer.drain((message) => assertEquals(message, bytes(1))), 4);
    assert(producer.writeSync(bytes(3)));
    assertEquals(consumer.tryRead(), bytes(3));
    await assertRejectsMatching(
      () => producer.writable(1, { signal: controller.signal }),
      (reason) => reason === "enough",
    );
  }));

Deno.test("RingProducer.write() keeps the order of calls that wait, whatever their lengths", () =>
  withWatchdog(20_000, async () => {
    const { producer, consumer } = openRing({ capacityBytes: 128 });
    while (producer.tryWrite(bytes(0)));
    consumer.drain(() => {}, 1);
    const lengths = [40, 1, 56, 0, 9, 30, 1, 1];
    const controller = new AbortController();
    const writing = lengths.map((length, number) => {
      const signal = number % 3 === 2 ? controller.signal : undefined;
      return producer.write(messageOf(number, length), { signal }).then(() => "written", () => "aborted");
    });
    await null;
    controller.abort();
    const arrived: number[] = [];
    while (arrived.length < 7 + 6) {
      if (await consumer.readable()) consumer.drain((message) => arrived.push(message.length), 1);
    }
    assertEquals(arrived, [...new Array(7).fill(1), 40, 1, 0, 9, 1, 1]);
    const fates = lengths.map((_, number) => number % 3 === 2 ? "aborted" : "written");
    assertEquals(await Promise.all(writing), fates);
    assert(producer.tryWrite(bytes(1)));
  }));

Deno.test("RingProducer finds the ring closed when the consumer has closed it", () =>
  withWatchdog(20_000, async () => {
    const { producer, consumer } = openRing({ capacityBytes: 64 });
    while (producer.tryWrite(bytes(1)));
    const waiting = producer.write(bytes(2));
    consumer.close();
    const closed = (error: unknown) => error instanceof RingClosedError && error.end === "closed";
    await assertRejectsMatching(() => waiting, closed);
    await assertRejectsMatching(() => producer.write(bytes(2)), closed);
    assertThrowsMatching(() => producer.writeSync(bytes(2)), closed);
    assertStrictEquals(producer.tryWrite(bytes(2)), false);
    assertStrictEquals(producer.end, "closed");
  }));

const MEMORIES: [name: string, memory: () => RingRegion | undefined][] = [
  ["shared memory", () => undefined],
  ["a region", () => new FakeRegion(1024)],
];

for (const [name, memory] of MEMORIES) {
  Deno.test(`RingProducer.close() ends what waits for room, in ${name}`, () =>
    withWatchdog(20_000, async () => {
      const { producer, consumer } = openRing({ capacityBytes: 64, memory: memory() });
      while (producer.tryWrite(bytes(1)));
      const readable = consumer.readable();
      const waiting = [producer.write(bytes(2)), producer.writable(1)];
      for (const wait of waiting) wait.catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 5));
      producer.close();
      const closed = { name: "RingClosedError", end: "closed here" };
      for (const wait of waiting) await assertRejectsMatching(() => wait, closed);
      assertThrowsMatching(() => producer.writeSync(bytes(2)), closed);
      assertThrowsMatching(() => producer.writeSync(bytes(2), { strategy: "spin" }), closed);
      assertStrictEquals(producer.arm(1), false);
      // The other half of the same ring waits as before.
      assertStrictEquals(await readable, true);
      assertStrictEquals(consumer.drain(() => {}), 4);
      assertStrictEquals(await consumer.readable(), false);
    }));
}

Deno.test("RingProducer.close() publishes what was written; afterwards nothing can be", async () => {
  const { producer, consumer } = openRing({ capacityBytes: 64 });
  producer.tryWrite(bytes(1));
  producer.close();
  producer.close();
  assertStrictEquals(producer.end, "closed here");
  await assertRejectsMatching(() => producer.write(bytes(2)), {
    name: "RingClosedError",
    end: "closed here",
  });
  assertStrictEquals(producer.tryWrite(bytes(2)), false);
  assertStrictEquals(producer.tryClaim(1), -1);
  producer.flush();
  assertEquals(consumer.tryRead(), bytes(1));
  assertStrictEquals(consumer.tryRead(), undefined);
  assertStrictEquals(await consumer.readable(), false);
});

Deno.test("RingProducer.close() forgets a claim, which cannot be committed any more", () => {
  const { producer, consumer } = openRing({ capacityBytes: 64 });
  producer.tryClaim(24);
  producer.close();
  assertThrowsMatching(() => producer.commit(), /nothing is claimed/);
  assertThrowsMatching(() => producer.commit(24), /nothing is claimed/);
  assertStrictEquals(consumer.tryRead(), undefined);
});

Deno.test("RingProducer leaves messages alone that nobody has read", () => {
  const ring = SpscRing.create({ capacityBytes: 256 });
  const first = ring.producer();
  send(first, bytes(1));
  const consumer = SpscRing.attach(ring.memory).consumer();
  assertEquals(consumer.tryRead(), bytes(1));
});
