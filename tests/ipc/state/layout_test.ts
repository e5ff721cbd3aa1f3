import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  BLOCK_BITS,
  BUCKET_BITS,
  CHANGE_COUNT,
  COUNTER,
  geometryOf,
  KIND,
  RECORD,
  RECORD_HEADER_BYTES,
  SPARES_MAX,
  STATE_CAPACITY_MAX,
  STATE_KEY_BYTES_MAX,
  STATE_KIND,
  STATE_MEMBER,
  STATE_PARTICIPANTS_MAX,
  STATE_VALUE_BYTES_MAX,
  WORD,
} from "../../../src/ipc/state/layout.ts";
import {
  isImpossible,
  isSameGeneration,
  moved,
  ownerOf,
  PHASE,
  phaseOf,
  renewed,
} from "../../../src/ipc/state/block_word.ts";
import { fakeState } from "./support.ts";
import { blockOf, nextVersion } from "../../../src/ipc/state/state_memory.ts";

const CONSTANTS = {
  capacity: 1000,
  keyBytesMax: 30,
  valueBytesMax: 100,
  writersMax: 8,
  checksums: 1,
  seed: -5,
};

Deno.test("layout of a state: every number is as it was", () => {
  assertEquals(WORD, {
    sessions: 32,
    looked: 33,
    keys: 64,
    freed: 96,
    lastFreed: 97,
    recoveries: 98,
    watching: 128,
    changes: 160,
    tail: 192,
  });
  assertEquals(STATE_MEMBER, { watches: 6, counters: 16 });
  assertEquals(COUNTER, { set: 0, deleted: 1, expired: 2, refused: 3, damaged: 4 });
  assertEquals(RECORD, {
    next: 0,
    checksum: 1,
    hash: 2,
    keyBytes: 3,
    valueBytes: 4,
    kind: 5,
    version: 6,
    expiresMs: 8,
  });
  assertEquals(KIND, { bytes: 0, counter: 1 });
  assertEquals([RECORD_HEADER_BYTES, BLOCK_BITS, BUCKET_BITS, CHANGE_COUNT, SPARES_MAX], [
    40,
    21,
    24,
    1024,
    2,
  ]);
  assertEquals([STATE_CAPACITY_MAX, STATE_KEY_BYTES_MAX, STATE_VALUE_BYTES_MAX, STATE_PARTICIPANTS_MAX], [
    1_000_000,
    65_536,
    2 ** 26,
    255,
  ]);
  assertEquals([STATE_KIND.format.magic, STATE_KIND.format.version, STATE_KIND.format.layoutHash], [
    0x4154534d,
    1,
    LAYOUT_HASH,
  ]);
  assertEquals(geometryOf(CONSTANTS), {
    bucketCount: 4096,
    blockCount: 1016,
    membersAt: 4096,
    memberBytes: 128,
    changesAt: 36_864,
    bucketsAt: 40_960,
    blocksAt: 73_728,
    recordsAt: 77_824,
    recordBytes: 192,
    byteLength: 272_896,
  });
  // What is largest fits its bits.
  const { blockCount, bucketCount } = geometryOf({
    ...CONSTANTS,
    capacity: STATE_CAPACITY_MAX,
    writersMax: 255,
  });
  assert(blockCount < 2 ** BLOCK_BITS && bucketCount <= 2 ** BUCKET_BITS);
});

const LAYOUT_HASH = STATE_KIND.format.layoutHash;

Deno.test("RegionKind.inspect() tells what is wrong with a region", () => {
  const { byteLength } = geometryOf(CONSTANTS);
  const words = new Int32Array(1024);
  STATE_KIND.writeHeader(words, CONSTANTS);
  assertEquals([...words.subarray(4, 10)], Object.values(CONSTANTS));
  const found = (at: number, change: number, bytes = byteLength): unknown => {
    const copy = words.slice();
    copy[at] ^= change;
    const inspection = STATE_KIND.inspect(copy, bytes);
    return inspection.state === "ok" ? inspection.constants : inspection.found;
  };
  assertEquals(found(0, 0), CONSTANTS);
  assertStrictEquals(found(0, 1), "it is no state");
  assertStrictEquals(found(1, 2), "it has version 3, expected 1");
  assertStrictEquals(found(2, 1), "its layout is another build's");
  for (let at = 3; at < 16; at++) {
    assertStrictEquals(found(at, 1 << at), "it is damaged: the checksum of its header is wrong");
  }
  assertStrictEquals(
    found(0, 0, byteLength - 64),
    `it is damaged: it has ${byteLength - 64} bytes, expected ${byteLength}`,
  );
  assertEquals(STATE_KIND.inspect(words.subarray(0, 8), 32), {
    state: "foreign",
    found: "it is no state",
  });
  for (
    const wrong of [{ capacity: 0 }, { keyBytesMax: 0 }, { valueBytesMax: 2 ** 27 }, { writersMax: 256 }]
  ) {
    STATE_KIND.writeHeader(words, { ...CONSTANTS, ...wrong });
    assertStrictEquals(found(0, 0), "it is damaged: its constants are out of range");
  }
});

Deno.test("words of blocks: generations wrap, and say nothing of phase and owner", () => {
  for (const generation of [0, 1, 2 ** 21 - 1, 2 ** 21, 2 ** 22 - 1]) {
    const word = generation << 10 | PHASE.owned << 8 | 200;
    assertEquals([phaseOf(word), ownerOf(word)], [PHASE.owned, 200]);
    const live = moved(word, PHASE.live, 0);
    assert(isSameGeneration(word, live));
    assertEquals([phaseOf(live), ownerOf(live)], [PHASE.live, 0]);
    const next = renewed(live, PHASE.free, 0);
    assertStrictEquals(next >>> 10, (generation + 1) % 2 ** 22);
    assert(!isSameGeneration(live, next));
  }
  const impossible = [PHASE.free << 8 | 1, PHASE.owned << 8, PHASE.live << 8 | 1, 3 << 8, 3 << 8 | 1];
  for (const word of impossible) assert(isImpossible(word));
  for (const word of [0, PHASE.owned << 8 | 1, PHASE.live << 8]) assert(!isImpossible(word));
});

Deno.test("StateMemory.lead() counts the tag of a bucket up over both of its words", () => {
  const memory = fakeState({ capacity: 2 });
  const at = memory.buckets;
  for (
    const [low, high, version] of [
      [0, 0, 1],
      [7, -1, 2 ** 32],
      [3 << BLOCK_BITS | 7, -1, 4 * 2 ** 32],
      [1 << BLOCK_BITS, 41, 2 ** 32 + 42],
      [0, 2 ** 31 - 1, 2 ** 31],
    ] as const
  ) {
    memory.words[at] = low;
    memory.words[at + 1] = high;
    assertStrictEquals(nextVersion(low, high), version);
    assertStrictEquals(memory.lead(at, low ^ 1, high, 2), false);
    assertStrictEquals(memory.lead(at, low, high ^ 1, 2), false);
    assertStrictEquals(memory.lead(at, low, high, 2), true);
    assertStrictEquals(blockOf(memory.words[at]), 2);
    assertStrictEquals(nextVersion(memory.words[at], memory.words[at + 1]), version + 1);
    assertStrictEquals(memory.lead(at, memory.words[at], memory.words[at + 1], -1), true);
    assertStrictEquals(blockOf(memory.words[at]), -1);
  }
});
