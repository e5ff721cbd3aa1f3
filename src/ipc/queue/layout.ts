/**
 * The bytes of a queue's region. Numbers are in the machine's order (little-endian where Deno runs on Linux); words are `Int32`,
 * and everything that two processes may look at meanwhile is read and written through `Atomics`.
 *
 * ```text
 *    byte  0        4        8        12       16       20       24       28       32       36       40       44       48
 *          ├────────┼────────┼────────┼────────┼────────┼────────┼────────┼────────┼────────┼────────┼────────┼────────┤
 *       0  │ magic  │version │ layout │capacity│ message│priori- │parti-  │delivery│ dead   │ check- │ header │identity│
 *          │        │        │  hash  │        │bytesMax│ties    │tions   │countMax│ letters│ sums   │checksum│        │
 *          ├────────┼────────┼────────┴────────┴────────┴────────┴────────┴────────┴────────┴────────┴────────┴────────┘
 *     128  │sessions│ looked │   how many participants there have been; when native code last looked for the dead, in milliseconds
 *          ├────────┼────────┼────────┐
 *     256  │signal  │ armed  │disarmed│   items: consumers sleep on `signal`; see src/ipc/sharing/signal.ts
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
 * The creator writes the constants (bytes 0 to 48) before the region is `ready`; nobody writes them afterwards.
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
import { fnv1a } from "../../base/mod.ts";
import { MEMBER, MEMBERS_MAX } from "../sharing/mod.ts";

/** "MQUE", read as a little-endian word. */
export const QUEUE_MAGIC = 0x4555514d;
/** The same as bytes: what the region of a queue begins with. */
export const QUEUE_MAGIC_BYTES: Uint8Array = new Uint8Array(new Int32Array([QUEUE_MAGIC]).buffer);
/** Changes with the meaning of any byte. */
export const QUEUE_VERSION = 1;

/** Words of the header, as indices of an `Int32Array`. */
export const WORD = {
  magic: 0,
  version: 1,
  layoutHash: 2,
  capacity: 3,
  messageBytesMax: 4,
  priorities: 5,
  partitions: 6,
  deliveryCountMax: 7,
  deadLetterCountMax: 8,
  checksums: 9,
  headerChecksum: 10,
  identity: 11,
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

/** A number that differs where any offset or meaning above does; peers of other builds are told apart by it. */
export const LAYOUT_HASH: number = fnv1a([
  QUEUE_VERSION,
  ...[WORD, PARTICIPANT, COUNTER, LANE, RECORD, FLAG].flatMap((words) => Object.values(words)),
  RECORD_HEADER_BYTES,
  PARTICIPANTS_AT,
  PARTICIPANT_BYTES,
  LANE_BYTES,
  LINE_BYTES,
  QUEUE_PARTICIPANTS_MAX,
]);

/** What a queue is made with: its constants. */
export interface QueueConstants {
  readonly capacity: number;
  readonly messageBytesMax: number;
  /** 1 where there are partitions. */
  readonly priorities: number;
  /** 0: none. */
  readonly partitions: number;
  /** 0: no limit. */
  readonly deliveryCountMax: number;
  readonly deadLetterCountMax: number;
  /** Whether each message has a checksum of its own. */
  readonly checksums: boolean;
  /** A number that hardly any other queue has: by it its mailbox knows it from one that has its name later. */
  readonly identity: number;
}

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
  const lanesAt = PARTICIPANTS_AT + (QUEUE_PARTICIPANTS_MAX + 1) * PARTICIPANT_BYTES;
  const cellsAt = lanesAt + (laneCount + 1) * LANE_BYTES;
  const slotsAt = cellsAt + (laneCount + 1) * cellCount * 4;
  const recordsAt = roundUp(slotsAt + capacity * 4, LINE_BYTES);
  const recordBytes = roundUp(RECORD_HEADER_BYTES + messageBytesMax, 64);
  const byteLength = recordsAt + capacity * recordBytes;
  return { laneCount, cellCount, lanesAt, cellsAt, slotsAt, recordsAt, recordBytes, byteLength };
}

/** Writes the constants of a queue to its region. */
export function writeConstants(words: Int32Array, constants: QueueConstants): void {
  words[WORD.magic] = QUEUE_MAGIC;
  words[WORD.version] = QUEUE_VERSION;
  words[WORD.layoutHash] = LAYOUT_HASH;
  words[WORD.capacity] = constants.capacity;
  words[WORD.messageBytesMax] = constants.messageBytesMax;
  words[WORD.priorities] = constants.priorities;
  words[WORD.partitions] = constants.partitions;
  words[WORD.deliveryCountMax] = constants.deliveryCountMax;
  words[WORD.deadLetterCountMax] = constants.deadLetterCountMax;
  words[WORD.checksums] = constants.checksums ? 1 : 0;
  words[WORD.identity] = constants.identity;
  words[WORD.headerChecksum] = headerChecksum(words);
}

/** What a region says it is: a queue with these constants, or what is wrong with it. */
export type QueueInspection =
  | { readonly state: "queue"; readonly constants: QueueConstants }
  | { readonly state: "foreign" | "other version" | "damaged"; readonly found: string };

/** Looks at the constants of a region of `byteLength` bytes that begins with `words`. */
export function inspectQueue(words: Int32Array, byteLength: number): QueueInspection {
  if (byteLength < PARTICIPANTS_AT || words[WORD.magic] !== QUEUE_MAGIC) {
    return { state: "foreign", found: "it is no queue" };
  }
  const version = words[WORD.version];
  if (version !== QUEUE_VERSION) {
    return { state: "other version", found: `it has version ${version}, expected ${QUEUE_VERSION}` };
  }
  if (words[WORD.layoutHash] !== LAYOUT_HASH) {
    return { state: "other version", found: "its layout is another build's" };
  }
  if (words[WORD.headerChecksum] !== headerChecksum(words)) {
    return { state: "damaged", found: "it is damaged: the checksum of its header is wrong" };
  }
  const constants: QueueConstants = {
    capacity: words[WORD.capacity],
    messageBytesMax: words[WORD.messageBytesMax],
    priorities: words[WORD.priorities],
    partitions: words[WORD.partitions],
    deliveryCountMax: words[WORD.deliveryCountMax],
    deadLetterCountMax: words[WORD.deadLetterCountMax],
    checksums: words[WORD.checksums] !== 0,
    identity: words[WORD.identity],
  };
  if (!isPossible(constants)) {
    return { state: "damaged", found: "it is damaged: its constants are out of range" };
  }
  const expected = geometryOf(constants).byteLength;
  if (byteLength !== expected) {
    return { state: "damaged", found: `it is damaged: it has ${byteLength} bytes, expected ${expected}` };
  }
  return { state: "queue", constants };
}

/** Whether a queue can be made with such constants. */
function isPossible(constants: QueueConstants): boolean {
  const { capacity, messageBytesMax, priorities, partitions } = constants;
  return isWithin(capacity, 1, QUEUE_CAPACITY_MAX) &&
    isWithin(messageBytesMax, 1, QUEUE_MESSAGE_BYTES_MAX) &&
    isWithin(priorities, 1, partitions > 0 ? 1 : QUEUE_PRIORITIES_MAX) &&
    isWithin(partitions, 0, QUEUE_PARTITIONS_MAX) &&
    isWithin(constants.deliveryCountMax, 0, QUEUE_DELIVERY_COUNT_MAX) &&
    isWithin(constants.deadLetterCountMax, 0, capacity - 1);
}

function isWithin(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

function headerChecksum(words: Int32Array): number {
  return fnv1a([...words.subarray(0, WORD.headerChecksum), words[WORD.identity]]);
}

function roundUp(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to;
}
