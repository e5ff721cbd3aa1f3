/**
 * The bytes of a queue's region. Numbers are in the machine's order (little-endian where Deno runs on Linux); words are `Int32`,
 * and everything that two processes may look at meanwhile is read and written through `Atomics`.
 *
 * ```text
 *    byte  0        4        8        12       16       20       24       28       32       36       40       44       48
 *          ├────────┼────────┼────────┼────────┼────────┼────────┼────────┼────────┼────────┼────────┼────────┼────────┤
 *       0  │ magic  │version │ layout │ check- │capacity│ message│priori- │parti-  │delivery│ dead   │ check- │identity│   constants from 16 on
 *          │        │        │  hash  │  sum   │        │bytesMax│ties    │tions   │countMax│ letters│ sums   │        │
 *          ├────────┼────────┼────────┴────────┴────────┴────────┴────────┴────────┴────────┴────────┴────────┴────────┘
 *     128  │sessions│ looked │   how many participants there have been; when native code last looked for the dead, in milliseconds
 *          ├────────┼────────┼────────┐
 *     256  │signal  │ armed  │disarmed│   items: consumers sleep on `signal`; see src/ipc/sharing/notifier.ts
 *          ├────────┼────────┼────────┤
 *     384  │signal  │ armed  │disarmed│   dead letters: who waits for these does
 *          ├────────┼────────┼────────┤
 *     512  │signal  │ armed  │disarmed│   room: producers do
 *          ├────────┼────────┼────────┤
 *     640  │signal  │ armed  │disarmed│   boxes: who waits for a box of the mailbox does
 *          ├────────┴────────┴────────┘
 *    4096  │ participants: 256 of 256 bytes; number 0 is nobody
 *          ├────────
 *   69632  │ lanes: 512 bytes each: one per priority or partition, then that of the dead letters
 *          ├────────
 *          │ cells: of each lane `cellCount` words, hints where messages are
 *          ├────────
 *          │ slots: `capacity` words, which hold the truth
 *          ├────────
 *          │ records: `capacity` of `recordBytes` bytes, what is in the slots
 *          └────────
 * ```
 *
 * A participant is an opener of the queue. It is alive while it holds lock `n` of the region, `n` being its number:
 *
 * ```text
 *          0        4        8                 16                24       28
 *          ├────────┼────────┼─────────────────┼─────────────────┼────────┐
 *       0  │session │  pid   │ process started │ attached        │mailbox │   session 0: nobody; mailbox 1: has it open
 *          ├────────┴────────┴─────────────────┴─────────────────┴────────┘
 *      64  │ counters: float64 each, of all who have had this number, written by who has it  (see COUNTER)
 *          ├────────┬────────┬────────┬────────┬────────┐
 *     128  │signal  │ armed  │disarmed│replied │ lost   │   replies to its requests; replied: last slot with one, from 1; lost: 1 when
 *          └────────┴────────┴────────┴────────┴────────┘   a request has gone without a reply; see reply_hints.ts
 * ```
 *
 * A lane:
 *
 * ```text
 *          ├────────┤
 *       0  │  head  │   of its cells
 *          ├────────┤
 *     128  │  tail  │
 *          ├────────┤
 *     256  │ owner  │   of a partition: the participant that has a message of it
 *          └────────┘
 *
 *   cell:  lap: 15 │ full: 1 │ slot: 16
 *   slot:  generation: 21 │ phase: 3 │ owner: 8         see slot_word.ts
 * ```
 *
 * A record belongs to the owner of its slot. What the owner has written is visible to the next one through the slot's word.
 *
 * ```text
 *          0        4        8        12       16       20       24       28       32
 *          ├────────┼────────┼────────┼────────┼────────┼────────┼────────┼────────┤
 *       0  │ bytes  │delivery│ id,    │ id,    │ route  │ box    │ box    │previous│   box, previous: numbers from 1, 0: none
 *          │        │ count  │sequence│session │        │        │ gener. │ slot   │
 *          ├────────┴────────┼────────┴────────┼────────┼────────┼────────┼────────┤
 *      32  │ sent, ms        │ expires, ms     │request │cancel- │checksum│previous│   cancelled: atomic: 1 + the generation of
 *          │                 │ (0: never)      │session │led     │        │ gener. │   the request that nobody waits for
 *          ├─────────────────┴─────────────────┴────────┴────────┴────────┴────────┘
 *      64  │ message bytes
 *          └────────
 *
 *   route: flags: 8 │ requester: 8 │ sent to lane: 8 │ lane: 8
 * ```
 *
 * Slots and hints after the design in docs/queue.md. Lines that different processes write are 128 bytes apart, because
 * processors fetch them in pairs.
 */

import { QUEUE_COUNTER, QUEUE_FLAG, QUEUE_LANE, QUEUE_RECORD } from "../../../ffi/mod.ts";
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
  items: 64,
  deadLetters: 96,
  room: 128,
  boxes: 160,
} as const;

/** Words of a participant, from where it begins. */
export const PARTICIPANT = {
  ...MEMBER,
  mailbox: 6,
  counters: 16,
  replies: 32,
  replied: 35,
  lost: 36,
} as const;

/** Counters of a participant, as indices of a `Float64Array` that begins at its `counters`. */
export const COUNTER = QUEUE_COUNTER;

/** Words of a lane, from where it begins. */
export const LANE = QUEUE_LANE;

/** Words of a record, from where it begins. */
export const RECORD = QUEUE_RECORD;

/** Bits of a record's flags. */
export const FLAG = QUEUE_FLAG;

/** Bytes of a record before the message. */
export const RECORD_HEADER_BYTES = QUEUE_RECORD.headerBytes;

const PARTICIPANTS_AT = 4096;
const PARTICIPANT_BYTES = 256;
const LANE_BYTES = 512;
const LINE_BYTES = 128;

/** Openers that a queue can have at once. */
export const QUEUE_PARTICIPANTS_MAX: number = MEMBERS_MAX;
/** Messages that a queue can hold at most. */
export const QUEUE_CAPACITY_MAX = 65_536;
/** The longest message that a queue can be made for, in bytes: 64 MiB. */
export const QUEUE_MESSAGE_BYTES_MAX = 2 ** 26;
/** Priorities that a queue can have. */
export const QUEUE_PRIORITIES_MAX = 16;
/** Partitions that a queue can have. */
export const QUEUE_PARTITIONS_MAX = 64;
/** Deliveries after which a message can go to the dead letters, at most. */
export const QUEUE_DELIVERY_COUNT_MAX = 2 ** 20;

/** The constants that a queue is made with, and their ranges. */
const CONSTANTS = {
  capacity: [1, QUEUE_CAPACITY_MAX],
  messageBytesMax: [1, QUEUE_MESSAGE_BYTES_MAX],
  /** 1 where there are partitions. */
  priorities: [1, QUEUE_PRIORITIES_MAX],
  /** 0: none. */
  partitions: [0, QUEUE_PARTITIONS_MAX],
  /** 0: no limit. */
  deliveryCountMax: [0, QUEUE_DELIVERY_COUNT_MAX],
  deadLetterCountMax: [0, QUEUE_CAPACITY_MAX - 1],
  /** Whether each message has a checksum of its own. */
  checksums: YES_OR_NO,
  /** A number that hardly any other queue has: by it its mailbox knows it from one that has its name later. */
  identity: ANY_WORD,
} as const;
/** What a queue is made with. */
export type QueueConstants = Constants<keyof typeof CONSTANTS>;

/** Where things are in a queue's region, in bytes from its start, and how many. */
export interface QueueGeometry {
  /** Lanes of priorities or partitions; that of the dead letters is the one behind them. */
  readonly laneCount: number;
  /** Cells of one lane, a power of two. */
  readonly cellCount: number;
  readonly lanesAt: number;
  readonly cellsAt: number;
  readonly slotsAt: number;
  readonly recordsAt: number;
  readonly recordBytes: number;
  readonly byteLength: number;
}

/** Where participant `number` begins, in bytes. */
export function participantAt(number: number): number {
  return PARTICIPANTS_AT + number * PARTICIPANT_BYTES;
}

/** Index of the words of the signal that replies to the requests of a participant come by. */
export function repliesOf(number: number): number {
  return (participantAt(number) >> 2) + PARTICIPANT.replies;
}

/** Where lane `lane` begins, in bytes. */
export function laneAt({ lanesAt }: QueueGeometry, lane: number): number {
  return lanesAt + lane * LANE_BYTES;
}

/** The geometry that follows from a queue's constants. */
export function geometryOf(
  { capacity, messageBytesMax, priorities, partitions }: QueueConstants,
): QueueGeometry {
  const laneCount = partitions > 0 ? partitions : priorities;
  // Twice the slots, so that hints whose messages have gone another way leave room; and room for one of each participant.
  const cellCount = 2 ** Math.ceil(Math.log2(Math.max(2 * capacity, 2 * (QUEUE_PARTICIPANTS_MAX + 1))));
  assert(Number.isInteger(Math.log2(cellCount)), `geometryOf: ${cellCount} cells are no power of two`);
  const lanesAt = PARTICIPANTS_AT + (QUEUE_PARTICIPANTS_MAX + 1) * PARTICIPANT_BYTES;
  const cellsAt = lanesAt + (laneCount + 1) * LANE_BYTES;
  const slotsAt = cellsAt + (laneCount + 1) * cellCount * 4;
  const recordsAt = roundUp(slotsAt + capacity * 4, LINE_BYTES);
  const recordBytes = roundUp(RECORD_HEADER_BYTES + messageBytesMax, 64);
  const byteLength = recordsAt + capacity * recordBytes;
  return { laneCount, cellCount, lanesAt, cellsAt, slotsAt, recordsAt, recordBytes, byteLength };
}

/** Queues, as a kind of region. */
export const QUEUE_KIND: RegionKind<keyof QueueConstants> = new RegionKind({
  noun: "queue",
  magic: 0x4555514d,
  version: 2,
  layoutHash: fnv1a([
    ...[HEADER, WORD, PARTICIPANT, COUNTER, LANE, RECORD, FLAG].flatMap((words) => Object.values(words)),
    ...[RECORD_HEADER_BYTES, PARTICIPANTS_AT, PARTICIPANT_BYTES, LANE_BYTES, LINE_BYTES, MEMBERS_MAX],
  ]),
  constants: CONSTANTS,
  unlimited: "deliveryCountMax",
  byteLengthOf(constants) {
    const { capacity, priorities, partitions, deadLetterCountMax } = constants;
    const isPossible = (partitions === 0 || priorities === 1) && deadLetterCountMax < capacity;
    return isPossible ? geometryOf(constants).byteLength : undefined;
  },
});

function roundUp(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}
