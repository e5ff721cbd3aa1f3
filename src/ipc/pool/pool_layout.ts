/**
 * The bytes of the region of a pool. Words are `Int32`, and read and written through `Atomics`.
 *
 * ```text
 *    byte  0        4        8        12       16       20
 *          ├────────┼────────┼────────┼────────┼────────┼────────┤
 *       0  │ magic  │version │ layout │ check- │ blocks │ block  │
 *          │        │        │  hash  │  sum   │        │ bytes  │
 *          ├────────┼────────┴────────┴────────┴────────┴────────┘
 *     128  │sessions│ looked │   how many participants there have been; when native code last looked for the dead, in milliseconds
 *          ├────────┼────────┬────────┐
 *     256  │signal  │ armed  │disarmed│   room: who waits for a free block sleeps on `signal`
 *          ├────────┼────────┴────────┘
 *     384  │ freed  │   how often a block became free
 *          ├────────┤
 *    4096  │ members: 256 of 128 bytes; number 0 is nobody; see src/ipc/sharing/members.ts
 *          ├────────
 *   36864  │ words: one for each block, which holds the truth
 *          ├────────
 *          │ blocks: each at a multiple of 64 bytes
 *          └────────
 *
 *   word:  generation: 22 │ phase: 2 │ owner: 8
 * ```
 *
 * | phase   | owner   | meaning                                         | next                                                       |
 * | ------- | ------- | ----------------------------------------------- | ---------------------------------------------------------- |
 * | free    | nobody  | available                                       | owned                                                      |
 * | owned   | owner   | a participant owns it                           | free, generation + 1, when released, or its owner has died |
 * |         |         |                                                 | offered                                                    |
 * | offered | offerer | on offer under its name and generation          | owned, by that one, generation + 1; free, generation + 1;  |
 * |         |         |                                                 | owned, by the offerer again, generation + 1                |
 *
 * Behind the words that every member has, from byte 64 on: its counters, float64 each, of all who have had this number (see POOL_COUNTER).
 */

import { fnv1a } from "../../base/mod.ts";
import { HEADER, MEMBER, MEMBERS_MAX, RegionKind } from "../sharing/mod.ts";

/** Words of the header, as indices of an `Int32Array`. */
export const POOL_WORD = { sessions: 32, looked: 33, room: 64, freed: 96 } as const;

/** Words of a member, from where it begins, behind `MEMBER`. */
export const POOL_MEMBER = { counters: 16 } as const;

/** Counters of a member, as indices of a `Float64Array` that begins at its `counters`. */
export const POOL_COUNTER = { acquired: 0, released: 1, taken: 2, recovered: 3 } as const;

/** What is with a block. */
export const POOL_PHASE = { free: 0, owned: 1, offered: 2 } as const;

/** Where the members begin, in bytes. */
export const POOL_MEMBERS_AT = 4096;
/** Bytes of each. */
export const POOL_MEMBER_BYTES = 128;
/** Index of the word of block 0. */
export const POOL_WORDS_AT: number = (POOL_MEMBERS_AT + (MEMBERS_MAX + 1) * POOL_MEMBER_BYTES) / 4;

/** Blocks that a pool can have. */
export const POOL_BLOCKS_MAX = 1_000_000;
/** The longest block that a pool can be made for, in bytes: 256 MiB. */
export const POOL_BLOCK_BYTES_MAX = 2 ** 28;

/** Where things are in a pool's region, in bytes from its start. */
export interface PoolGeometry {
  readonly blocksAt: number;
  /** From one block to the next. */
  readonly strideBytes: number;
  readonly byteLength: number;
}

/** The geometry of a pool of so many blocks of so many bytes. */
export function poolGeometryOf(blockCount: number, blockBytes: number): PoolGeometry {
  const blocksAt = roundUp(POOL_WORDS_AT * 4 + blockCount * 4);
  const strideBytes = roundUp(blockBytes);
  return { blocksAt, strideBytes, byteLength: blocksAt + blockCount * strideBytes };
}

/** Pools, as a kind of region. */
export const POOL_KIND: RegionKind<"blockCount" | "blockBytes"> = new RegionKind({
  noun: "pool",
  magic: 0x4c4f504d,
  version: 1,
  layoutHash: fnv1a([
    ...[HEADER, MEMBER, POOL_WORD, POOL_MEMBER, POOL_COUNTER, POOL_PHASE].flatMap((words) =>
      Object.values(words)
    ),
    ...[POOL_MEMBERS_AT, POOL_MEMBER_BYTES, MEMBERS_MAX],
  ]),
  constants: { blockCount: [1, POOL_BLOCKS_MAX], blockBytes: [1, POOL_BLOCK_BYTES_MAX] },
  byteLengthOf: ({ blockCount, blockBytes }) => poolGeometryOf(blockCount, blockBytes).byteLength,
});

function roundUp(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
