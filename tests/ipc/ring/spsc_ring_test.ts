import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { LAYOUT_HASH, WORD } from "../../../src/ipc/ring/layout.ts";
import { type RingConsumer, type RingProducer, SpscRing } from "../../../src/ipc/ring/mod.ts";
import { FakeRegion, openRing, send, wordsOf } from "./support.ts";

Deno.test("SpscRing.create() refuses a capacity that is no power of two from 64 to 2^30", () => {
  for (const capacityBytes of [0, 1, 32, 63, 65, 96, 100, -64, 64.5, NaN, Infinity, 2 ** 31]) {
    assertThrowsMatching(() => SpscRing.create({ capacityBytes }), {
      name: "RangeError",
      message: /power of two from 64/,
    });
    assertThrows(() => SpscRing.byteLengthFor({ capacityBytes }), RangeError);
  }
  assertStrictEquals(SpscRing.byteLengthFor({ capacityBytes: 64 }), 576);
});

Deno.test("SpscRing.create() refuses a message limit above half the capacity", () => {
  for (const messageBytesMax of [-1, 1.5, 57, NaN, Infinity]) {
    assertThrows(
      () => SpscRing.create({ capacityBytes: 128, messageBytesMax }),
      RangeError,
      undefined,
      `${messageBytesMax}`,
    );
  }
  assertStrictEquals(SpscRing.create({ capacityBytes: 128 }).messageBytesMax, 56);
  assertStrictEquals(SpscRing.create({ capacityBytes: 128, messageBytesMax: 0 }).messageBytesMax, 0);
});

Deno.test("SpscRing.create() refuses memory that is too small, begins at an odd place, or holds something", () => {
  const small = new SharedArrayBuffer(575);
  assertThrowsMatching(() => SpscRing.create({ capacityBytes: 64, memory: small }), {
    name: "RangeError",
    message: "create a ring: the memory has 572 bytes, expected 576 at least",
  });
  const memory = new SharedArrayBuffer(576);
  SpscRing.create({ capacityBytes: 64, memory });
  assertThrows(() => SpscRing.create({ capacityBytes: 64, memory }), Deno.errors.AlreadyExists);
  const region = new FakeRegion(1024);
  const odd = Object.assign(Object.create(region), { bytes: region.bytes.subarray(4) });
  assertThrowsMatching(() => SpscRing.create({ capacityBytes: 64, memory: odd }), /multiple of 8/);
});

Deno.test("SpscRing.attach() says what is wrong with the memory", () => {
  const cases: [word: number, value: number, message: RegExp][] = [
    [WORD.magic, 7, /there is none in this memory/],
    [WORD.state, 0, /there is none in this memory/],
    [WORD.version, 9, /it has version 9, expected 1/],
    [WORD.layoutHash, LAYOUT_HASH + 1, /its layout is another build's/],
    [WORD.capacityBytes, 63, /damaged: its capacity is 63/],
    [WORD.capacityBytes, -(2 ** 31), /damaged: its capacity is -2147483648/],
    [WORD.capacityBytes, 2048, /the memory has 1536 bytes, expected 2560 for its capacity/],
    [WORD.messageBytesMax, 505, /damaged: its longest message has 505 bytes/],
    [WORD.messageBytesMax, -1, /damaged: its longest message has -1 bytes/],
    [WORD.tail, 4, /damaged: 4 bytes of it are in use/],
    [WORD.tail, 1032, /damaged: 1032 bytes of it are in use/],
    [WORD.head, 8, /damaged: -8 bytes of it are in use/],
  ];
  for (const [word, value, message] of cases) {
    const ring = SpscRing.create({ capacityBytes: 1024 });
    wordsOf(ring)[word] = value;
    assertThrowsMatching(() => SpscRing.attach(ring.memory), { name: "InvalidData", message });
  }
  for (const byteLength of [0, 8, 511]) {
    assertThrowsMatching(() => SpscRing.attach(new SharedArrayBuffer(byteLength)), {
      name: "InvalidData",
      message: /at least/,
    });
  }
  assertThrowsMatching(() => SpscRing.attach(new SharedArrayBuffer(4096)), /there is none/);
});

Deno.test("SpscRing.attach() takes a ring for sound while both sides are at work", () => {
  const { ring, producer, consumer } = openRing({ capacityBytes: 64 });
  const { load } = Atomics;
  let roundCount = 0;
  let working = false;
  // As if other threads had got on right behind each look at the tail.
  Atomics.load = ((words: Int32Array, index: number) => {
    const value = load(words, index);
    if (index === WORD.tail && roundCount < 3 && !working) {
      working = true;
      roundCount++;
      send(producer, new Uint8Array(8));
      consumer.drain(() => {});
      working = false;
    }
    return value;
  }) as typeof load;
  try {
    SpscRing.attach(ring.memory);
  } finally {
    Atomics.load = load;
  }
  assertStrictEquals(roundCount, 3);
});

Deno.test("SpscRing.create() and attach() refuse what is no memory for a ring", () => {
  const ring = SpscRing.create({ capacityBytes: 64 });
  const wrong: [unknown, string][] = [
    [new ArrayBuffer(1024), "ArrayBuffer"],
    [new Uint8Array(1024), "Uint8Array"],
    [ring, "Object"],
    [ring.producer(), "Object"],
    [{ bytes: [] }, "Object"],
    [null, "Null"],
    ["x", "String"],
  ];
  const message = (operation: string, found: string) =>
    `${operation} a ring: the memory is of type ${found}, expected a SharedArrayBuffer or a region such as SharedMemory`;
  for (const [memory, found] of wrong) {
    assertThrowsMatching(() => SpscRing.attach(memory as SharedArrayBuffer), {
      name: "TypeError",
      message: message("attach to", found),
    });
    if (memory === null) continue;
    assertThrowsMatching(() => SpscRing.create({ capacityBytes: 64, memory: memory as SharedArrayBuffer }), {
      name: "TypeError",
      message: message("create", found),
    });
  }
  assertThrowsMatching(
    () => SpscRing.attach(undefined as unknown as SharedArrayBuffer),
    /is of type Undefined/,
  );
  for (const capacityBytes of ["64", 64n, undefined, null]) {
    assertThrowsMatching(() => SpscRing.create({ capacityBytes: capacityBytes as unknown as number }), {
      name: "TypeError",
      message: `create a ring: capacityBytes is of type ${typeof capacityBytes}, expected a number`,
    });
  }
});

Deno.test("SpscRing.create() and attach() refuse a region that is closed", () => {
  const region = new FakeRegion(1024);
  const ring = SpscRing.create({ capacityBytes: 64, memory: region });
  region.bytes.buffer.transfer(0);
  const closed = {
    name: "BadResource",
    message: /^(create|attach to) a ring: the region that it lies in is closed$/,
  };
  assertThrowsMatching(() => SpscRing.attach(region), closed);
  assertThrowsMatching(() => SpscRing.create({ capacityBytes: 64, memory: region }), closed);
  assertStrictEquals(ring.capacityBytes, 64);
});

Deno.test("SpscRing.attach() takes the sizes from the memory", () => {
  const ring = SpscRing.create({
    capacityBytes: 256,
    messageBytesMax: 100,
    memory: new SharedArrayBuffer(4096),
  });
  const { capacityBytes, messageBytesMax } = SpscRing.attach(ring.memory);
  assertEquals([capacityBytes, messageBytesMax], [256, 100]);
});

Deno.test("SpscRing.create() and attach() take a part of shared memory, and leave the rest alone", async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(4096)).fill(7);
  const memory = shared.subarray(1000, 1000 + SpscRing.byteLengthFor({ capacityBytes: 64 })).fill(0);
  const ring = SpscRing.create({ capacityBytes: 64, memory });
  const producer = SpscRing.attach(memory).producer();
  const consumer = ring.consumer();
  for (let number = 0; number < 20; number++) {
    await producer.write(new Uint8Array([number]));
    assert(await consumer.readable());
    assertEquals(consumer.tryRead(), new Uint8Array([number]));
  }
  const around = [...shared.subarray(0, 1000), ...shared.subarray(1000 + memory.length)];
  assert(around.every((byte) => byte === 7));
  assertThrowsMatching(() => SpscRing.attach(shared.subarray(4)), {
    name: "RangeError",
    message: /multiple of 8/,
  });
});

type Open = (ring: SpscRing) => RingProducer | RingConsumer;
const HALVES: [name: string, open: Open][] = [
  ["producer", (ring) => ring.producer()],
  ["consumer", (ring) => ring.consumer()],
];

for (const [name, open] of HALVES) {
  Deno.test(`SpscRing.${name}() is given once, in whichever worker, and not again when it was closed`, () => {
    const ring = SpscRing.create({ capacityBytes: 64 });
    const half = open(ring);
    for (const other of [ring, SpscRing.attach(ring.memory)]) {
      assertThrowsMatching(() => open(other), {
        name: "Busy",
        message: `open the ring's ${name}: there is one already, and a ring has exactly one`,
      });
    }
    half.close();
    assertThrows(() => open(ring), Deno.errors.BadResource);
  });

  Deno.test(`SpscRing.${name}() of a region: one across processes; who comes after one that died goes on`, () => {
    const first = new FakeRegion(1024);
    const ring = SpscRing.create({ capacityBytes: 256, memory: first });
    const second = first.reopen();
    const attached = SpscRing.attach(second);
    const other = name === "producer" ? ring.consumer() : ring.producer();
    open(ring);
    assertThrows(() => open(attached), Deno.errors.Busy);
    assertThrows(() => open(ring), Deno.errors.Busy);
    assertStrictEquals(other.end, undefined);
    first.die();
    assertStrictEquals(other.end, "died");
    const half = open(attached);
    assertStrictEquals(other.end, undefined);
    half.close();
    assertStrictEquals(other.end, "closed");
    assertStrictEquals(half.end, "closed here");
    assertThrows(() => open(attached), Deno.errors.BadResource);
  });
}
