import { fnv1a } from "../../base/mod.ts";
import { ANY_WORD, type ConstantRange, type Constants, HEADER, RegionKind } from "../sharing/mod.ts";

/**
 * The bytes of a mailbox's region. Numbers are in the machine's order; words are `Int32`.
 *
 * ```text
 *    byte  0        4        8        12       16       20       48
 *          ├────────┼────────┼────────┼────────┼────────┼────────┤
 *       0  │ magic  │version │ layout │ check- │identity│ counts │   constants from 16 on: the identity is that of the queue it belongs to;
 *          │        │        │  hash  │  sum   │of queue│        │   counts: how many boxes there are of each size, a word each
 *          ├────────┴────────┴────────┴────────┴────────┴────────┘
 *     256  │ boxes: 2 words each, in the order of their sizes: state, bytes used
 *          ├────────
 *          │ contents of the boxes, each at a multiple of 4096
 *          └────────
 *
 *   state:  generation: 21 │ phase: 3 │ owner: 8          as of a slot, see slot_word.ts
 * ```
 *
 * | phase   | owner       | meaning                                              | next                                         |
 * | ------- | ----------- | ---------------------------------------------------- | -------------------------------------------- |
 * | free    | nobody      | holds nothing                                        | writing, by a participant of the queue       |
 * | writing | participant | a participant fills it, or keeps it                  | ready, when it is sent; free                 |
 * | ready   | nobody      | belongs to the message whose record names it         | free, when that message is no more           |
 */

/** Sizes that boxes can have, in MiB. */
export const MAILBOX_SIZES_MIB = [1, 2, 5, 10, 20, 50, 100] as const;
/** One of {@linkcode MAILBOX_SIZES_MIB}. */
export type MailboxSizeMib = typeof MAILBOX_SIZES_MIB[number];
/** Boxes that a mailbox can have. */
export const MAILBOX_BOXES_MAX = 1024;

const MIB = 2 ** 20;
const PAGE_BYTES = 4096;
const BOX_WORDS = 2;
/** Index of the first word of the boxes. */
const BOXES = 64;

/** One box of a mailbox. */
export interface BoxPlace {
  /** Bytes that it has room for. */
  readonly byteLength: number;
  /** Where its contents begin, in bytes. */
  readonly at: number;
  /** Index of the word of its state; that of the bytes used is the next. */
  readonly state: number;
}

/** Where the boxes of a mailbox are, smallest first. */
export interface MailboxGeometry {
  readonly boxes: readonly BoxPlace[];
  readonly byteLength: number;
}

/** The geometry of a mailbox with `counts[n]` boxes of the size `MAILBOX_SIZES_MIB[n]`. */
export function mailboxGeometry(counts: readonly number[]): MailboxGeometry {
  const boxCount = counts.reduce((sum, count) => sum + count, 0);
  let at = Math.ceil((BOXES + boxCount * BOX_WORDS) * 4 / PAGE_BYTES) * PAGE_BYTES;
  const boxes: BoxPlace[] = [];
  for (const [size, count] of counts.entries()) {
    for (let index = 0; index < count; index++) {
      const byteLength = MAILBOX_SIZES_MIB[size] * MIB;
      boxes.push({ byteLength, at, state: BOXES + boxes.length * BOX_WORDS });
      at += byteLength;
    }
  }
  return { boxes, byteLength: at };
}

type CountName = `boxes[${MailboxSizeMib}]`;
/** What a mailbox is made with: how many boxes of each size in MiB it has, and the identity of its queue. */
export type MailboxConstants = Constants<"queueIdentity" | CountName>;

/** How many boxes there are of each of {@linkcode MAILBOX_SIZES_MIB}, as constants: `boxes[1]` and so on. */
export function countConstants(counts: readonly number[]): Constants<CountName> {
  const entries = MAILBOX_SIZES_MIB.map((size, index) => [`boxes[${size}]`, counts[index]] as const);
  return Object.fromEntries(entries) as Constants<CountName>;
}

/** The way back. */
export function countsOf(constants: Constants<CountName>): number[] {
  return MAILBOX_SIZES_MIB.map((size) => constants[`boxes[${size}]`]);
}

const COUNT_RANGES = Object.fromEntries(
  MAILBOX_SIZES_MIB.map((size) => [`boxes[${size}]`, [0, MAILBOX_BOXES_MAX]]),
) as unknown as Record<CountName, ConstantRange>;

/** Mailboxes, as a kind of region: each has the name of its queue. */
export const MAILBOX_KIND: RegionKind<keyof MailboxConstants> = new RegionKind({
  noun: "mailbox",
  subjectOf: (queueName) => `the mailbox of queue ${queueName}`,
  magic: 0x584f424d,
  version: 2,
  layoutHash: fnv1a([...Object.values(HEADER), ...MAILBOX_SIZES_MIB, BOXES, BOX_WORDS, PAGE_BYTES]),
  constants: { queueIdentity: ANY_WORD, ...COUNT_RANGES },
  byteLengthOf(constants) {
    const counts = countsOf(constants);
    const sum = counts.reduce((sum, count) => sum + count, 0);
    return sum >= 1 && sum <= MAILBOX_BOXES_MAX ? mailboxGeometry(counts).byteLength : undefined;
  },
});
