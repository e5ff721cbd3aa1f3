import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import {
  COUNTER,
  FLAG,
  geometryOf,
  LANE,
  laneAt,
  PARTICIPANT,
  participantAt,
  QUEUE_CAPACITY_MAX,
  QUEUE_DELIVERY_COUNT_MAX,
  QUEUE_KIND,
  QUEUE_MESSAGE_BYTES_MAX,
  QUEUE_PARTICIPANTS_MAX,
  QUEUE_PARTITIONS_MAX,
  QUEUE_PRIORITIES_MAX,
  type QueueConstants,
  RECORD,
  RECORD_HEADER_BYTES,
  WORD,
} from "../../../src/ipc/queue/layout.ts";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, QueueNames } from "./support.ts";

nameSkipReason("SharedQueue.connect() to damaged headers", nativeSkipReason());

const CONSTANTS: QueueConstants = {
  capacity: 5,
  messageBytesMax: 100,
  priorities: 3,
  partitions: 0,
  deliveryCountMax: 7,
  deadLetterCountMax: 2,
  checksums: 1,
  identity: -77,
};
/** Bytes of the header: the words 0 to 15. */
const HEADER_BYTES = 64;
const { magic: QUEUE_MAGIC, version: QUEUE_VERSION, layoutHash: LAYOUT_HASH } = QUEUE_KIND.format;
const FLIPS = [0x01, 0x80, 0xff];

// A change of any number here is a change of what processes of other builds share with this one: it wants a new version of the kind.
Deno.test("layout: every number is what it is", () => {
  assertStrictEquals(new TextDecoder().decode(new Uint8Array(new Int32Array([QUEUE_MAGIC]).buffer)), "MQUE");
  assertStrictEquals(QUEUE_VERSION, 2);
  assertEquals(WORD, {
    sessions: 32,
    looked: 33,
    items: 64,
    deadLetters: 96,
    room: 128,
    boxes: 160,
  });
  assertEquals(PARTICIPANT, {
    session: 0,
    pid: 1,
    processStartedMs: 2,
    attachedMs: 4,
    mailbox: 6,
    counters: 16,
    replies: 32,
    replied: 35,
    lost: 36,
  });
  assertEquals(COUNTER, {
    sent: 0,
    received: 1,
    redelivered: 2,
    givenBack: 3,
    expired: 4,
    dropped: 5,
    deadLettered: 6,
    damaged: 7,
  });
  assertEquals(LANE, { head: 0, tail: 32, owner: 64 });
  assertEquals(RECORD, {
    byteLength: 0,
    deliveryCount: 1,
    sequence: 2,
    session: 3,
    route: 4,
    box: 5,
    boxGeneration: 6,
    nextReplied: 6,
    previousSlot: 7,
    sentMs: 8,
    expiresMs: 10,
    requestSession: 12,
    cancelled: 13,
    checksum: 14,
    previousGeneration: 15,
    headerBytes: 64,
  });
  assertEquals(FLAG, { compressed: 1, request: 2, failed: 4 });
  assertEquals([RECORD_HEADER_BYTES, LAYOUT_HASH], [64, -1725260308]);
  assertEquals(
    [QUEUE_PARTICIPANTS_MAX, QUEUE_CAPACITY_MAX, QUEUE_MESSAGE_BYTES_MAX],
    [255, 65_536, 67_108_864],
  );
  assertEquals(
    [QUEUE_PRIORITIES_MAX, QUEUE_PARTITIONS_MAX, QUEUE_DELIVERY_COUNT_MAX],
    [16, 64, 1_048_576],
  );
});

Deno.test("geometryOf() puts everything where the diagram says", () => {
  assertEquals([participantAt(0), participantAt(1), participantAt(255)], [4096, 4352, 69_376]);
  const geometry = geometryOf(CONSTANTS);
  assertEquals(geometry, {
    laneCount: 3,
    cellCount: 512,
    lanesAt: 69_632,
    cellsAt: 71_680,
    slotsAt: 79_872,
    recordsAt: 80_000,
    recordBytes: 192,
    byteLength: 80_960,
  });
  assertEquals([laneAt(geometry, 0), laneAt(geometry, 3)], [69_632, 71_168]);
  assertEquals(geometryOf({ ...CONSTANTS, priorities: 1, partitions: 4, capacity: 1000 }), {
    laneCount: 4,
    cellCount: 2048,
    lanesAt: 69_632,
    cellsAt: 72_192,
    slotsAt: 113_152,
    recordsAt: 117_248,
    recordBytes: 192,
    byteLength: 309_248,
  });
});

Deno.test("geometryOf() keeps words, floats and lines of records where they can be used, whatever the shape", () => {
  for (const capacity of [1, 2, 31, 256, 257, 65_536]) {
    for (const messageBytesMax of [1, 64, 65, 4096]) {
      for (const [priorities, partitions] of [[1, 0], [16, 0], [1, 1], [1, 64]]) {
        const geometry = geometryOf({ ...CONSTANTS, capacity, messageBytesMax, priorities, partitions });
        const { cellCount, cellsAt, slotsAt, recordsAt, recordBytes, byteLength, laneCount } = geometry;
        assertStrictEquals(Math.log2(cellCount) % 1, 0);
        assert(cellCount >= 2 * capacity && cellCount <= 131_072);
        assertStrictEquals(slotsAt, cellsAt + (laneCount + 1) * cellCount * 4);
        assert(recordsAt >= slotsAt + capacity * 4);
        assertEquals([recordsAt % 128, recordBytes % 64, byteLength % 8], [0, 0, 0]);
        assert(recordBytes >= 64 + messageBytesMax);
      }
    }
  }
});

Deno.test("the header of a queue is as the diagram says, and can be read", () => {
  const { byteLength } = geometryOf(CONSTANTS);
  const words = new Int32Array(byteLength >> 2);
  QUEUE_KIND.writeHeader(words, CONSTANTS);
  assertEquals([...words.subarray(0, 3)], [QUEUE_MAGIC, QUEUE_VERSION, LAYOUT_HASH]);
  assertEquals([...words.subarray(4, 12)], [5, 100, 3, 0, 7, 2, 1, -77]);
  assert(words.subarray(12).every((word) => word === 0));
  assertEquals(QUEUE_KIND.inspect(words, byteLength), { state: "ok", constants: CONSTANTS });
});

Deno.test("RegionKind.inspect() of a queue notices every flipped byte of the constants, and a wrong length", () => {
  const { byteLength } = geometryOf(CONSTANTS);
  const words = new Int32Array(byteLength >> 2);
  const bytes = new Uint8Array(words.buffer);
  QUEUE_KIND.writeHeader(words, CONSTANTS);
  for (let at = 0; at < HEADER_BYTES; at++) {
    for (let flip = 1; flip < 256; flip++) {
      bytes[at] ^= flip;
      const inspection = QUEUE_KIND.inspect(words, byteLength);
      bytes[at] ^= flip;
      const expected = at < 4 ? "foreign" : at < 12 ? "other version" : "damaged";
      assertStrictEquals(inspection.state, expected, `byte ${at} ^ ${flip}`);
      assert("found" in inspection && inspection.found.length > 0);
    }
  }
  for (const wrong of [byteLength - 1, byteLength + 1, byteLength * 2]) {
    assertStrictEquals(QUEUE_KIND.inspect(words, wrong).state, "damaged");
  }
  for (const wrong of [0, 15]) {
    assertStrictEquals(QUEUE_KIND.inspect(words.subarray(0, wrong), byteLength).state, "foreign");
  }
});

Deno.test("RegionKind.inspect() of a queue refuses constants that no queue can be made with, though their checksum is right", () => {
  const wrongs: Partial<QueueConstants>[] = [
    { capacity: 0 },
    { capacity: -1 },
    { capacity: QUEUE_CAPACITY_MAX + 1 },
    { messageBytesMax: 0 },
    { messageBytesMax: QUEUE_MESSAGE_BYTES_MAX + 1 },
    { priorities: 0 },
    { priorities: QUEUE_PRIORITIES_MAX + 1 },
    { partitions: -1 },
    { partitions: QUEUE_PARTITIONS_MAX + 1 },
    { partitions: 2 },
    { deliveryCountMax: -1 },
    { deadLetterCountMax: 5 },
  ];
  for (const wrong of wrongs) {
    const constants = { ...CONSTANTS, ...wrong };
    const words = new Int32Array(1024);
    QUEUE_KIND.writeHeader(words, constants);
    const inspection = QUEUE_KIND.inspect(words, Math.max(4096, geometryOf(constants).byteLength));
    assertStrictEquals(inspection.state, "damaged", JSON.stringify(wrong));
  }
});

Deno.test("fakeMemory() is a queue's memory", () => {
  const { memory } = fakeMemory({ capacity: 3, messageBytesMax: 8 });
  assertStrictEquals(QUEUE_KIND.inspect(memory.words, memory.bytes.byteLength).state, "ok");
});

nativeTest(
  "SharedQueue.connect() refuses a queue whose header has a flipped byte, and says what is wrong",
  () => {
    using names = new QueueNames();
    const name = names.next();
    SharedQueue.create(name, { capacity: 3, messageBytesMax: 8 }).close();
    using region = SharedMemory.connect(`queue.${name}`);
    for (let at = 0; at < HEADER_BYTES; at++) {
      for (const flip of FLIPS) {
        region.bytes[at] ^= flip;
        assertThrowsMatching(() => SharedQueue.connect(name), {
          name: "InvalidData",
          message: new RegExp(
            `^connect to queue ${name}: it (is no queue|has version -?\\d+, expected 2|is damaged: )|^connect to queue ${name}: its layout`,
          ),
        }, `byte ${at} ^ ${flip}`);
        region.bytes[at] ^= flip;
      }
    }
    SharedQueue.connect(name).close();
  },
);

nativeTest("SharedQueue.connect() refuses what is no queue, and queues that were cut short", () => {
  using names = new QueueNames();
  for (const byteLength of [1, 44, 4095, 4096, 80_000]) {
    const name = names.next();
    SharedMemory.create(`queue.${name}`, { byteLength }).close();
    assertThrowsMatching(() => SharedQueue.connect(name), {
      name: "InvalidData",
      message: `connect to queue ${name}: it is no queue`,
    });
    const initialize = (bytes: Uint8Array<ArrayBuffer>) => {
      const words = new Int32Array(4096 / 4);
      QUEUE_KIND.writeHeader(words, CONSTANTS);
      bytes.set(new Uint8Array(words.buffer).subarray(0, bytes.byteLength));
    };
    SharedMemory.unlink(`queue.${name}`);
    SharedMemory.create(`queue.${name}`, { byteLength, initialize }).close();
    assertThrows(() => SharedQueue.connect(name), Deno.errors.InvalidData);
  }
});
