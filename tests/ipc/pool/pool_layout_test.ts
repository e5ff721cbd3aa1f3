import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import {
  POOL_BLOCK_BYTES_MAX,
  POOL_BLOCKS_MAX,
  POOL_COUNTER,
  POOL_KIND,
  POOL_MEMBER,
  POOL_MEMBER_BYTES,
  POOL_MEMBERS_AT,
  POOL_PHASE,
  POOL_WORD,
  POOL_WORDS_AT,
  poolGeometryOf,
} from "../../../src/ipc/pool/pool_layout.ts";
import {
  blockOfReference,
  isImpossiblePoolWord,
  poolGenerationOf,
  poolOwnerOf,
  poolPhaseOf,
  poolWordOf,
  referenceOf,
} from "../../../src/ipc/pool/pool_word.ts";

Deno.test("layout of a pool: every number is as it was", () => {
  assertEquals(POOL_WORD, { sessions: 32, looked: 33, room: 64, freed: 96 });
  assertEquals(POOL_MEMBER, { counters: 16 });
  assertEquals(POOL_COUNTER, { acquired: 0, released: 1, taken: 2, recovered: 3 });
  assertEquals(POOL_PHASE, { free: 0, owned: 1, offered: 2 });
  assertEquals([POOL_MEMBERS_AT, POOL_MEMBER_BYTES, POOL_WORDS_AT], [4096, 128, 9216]);
  assertEquals([POOL_KIND.format.magic, POOL_KIND.format.version], [0x4c4f504d, 1]);
  assertEquals(poolGeometryOf(3, 100), { blocksAt: 36_928, strideBytes: 128, byteLength: 37_312 });
  const found = (blockCount: number, blockBytes: number): unknown => {
    const words = new Int32Array(16);
    POOL_KIND.writeHeader(words, { blockCount, blockBytes });
    const inspection = POOL_KIND.inspect(words, 37_312);
    return inspection.state === "ok" ? inspection.constants : inspection.found;
  };
  assertEquals(found(3, 100), { blockCount: 3, blockBytes: 100 });
  for (
    const [blockCount, blockBytes] of [
      [0, 1],
      [1, 0],
      [-1, 1],
      [1, POOL_BLOCK_BYTES_MAX + 1],
      [POOL_BLOCKS_MAX + 1, 1],
    ]
  ) {
    assertStrictEquals(found(blockCount, blockBytes), "it is damaged: its constants are out of range");
  }
  assertMatch(
    String(found(POOL_BLOCKS_MAX, 10_000)),
    /^it is damaged: it has 37312 bytes, expected 1\d{10}$/,
  );
});

Deno.test("references to blocks: there and back, generations wrap, and what is none is none", () => {
  for (const generation of [0, 1, 2 ** 21, 2 ** 22 - 1]) {
    const word = poolWordOf(generation, POOL_PHASE.offered, 255);
    assertEquals([poolGenerationOf(word), poolPhaseOf(word), poolOwnerOf(word)], [generation, 2, 255]);
    for (const block of [0, 1, POOL_BLOCKS_MAX - 1]) {
      const reference = referenceOf(block, generation);
      assert(Number.isSafeInteger(reference) && reference > 0);
      assertEquals(blockOfReference(reference, POOL_BLOCKS_MAX), { block, generation });
    }
  }
  assertStrictEquals(poolGenerationOf(poolWordOf(2 ** 22, POOL_PHASE.free, 0)), 0);
  for (const reference of [0, -1, 1.5, NaN, 2 ** 53]) {
    assertStrictEquals(blockOfReference(reference, 10), undefined);
  }
  assertStrictEquals(blockOfReference(referenceOf(10, 0), 10), undefined);
  for (const word of [1, 1 << 8, 3 << 8 | 1]) assert(isImpossiblePoolWord(word));
});
