import { fnv1a } from "../../base/mod.ts";

/**
 * The bytes of a mailbox's region. Numbers are in the machine's order; words are `Int32`.
 *
 * ```text
 *    byte  0        4        8        12       16
 *          ├────────┼────────┼────────┼────────┼────────┐
 *       0  │ magic  │version │ layout │ header │identity│   constants, written before the region is `ready`;
 *          │        │        │  hash  │checksum│of queue│   the identity is that of the queue it belongs to
 *          ├────────┴────────┴────────┴────────┴────────┘
 *      64  │ counts: how many boxes there are of each size of MAILBOX_SIZES_MIB, a word each
 *          ├────────
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
 * | writing | participant | somebody fills it, or keeps it                       | ready, when it is sent; free                 |
 * | ready   | nobody      | belongs to the message whose record names it         | free, when that message is no more           |
 */

/** "MBOX", read as a little-endian word. */
const MAILBOX_MAGIC = 0x584f424d;
/** The same as bytes: what the region of a mailbox begins with. */
export const MAILBOX_MAGIC_BYTES: Uint8Array = new Uint8Array(new Int32Array([MAILBOX_MAGIC]).buffer);
const MAILBOX_VERSION = 1;

/** Sizes that boxes can have, in MiB. */
export const MAILBOX_SIZES_MIB = [1, 2, 5, 10, 20, 50, 100] as const;
/** One of {@linkcode MAILBOX_SIZES_MIB}. */
export type MailboxSizeMib = typeof MAILBOX_SIZES_MIB[number];
/** Boxes that a mailbox can have. */
export const MAILBOX_BOXES_MAX = 1024;

const MIB = 2 ** 20;
const PAGE_BYTES = 4096;
const WORD = {
  magic: 0,
  version: 1,
  layoutHash: 2,
  headerChecksum: 3,
  queueIdentity: 4,
  counts: 16,
} as const;
const BOX_WORDS = 2;
const BOXES = 64;

const LAYOUT_HASH = fnv1a([
  MAILBOX_VERSION,
  ...Object.values(WORD),
  ...MAILBOX_SIZES_MIB,
  BOXES,
  BOX_WORDS,
  PAGE_BYTES,
]);

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

/** Writes the constants of a mailbox. */
export function writeMailboxConstants(
  words: Int32Array,
  counts: readonly number[],
  queueIdentity: number,
): void {
  words[WORD.magic] = MAILBOX_MAGIC;
  words[WORD.version] = MAILBOX_VERSION;
  words[WORD.layoutHash] = LAYOUT_HASH;
  words.set(counts, WORD.counts);
  words[WORD.queueIdentity] = queueIdentity;
  words[WORD.headerChecksum] = checksumOf(words);
}

/** The counts of a mailbox in a region of `byteLength` bytes, or what is wrong with it. */
export function readMailboxConstants(
  words: Int32Array,
  byteLength: number,
): { readonly counts: readonly number[]; readonly queueIdentity: number } | { readonly found: string } {
  if (words[WORD.magic] !== MAILBOX_MAGIC) return { found: "it is no mailbox" };
  if (words[WORD.version] !== MAILBOX_VERSION || words[WORD.layoutHash] !== LAYOUT_HASH) {
    return { found: "it has the version or the layout of another build" };
  }
  if (words[WORD.headerChecksum] !== checksumOf(words)) {
    return { found: "it is damaged: the checksum of its header is wrong" };
  }
  const counts = [...countsOf(words)];
  if (!isPossible(counts)) return { found: "it is damaged: its counts are out of range" };
  const expected = mailboxGeometry(counts).byteLength;
  return byteLength === expected
    ? { counts, queueIdentity: words[WORD.queueIdentity] }
    : { found: `it is damaged: it has ${byteLength} bytes, expected ${expected}` };
}

/** Whether a mailbox can be made with such counts. */
function isPossible(counts: readonly number[]): boolean {
  const sum = counts.reduce((sum, count) => sum + count, 0);
  return counts.every((count) => count >= 0) && sum >= 1 && sum <= MAILBOX_BOXES_MAX;
}

function countsOf(words: Int32Array): Int32Array {
  return words.subarray(WORD.counts, WORD.counts + MAILBOX_SIZES_MIB.length);
}

function checksumOf(words: Int32Array): number {
  return fnv1a([
    ...words.subarray(0, WORD.headerChecksum),
    words[WORD.queueIdentity],
    ...countsOf(words),
  ]);
}
