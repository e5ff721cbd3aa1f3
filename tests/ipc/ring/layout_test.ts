import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  CAPACITY_BYTES_MAX,
  CAPACITY_BYTES_MIN,
  HALF,
  HEADER_BYTES,
  LAYOUT_HASH,
  messageBytesLimit,
  RECORD_HEADER_BYTES,
  recordBytes,
  RING_MAGIC,
  RING_STATE,
  RING_VERSION,
  WORD,
} from "../../../src/ipc/ring/layout.ts";
import { SpscRing } from "../../../src/ipc/ring/mod.ts";

Deno.test("the ring's layout has these numbers: other builds depend on them", () => {
  assertEquals({ RING_MAGIC, RING_VERSION, HEADER_BYTES, RECORD_HEADER_BYTES }, {
    RING_MAGIC: 0x474e524d,
    RING_VERSION: 1,
    HEADER_BYTES: 512,
    RECORD_HEADER_BYTES: 8,
  });
  assertEquals(WORD, {
    magic: 0,
    version: 1,
    layoutHash: 2,
    capacityBytes: 3,
    messageBytesMax: 4,
    state: 5,
    tail: 32,
    head: 64,
    producer: 96,
    consumer: 97,
    producerSleeping: 98,
    consumerSleeping: 99,
  });
  assertEquals([HALF, RING_STATE], [{ free: 0, held: 1, closed: 2 }, { none: 0, ready: 1 }]);
  assertEquals([CAPACITY_BYTES_MIN, CAPACITY_BYTES_MAX], [64, 2 ** 30]);
  assertStrictEquals(LAYOUT_HASH, -6_563_522);
});

Deno.test("the words of the two sides, and those of both, lie on line pairs of their own", () => {
  const pairs = [WORD.state, WORD.tail, WORD.head, WORD.producer].map((word) => word >> 5);
  assertEquals(pairs, [0, 1, 2, 3]);
  for (const word of [WORD.consumer, WORD.producerSleeping, WORD.consumerSleeping]) {
    assertStrictEquals(word >> 5, 3);
  }
});

Deno.test("recordBytes() counts the header and rounds up to 8", () => {
  assertEquals([0, 1, 8, 9, 64, 1024].map(recordBytes), [8, 16, 16, 24, 72, 1032]);
  assertEquals([64, 128, 2 ** 30].map(messageBytesLimit), [24, 56, 2 ** 29 - 8]);
});

Deno.test("a ring's bytes are those of the diagram", () => {
  const ring = SpscRing.create({ capacityBytes: 64 });
  const producer = ring.producer();
  producer.tryWrite(new Uint8Array([1, 2, 3]));
  producer.tryWrite(new Uint8Array(20).fill(9));
  producer.flush();
  const consumer = ring.consumer();
  assertEquals(consumer.tryRead(), new Uint8Array([1, 2, 3]));
  assertStrictEquals(consumer.tryRead()?.byteLength, 20);
  // 16 + 32 bytes are used: 16 are left at the end, too few for a record of 24.
  producer.tryWrite(new Uint8Array(10).fill(7));
  producer.flush();
  const words = [...new Int32Array(ring.memory as SharedArrayBuffer)];
  assertEquals(words.slice(0, 6), [RING_MAGIC, 1, LAYOUT_HASH, 64, 24, 1]);
  assertEquals([words[32], words[64]], [64 + 24, 48]);
  assertEquals(words.slice(96, 100), [1, 1, 0, 0]);
  const data = words.slice(128);
  assertEquals(data.slice(0, 3), [10, 0, 0x07070707]);
  assertStrictEquals(data[12], -16);
});
