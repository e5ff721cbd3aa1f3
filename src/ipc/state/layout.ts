/**
 * The bytes of a state's region. Numbers are in the machine's order (little-endian where Deno runs on Linux); words are `Int32`, and
 * everything that two processes may look at meanwhile is read and written through `Atomics`.
 *
 * ```text
 *    byte  0        4        8        12       16       20       24       28       32       36
 *          ├────────┼────────┼────────┼────────┼────────┼────────┼────────┼────────┼────────┤
 *       0  │ magic  │version │ layout │ check- │capacity│  key   │ value  │writers │ check- │ seed   │   constants from 16 on
 *          │        │        │  hash  │  sum   │        │bytesMax│bytesMax│  Max   │ sums   │        │
 *          ├────────┼────────┴────────┴────────┴────────┴────────┴────────┴────────┴────────┴────────┘
 *     128  │sessions│ looked │   how many participants there have been; when native code last looked for the dead, in milliseconds
 *          ├────────┤
 *     256  │  keys  │   keys that there are, or that are about to be
 *          ├────────┼────────┬────────┐
 *     384  │ freed  │ where  │recover-│   how often a block became free, the last one that did, and how often the dead were seen to
 *          ├────────┼────────┴────────┘
 *     512  │watching│   watches that there are; too high for ever where one who watched has died at the wrong moment
 *          ├────────┼────────┬────────┐
 *     640  │signal  │ armed  │disarmed│   changes: who watches sleeps on `signal`; see src/ipc/sharing/notifier.ts
 *          ├────────┼────────┴────────┘
 *     768  │  tail  │   of the ring of changes: how many there have been while there were watches
 *          ├────────┤
 *    4096  │ members: 256 of 128 bytes; number 0 is nobody; see src/ipc/sharing/members.ts
 *          ├────────
 *   36864  │ changes: 1024 words, a ring of hints which buckets have changed
 *          ├────────
 *   40960  │ buckets: `bucketCount` of 64 bits, which hold the truth
 *          ├────────
 *          │ blocks: `blockCount` words: whose each record is
 *          ├────────
 *          │ records: `blockCount` of `recordBytes` bytes
 *          └────────
 *
 *   bucket: upper word: tag, lower 32 bits; lower word: tag, upper 11 bits │ block: 21, from 1, the first of its chain, 0: none
 *   block:  generation: 22 │ phase: 2 │ owner: 8          see block_word.ts
 *   change: lap: 8 │ bucket: 24
 * ```
 *
 * A bucket has the keys whose hash, modulo the number of buckets, is its number. It leads to a chain of records. Whatever changes in a bucket
 * changes by one 64-bit compare-and-swap of its word, which counts the tag up: so who finds the word as it was has seen a chain that nobody
 * has changed meanwhile. The tag at which a value came is its version.
 *
 * A record is written by the owner of its block, before the bucket leads to it; nobody changes it while a bucket does.
 *
 * ```text
 *          0        4        8        12       16       20       24                32                40
 *          ├────────┼────────┼────────┼────────┼────────┼────────┼─────────────────┼─────────────────┤
 *       0  │ next   │ check- │ hash   │ key    │ value  │ kind   │ version         │ expires, ms     │   next: block, from 1
 *          │        │  sum   │        │ bytes  │ bytes  │        │ float64         │ (0: never)      │   checksum: of what is behind it
 *          ├────────┴────────┴────────┴────────┴────────┴────────┴─────────────────┴─────────────────┘
 *      40  │ key, zeroes up to a multiple of 8, value
 *          └────────
 * ```
 *
 * Behind the words that every member has, one of a state has: at byte 24 how many watches it has; from byte 64 on its counters, float64 each,
 * of all who have had this number (see COUNTER).
 */

import { assert, fnv1a } from "../../base/mod.ts";
import {
  ANY_WORD,
  type Constants,
  HEADER,
  MEMBER,
  MEMBERS_MAX,
  RegionKind,
  YES_OR_NO,
} from "../sharing/mod.ts";

/** Words of the header, as indices of an `Int32Array`. */
export const WORD = {
  sessions: 32,
  looked: 33,
  keys: 64,
  freed: 96,
  lastFreed: 97,
  recoveries: 98,
  watching: 128,
  changes: 160,
  tail: 192,
} as const;

/** Words of a member, from where it begins, behind `MEMBER`. */
export const STATE_MEMBER = { watches: 6, counters: 16 } as const;

/** Counters of a member, as indices of a `Float64Array` that begins at its `counters`. */
export const COUNTER = { set: 0, deleted: 1, expired: 2, refused: 3, damaged: 4 } as const;

/** Words of a record, from where it begins. */
export const RECORD = {
  next: 0,
  checksum: 1,
  hash: 2,
  keyBytes: 3,
  valueBytes: 4,
  kind: 5,
  version: 6,
  expiresMs: 8,
} as const;

/** Bytes of a record before the key. */
export const RECORD_HEADER_BYTES = 40;
/** What a value is: bytes, or a float64 that `increment()` adds to. */
export const KIND = { bytes: 0, counter: 1 } as const;

/** Bits of the number of a block in a bucket's word. */
export const BLOCK_BITS = 21;
/** Bits of the number of a bucket in a change. */
export const BUCKET_BITS = 24;
/** Cells of the ring of changes, a power of two. */
export const CHANGE_COUNT = 1024;

const MEMBERS_AT = 4096;
const MEMBER_BYTES = 128;
const CHANGES_AT = MEMBERS_AT + (MEMBERS_MAX + 1) * MEMBER_BYTES;
const BUCKETS_AT = CHANGES_AT + CHANGE_COUNT * 4;
/** Buckets for each key: few keys share one, which makes changes of the second cost more. */
const BUCKETS_PER_KEY = 4;
/** Blocks that an opener keeps for its next changes. */
export const SPARES_MAX = 2;

/** Keys that a state can hold at most. */
export const STATE_CAPACITY_MAX = 1_000_000;
/** The longest key that a state can be made for, in bytes of UTF-8. */
export const STATE_KEY_BYTES_MAX = 65_536;
/** The longest value that a state can be made for, in bytes: 64 MiB. */
export const STATE_VALUE_BYTES_MAX = 2 ** 26;
/** Openers that a state can have at once; the same for locks, semaphores and pools. */
export const STATE_PARTICIPANTS_MAX: number = MEMBERS_MAX;

/** The constants that a state is made with, and their ranges. */
const CONSTANTS = {
  capacity: [1, STATE_CAPACITY_MAX],
  keyBytesMax: [1, STATE_KEY_BYTES_MAX],
  valueBytesMax: [1, STATE_VALUE_BYTES_MAX],
  /** Openers that may write at once without taking room for keys. */
  writersMax: [1, MEMBERS_MAX],
  /** Whether each record has a checksum. */
  checksums: YES_OR_NO,
  /** What hashes begin with. */
  seed: ANY_WORD,
} as const;
/** What a state is made with. */
export type StateConstants = Constants<keyof typeof CONSTANTS>;

/** Where things are in a state's region, in bytes from its start, and how many. */
export interface StateGeometry {
  /** A power of two. */
  readonly bucketCount: number;
  readonly blockCount: number;
  readonly membersAt: number;
  readonly memberBytes: number;
  readonly changesAt: number;
  readonly bucketsAt: number;
  readonly blocksAt: number;
  readonly recordsAt: number;
  readonly recordBytes: number;
  readonly byteLength: number;
}

/** The geometry that follows from a state's constants. */
export function geometryOf(
  { capacity, keyBytesMax, valueBytesMax, writersMax }: StateConstants,
): StateGeometry {
  const bucketCount = 2 ** Math.ceil(Math.log2(BUCKETS_PER_KEY * capacity));
  const blockCount = capacity + SPARES_MAX * writersMax;
  assert(bucketCount <= 2 ** BUCKET_BITS, `geometryOf: ${bucketCount} buckets, more than a change can name`);
  assert(blockCount < 2 ** BLOCK_BITS, `geometryOf: ${blockCount} blocks, more than a bucket can name`);
  const blocksAt = BUCKETS_AT + bucketCount * 8;
  const recordsAt = roundUp(blocksAt + blockCount * 4, 64);
  const recordBytes = roundUp(RECORD_HEADER_BYTES + roundUp(keyBytesMax, 8) + valueBytesMax, 64);
  return {
    bucketCount,
    blockCount,
    membersAt: MEMBERS_AT,
    memberBytes: MEMBER_BYTES,
    changesAt: CHANGES_AT,
    bucketsAt: BUCKETS_AT,
    blocksAt,
    recordsAt,
    recordBytes,
    byteLength: recordsAt + blockCount * recordBytes,
  };
}

/** States, as a kind of region. */
export const STATE_KIND: RegionKind<keyof StateConstants> = new RegionKind({
  noun: "state",
  magic: 0x4154534d,
  version: 1,
  layoutHash: fnv1a([
    ...[HEADER, MEMBER, WORD, STATE_MEMBER, COUNTER, RECORD, KIND].flatMap((words) => Object.values(words)),
    ...[RECORD_HEADER_BYTES, BLOCK_BITS, BUCKET_BITS, CHANGE_COUNT, MEMBERS_AT, MEMBER_BYTES],
    ...[BUCKETS_PER_KEY, SPARES_MAX, MEMBERS_MAX],
  ]),
  constants: CONSTANTS,
  byteLengthOf: (constants) => geometryOf(constants).byteLength,
});

function roundUp(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}
