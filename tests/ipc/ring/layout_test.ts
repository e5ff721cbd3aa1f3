import assert from "node:assert/strict";
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
  assert.deepEqual({ RING_MAGIC, RING_VERSION, HEADER_BYTES, RECORD_HEADER_BYTES }, {
    RING_MAGIC: 0x474e524d,
    RING_VERSION: 1,
    HEADER_BYTES: 512,
    RECORD_HEADER_BYTES: 8,
  });
  assert.deepEqual(WORD, {
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
  assert.deepEqual([HALF, RING_STATE], [{ free: 0, held: 1, closed: 2 }, { none: 0, ready: 1 }]);
  assert.deepEqual([CAPACITY_BYTES_MIN, CAPACITY_BYTES_MAX], [64, 2 ** 30]);
  assert.equal(LAYOUT_HASH, -6_563_522);
});

Deno.test("the words of the two sides, and those of both, lie on line pairs of their own", () => {
  const pairs = [WORD.state, WORD.tail, WORD.head, WORD.producer].map((word) => word >> 5);
  assert.deepEqual(pairs, [0, 1, 2, 3]);
  for (const word of [WORD.consumer, WORD.producerSleeping, WORD.consumerSleeping]) {
    assert.equal(word >> 5, 3);
  }
});

Deno.test("recordBytes() counts the header and rounds up to 8", () => {
  assert.deepEqual([0, 1, 8, 9, 64, 1024].map(recordBytes), [8, 16, 16, 24, 72, 1032]);
  assert.deepEqual([64, 128, 2 ** 30].map(messageBytesLimit), [24, 56, 2 ** 29 - 8]);
});

Deno.test("a ring's bytes are those of the diagram", () => {
  const ring = SpscRing.create({ capacityBytes: 64 });
  const producer = ring.producer();
  producer.tryWrite(new Uint8Array([1, 2, 3]));
  producer.tryWrite(new Uint8Array(20).fill(9));
  producer.flush();
  const consumer = ring.consumer();
  assert.deepEqual(consumer.tryRead(), new Uint8Array([1, 2, 3]));
  assert.equal(consumer.tryRead()?.byteLength, 20);
  // 16 + 32 bytes are used: 16 are left at the end, too few for a record of 24.
  producer.tryWrite(new Uint8Array(10).fill(7));
  producer.flush();
  const words = [...new Int32Array(ring.memory as SharedArrayBuffer)];
  assert.deepEqual(words.slice(0, 6), [RING_MAGIC, 1, LAYOUT_HASH, 64, 24, 1]);
  assert.deepEqual([words[32], words[64]], [64 + 24, 48]);
  assert.deepEqual(words.slice(96, 100), [1, 1, 0, 0]);
  const data = words.slice(128);
  assert.deepEqual(data.slice(0, 3), [10, 0, 0x07070707]);
  assert.equal(data[12], -16);
});
