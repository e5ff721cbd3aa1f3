import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { HEADER_BYTES, WORD } from "../../../src/ipc/ring/layout.ts";
import { RingClosedError, SpscRing } from "../../../src/ipc/ring/mod.ts";
import { runProgram } from "../../support/net_child.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { FakeRegion, isMessageOf, messageOf, openRing, POSITIONS, send, wordsOf } from "./support.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

Deno.test("RingConsumer.drain() passes messages in order, at most as many as told", () => {
  const { producer, consumer } = openRing({ capacityBytes: 1024 });
  for (let number = 0; number < 10; number++) producer.tryWrite(bytes(number));
  producer.flush();
  const seen: number[] = [];
  const see = (message: Uint8Array) => seen.push(message[0]);
  assertStrictEquals(consumer.drain(see, 0), 0);
  assertStrictEquals(consumer.drain(see, 3), 3);
  assertStrictEquals(consumer.drain(see), 7);
  assertStrictEquals(consumer.drain(see), 0);
  assertEquals(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("RingConsumer.drain() views have the message's length, in every lap", () => {
  const { producer, consumer } = openRing({ capacityBytes: 256 });
  for (let number = 0; number < 1000; number++) {
    const length = number * 7 % 121;
    assert(send(producer, new Uint8Array(length).fill(number)));
    consumer.drain((message, at) => {
      assertStrictEquals(message.byteLength, length);
      assert(message.every((byte) => byte === (number & 0xff)));
      assertStrictEquals(message.byteOffset, consumer.bytes.byteOffset + at);
    });
  }
});

Deno.test("RingConsumer.drain() gives space back while it runs", () => {
  const { producer, consumer } = openRing({ capacityBytes: 1024 });
  while (producer.tryWrite(new Uint8Array(56)));
  let written = 0;
  let seen = 0;
  consumer.drain(() => {
    if (++seen === 8) { while (producer.tryWrite(new Uint8Array(56))) written++; }
  });
  assert(written > 0);
});

Deno.test("RingConsumer.drain() with a callback that throws counts the message as read", () => {
  const { producer, consumer } = openRing({ capacityBytes: 1024 });
  for (let number = 0; number < 4; number++) producer.tryWrite(bytes(number));
  producer.flush();
  assertThrowsMatching(() => {
    consumer.drain((message) => {
      if (message[0] === 1) throw new Error("of the callback");
    });
  }, /of the callback/);
  assertEquals([consumer.tryRead(), consumer.tryRead(), consumer.tryRead()], [
    bytes(2),
    bytes(3),
    undefined,
  ]);
});

Deno.test("RingConsumer.drain() within its own callback is a mistake that harms nothing", () => {
  const { producer, consumer } = openRing({ capacityBytes: 1024 });
  for (let number = 0; number < 3; number++) producer.tryWrite(bytes(number));
  producer.flush();
  assertThrowsMatching(() => consumer.drain(() => consumer.tryRead()), /from within its own callback/);
  assertEquals(consumer.tryRead(), bytes(1));
});

Deno.test("RingConsumer.close() within a callback ends draining", () => {
  const { producer, consumer } = openRing({ capacityBytes: 1024 });
  for (let number = 0; number < 3; number++) producer.tryWrite(bytes(number));
  producer.flush();
  assertStrictEquals(consumer.drain(() => consumer.close()), 1);
  assertThrowsMatching(() => consumer.drain(() => {}), { name: "RingClosedError", end: "closed here" });
});

Deno.test("RingConsumer.tryRead() copies", () => {
  const { producer, consumer } = openRing({ capacityBytes: 64 });
  send(producer, bytes(1, 2, 3));
  const message = consumer.tryRead();
  for (let number = 0; number < 10; number++) {
    send(producer, bytes(9, 9, 9));
    consumer.tryRead();
  }
  assertEquals(message, bytes(1, 2, 3));
});

Deno.test("RingConsumer.readable() resolves when a message is there, and to false at the end", () =>
  withWatchdog(20_000, async () => {
    const { producer, consumer } = openRing({ capacityBytes: 64 });
    for (let round = 0; round < 50; round++) {
      const readable = consumer.readable();
      if (round % 2 === 0) await null;
      if (round % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      send(producer, bytes(round));
      assertStrictEquals(await readable, true);
      assertEquals(consumer.tryRead(), bytes(round));
    }
    const readable = consumer.readable();
    await new Promise((resolve) => setTimeout(resolve, 1));
    producer.close();
    assertStrictEquals(await readable, false);
    assertStrictEquals(await consumer.readable(), false);
    assertStrictEquals(consumer.readableSync(), false);
    assertStrictEquals(consumer.end, "closed");
  }));

Deno.test("RingConsumer.readable() finds what was written right before the end", () =>
  withWatchdog(20_000, async () => {
    const { producer, consumer } = openRing({ capacityBytes: 64 });
    const readable = consumer.readable();
    producer.tryWrite(bytes(1));
    producer.close();
    assertStrictEquals(await readable, true);
    assertEquals(consumer.tryRead(), bytes(1));
    assertStrictEquals(await consumer.readable(), false);
  }));

Deno.test("RingConsumer.readable() rejects with the reason of its signal, and when the time is over", () =>
  withWatchdog(20_000, async () => {
    const { producer, consumer } = openRing({ capacityBytes: 64 });
    const controller = new AbortController();
    const readable = consumer.readable({ signal: controller.signal });
    await new Promise((resolve) => setTimeout(resolve, 2));
    controller.abort("enough");
    await assertRejectsMatching(() => readable, (reason) => reason === "enough");
    await assertRejectsMatching(
      () => consumer.readable({ signal: controller.signal }),
      (reason) => reason === "enough",
    );
    await assertRejectsMatching(() => consumer.readable({ timeoutMs: 3 }), { name: "TimeoutError" });
    assertStrictEquals(consumer.readableSync({ timeoutMs: 3 }), undefined);
    assertStrictEquals(consumer.readableSync({ timeoutMs: 3, strategy: "spin" }), undefined);
    send(producer, bytes(1));
    assertStrictEquals(consumer.readableSync({ timeoutMs: 0 }), true);
    assertStrictEquals(await consumer.readable({ timeoutMs: 0 }), true);
  }));

Deno.test("a signal ends waits at once, and does not ring the bell of the other side", () =>
  withWatchdog(20_000, async () => {
    const { memory } = SpscRing.create({ capacityBytes: 64 });
    let bellCount = 0;
    const consumer = SpscRing.attach(memory, { wakePeer: () => bellCount++ }).consumer();
    const words = new Int32Array(memory as SharedArrayBuffer);
    const controller = new AbortController();
    const readable = consumer.readable({ signal: controller.signal });
    await new Promise((resolve) => setTimeout(resolve, 2));
    controller.abort("enough");
    // Whoever sleeps on the word has been woken, and nobody else.
    assertStrictEquals(Atomics.notify(words, WORD.consumerSleeping), 0);
    await assertRejectsMatching(() => readable, (reason) => reason === "enough");
    assertStrictEquals(bellCount, 0);
  }));

Deno.test("RingConsumer tells a producer that died from one that closed", () =>
  withWatchdog(20_000, async () => {
    const region = new FakeRegion(1024);
    const ring = SpscRing.create({ capacityBytes: 256, memory: region });
    const theirs = region.reopen();
    const producer = SpscRing.attach(theirs).producer();
    const consumer = ring.consumer();
    send(producer, bytes(1));
    producer.tryWrite(bytes(2));
    theirs.die();
    assertStrictEquals(consumer.end, "died");
    assertStrictEquals(await consumer.readable(), true);
    assertEquals(consumer.tryRead(), bytes(1));
    const died = (error: unknown) => error instanceof RingClosedError && error.end === "died";
    await assertRejectsMatching(() => consumer.readable(), died);
    assertThrowsMatching(() => consumer.readableSync(), died);
    // Who takes the place of the dead goes on where its messages ended.
    const successor = SpscRing.attach(theirs.reopen()).producer();
    send(successor, bytes(3));
    assertStrictEquals(await consumer.readable(), true);
    assertEquals(consumer.tryRead(), bytes(3));
  }));

Deno.test("RingConsumer that waits notices the death of the producer", () =>
  withWatchdog(20_000, async () => {
    const region = new FakeRegion(1024);
    const ring = SpscRing.create({ capacityBytes: 256, memory: region });
    const theirs = region.reopen();
    SpscRing.attach(theirs).producer();
    const readable = ring.consumer().readable();
    setTimeout(() => theirs.die(), 5);
    await assertRejectsMatching(() => readable, { name: "RingClosedError", end: "died" });
  }));

for (const position of POSITIONS) {
  Deno.test(`RingConsumer refuses a damaged message rather than to read outside, from position ${position}`, () => {
    for (const length of [2 ** 31 - 1, 1025, 57, 16, -1, -8, -64, -(2 ** 31)]) {
      const { ring, producer, consumer } = openRing({ capacityBytes: 128 }, position);
      send(producer, bytes(1));
      wordsOf(ring)[(HEADER_BYTES + (position & 127)) >> 2] = length;
      assertThrowsMatching(
        () => consumer.drain(() => fail("passed on")),
        /damaged at byte/,
        `length ${length}`,
      );
      assertStrictEquals(consumer.readableBytes, 16);
    }
  });
}

Deno.test("RingConsumer refuses a message that would run over the end of the data", () => {
  const { ring, producer, consumer } = openRing({ capacityBytes: 128 }, 96);
  for (const number of [1, 2]) producer.tryWrite(new Uint8Array(24).fill(number));
  producer.flush();
  // As long as a message may be, and all of it published.
  wordsOf(ring)[(HEADER_BYTES + 96) >> 2] = 40;
  assertThrowsMatching(() => consumer.tryRead(), /damaged at byte 96: a message of 40 bytes/);
});

Deno.test("RingConsumer.close() loses what is not read, and says so to the producer", () => {
  const { producer, consumer } = openRing({ capacityBytes: 64 });
  send(producer, bytes(1));
  consumer.close();
  consumer.close();
  assertStrictEquals(consumer.end, "closed here");
  assertThrows(() => consumer.tryRead(), RingClosedError);
  assertStrictEquals(producer.end, "closed");
  assert(producer.tryWrite(bytes(2)));
  producer.flush();
  assertStrictEquals(producer.tryWrite(bytes(2)), false);
});

Deno.test("a half whose region was closed throws or ends, and reaches nothing", async () => {
  const region = new FakeRegion(1024);
  const ring = SpscRing.create({ capacityBytes: 256, memory: region });
  const producer = ring.producer();
  const consumer = ring.consumer();
  send(producer, bytes(1));
  region.bytes.buffer.transfer(0);
  const closed = { name: "RingClosedError", end: "closed here" };
  for (let round = 0; round < 2; round++) {
    assertThrowsMatching(() => consumer.tryRead(), closed);
    assertThrowsMatching(() => consumer.readableSync(), closed);
    await assertRejectsMatching(() => consumer.readable(), closed);
    for (const byteLength of [0, 8, 100]) {
      assertStrictEquals(producer.tryWrite(new Uint8Array(byteLength)), false);
      assertStrictEquals(producer.tryClaim(byteLength), -1);
    }
    await assertRejectsMatching(() => producer.write(bytes(1)), closed);
    assertThrowsMatching(() => producer.writeSync(bytes(1)), closed);
    await assertRejectsMatching(() => producer.writable(100), closed);
    assertEquals([producer.usedBytes, consumer.readableBytes], [0, 0]);
    assertEquals([producer.arm(8), consumer.arm()], [false, false]);
    producer.disarm();
    consumer.disarm();
    producer.flush();
    assertEquals([producer.end, consumer.end], ["closed here", "closed here"]);
    producer.close();
    consumer.close();
  }
});

Deno.test("a half that waits while its region is closed ends", () =>
  withWatchdog(10_000, async () => {
    const closed = { name: "RingClosedError", end: "closed here" };
    for (const half of ["producer", "consumer"] as const) {
      const region = new FakeRegion(1024);
      const ring = SpscRing.create({ capacityBytes: 256, memory: region });
      const producer = ring.producer();
      const consumer = ring.consumer();
      if (half === "producer") { while (producer.tryWrite(new Uint8Array(100))); }
      const waiting = half === "producer" ? producer.writable(100) : consumer.readable();
      setTimeout(() => region.bytes.buffer.transfer(0), 5);
      await assertRejectsMatching(() => waiting, closed);
    }
  }));

Deno.test("RingConsumer.drain() whose callback closes the region ends there", () => {
  const region = new FakeRegion(1024);
  const ring = SpscRing.create({ capacityBytes: 256, memory: region });
  const producer = ring.producer();
  const consumer = ring.consumer();
  for (let number = 0; number < 3; number++) send(producer, bytes(number));
  let count = 0;
  const close = () => {
    count++;
    region.bytes.buffer.transfer(0);
  };
  assertThrowsMatching(() => consumer.drain(close), { name: "RingClosedError", end: "closed here" });
  assertStrictEquals(count, 1);
});

for (const position of POSITIONS) {
  Deno.test(`RingConsumer refuses a damaged tail, from position ${position}`, async () => {
    for (const used of [4, 1, -8, 136, 2 ** 30, -(2 ** 31)]) {
      const { ring, producer, consumer } = openRing({ capacityBytes: 128 }, position);
      for (let number = 0; number < 3; number++) {
        send(producer, bytes(number));
        assertEquals(consumer.tryRead(), bytes(number));
      }
      const words = wordsOf(ring);
      const tail = words[WORD.tail];
      Atomics.store(words, WORD.tail, tail + used | 0);
      const damaged = { message: `read from the ring: it is damaged: ${used} bytes of it are in use` };
      assertThrowsMatching(() => consumer.tryRead(), damaged);
      await assertRejectsMatching(() => consumer.readable(), damaged);
      Atomics.store(words, WORD.tail, tail);
      send(producer, bytes(7));
      assertEquals(consumer.tryRead(), bytes(7));
    }
    // One that was damaged between attaching and reading.
    const ring = SpscRing.create({ capacityBytes: 128 });
    wordsOf(ring)[WORD.tail] = 4;
    assertThrowsMatching(() => ring.consumer().tryRead(), /damaged: 4 bytes of it are in use/);
  });
}

Deno.test("a side that does not sleep is not woken, and one that does is, once", () => {
  const { ring, producer, consumer } = openRing({ capacityBytes: 64 });
  const words = wordsOf(ring);
  for (const word of [WORD.consumerSleeping, WORD.producerSleeping]) Atomics.store(words, word, 1);
  send(producer, bytes(1));
  consumer.tryRead();
  assertEquals([words[WORD.consumerSleeping], words[WORD.producerSleeping]], [0, 0]);
});

Deno.test("a wait that ends leaves the other waits of its half to be woken", () =>
  withWatchdog(20_000, async () => {
    const { ring, producer, consumer } = openRing({ capacityBytes: 64 });
    const words = wordsOf(ring);
    const readable = consumer.readable();
    const controller = new AbortController();
    const others = Promise.allSettled([
      consumer.readable({ signal: controller.signal }),
      consumer.readable({ timeoutMs: 2 }),
    ]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    await others;
    assertStrictEquals(consumer.readableSync({ timeoutMs: 1 }), undefined);
    // Others would look again by themselves, but late.
    assertStrictEquals(Atomics.load(words, WORD.consumerSleeping), 1);
    send(producer, bytes(1));
    assertStrictEquals(await readable, true);
    assertStrictEquals(Atomics.load(words, WORD.consumerSleeping), 0);
  }));

Deno.test("RingConsumer.readable() keeps the process alive until its time is over", async () => {
  const code = `
    import { SpscRing } from "${new URL("../../../src/ipc/ring/mod.ts", import.meta.url)}";
    const consumer = SpscRing.create({ capacityBytes: 64 }).consumer();
    await consumer.readable({ timeoutMs: 10 }).catch((error) => console.log(error.name));
  `;
  const { code: exitCode, stdout } = await runProgram(code);
  assertEquals([exitCode, stdout], [0, "TimeoutError\n"]);
});

Deno.test("RingConsumer refuses waits that mean nothing", async () => {
  const { consumer } = openRing({ capacityBytes: 64 });
  await assertRejects(() => consumer.readable({ timeoutMs: -1 }), RangeError);
  await assertRejects(() => consumer.readable({ timeoutMs: NaN }), RangeError);
  assertThrows(() => consumer.readableSync({ timeoutMs: -1 }), RangeError);
  assertThrowsMatching(() => consumer.readableSync({ strategy: "wait" as "spin" }), /strategy is "wait"/);
});

Deno.test("RingConsumer.drainInPlace() says where messages are, and ends as drain() does", () => {
  const { producer, consumer } = openRing({ capacityBytes: 256 });
  for (let number = 0; number < 20; number++) {
    send(producer, messageOf(number, number));
    send(producer, messageOf(number + 100, 3));
    const found: [number, number][] = [];
    assertStrictEquals(consumer.drainInPlace((at, byteLength) => found.push([at, byteLength]), 1), 1);
    assertStrictEquals(consumer.drainInPlace((at, byteLength) => found.push([at, byteLength])), 1);
    assertEquals(found.map(([, byteLength]) => byteLength), [number, 3]);
    assert(isMessageOf(consumer.bytes.subarray(found[0][0], found[0][0] + number), number, number));
    assertStrictEquals(found[1][0] % 8, 0);
  }
  assertStrictEquals(consumer.drainInPlace(() => {}), 0);
  consumer.close();
  assertThrows(() => consumer.drainInPlace(() => {}), RingClosedError);
});
