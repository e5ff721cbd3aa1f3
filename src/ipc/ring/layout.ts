/**
 * The bytes of a ring. Numbers are in the machine's order (little-endian where Deno runs on Linux); words are `Int32`.
 *
 * ```text
 *    byte  0        4        8        12       16       20       24
 *          ├────────┼────────┼────────┼────────┼────────┼────────┤
 *       0  │ magic  │version │ layout │capacity│ message│ state  │   constants: written once by create()
 *          │        │        │  hash  │  bytes │bytesMax│        │   SYNC ring.state: the rest of the header is valid
 *          ├────────┼────────┴────────┴────────┴────────┴────────┘
 *     128  │  tail  │   written by the producer                       SYNC ring.tail: messages become visible
 *          ├────────┤
 *     256  │  head  │   written by the consumer                       SYNC ring.head: space becomes free
 *          ├────────┼────────┐
 *     384  │producer│consumer│   halves: 0 free, 1 held, 2 closed     SYNC ring.half: no more messages, or readers
 *          ├────────┼────────┤
 *     392  │producer│consumer│   sleeping: 0 no, 1 yes                SYNC ring.sleeping: the other side wakes this one
 *          ├────────┼────────┘
 *     512  │ data: capacity bytes
 *          └────────
 * ```
 *
 * The words from 384 are read by both sides at each publication, and change only when a side sleeps, wakes or goes; they
 * have lines of their own, so that reading them costs nothing while nothing changes.
 *
 * `tail` and `head` are positions in bytes, growing for ever, modulo 2^32: `(tail - head) | 0` bytes are used, and a position
 * masked by `capacity - 1` is an index into the data. A record begins at a multiple of 8 and never crosses the end:
 *
 * ```text
 *          0        4        8
 *          ├────────┼────────┼───────────────┬─ ─ ─ ─┐
 *          │ length │   0    │ message bytes │ to 8   │   length ≥ 0: a message of that many bytes
 *          └────────┴────────┴───────────────┴─ ─ ─ ─┘
 *          ├────────┬─ ─ ─ ─ ─
 *          │ -size  │ unused          size bytes up to the end of the data hold no message
 *          └────────┴─ ─ ─ ─ ─
 * ```
 *
 * After Aeron's ring buffers (`RingBufferDescriptor`, `RecordDescriptor` in agrona), which have one line for what a ring
 * shares with both sides; the processor fetches lines in pairs, hence 128.
 */

import { fnv1a } from "../../base/mod.ts";

/** "MRNG", read as a little-endian word. */
export const RING_MAGIC = 0x474e524d;
/** Changes with the meaning of any byte. */
export const RING_VERSION = 1;

/** Words of the header, as indices of an `Int32Array`. */
export const WORD = {
  magic: 0,
  version: 1,
  layoutHash: 2,
  capacityBytes: 3,
  messageBytesMax: 4,
  state: 5,
  tail: 32,
  head: 64,
  producer: 96,
  consumer: 97,
  producerSleeping: 98,
  consumerSleeping: 99,
} as const;

/** Bytes before the data. */
export const HEADER_BYTES = 512;
/** Bytes before a message, and what records are aligned to. */
export const RECORD_HEADER_BYTES = 8;

/** Values of the `state` word. */
export const RING_STATE = { none: 0, ready: 1 } as const;
/** Values of the words of a half. */
export const HALF = { free: 0, held: 1, closed: 2 } as const;

/** The smallest capacity in bytes. */
export const CAPACITY_BYTES_MIN = 64;
/** The largest capacity in bytes: positions are 32 bits and wrap. */
export const CAPACITY_BYTES_MAX = 2 ** 30;

/** A number that differs where any offset or meaning above does; peers of other builds are told apart by it. */
export const LAYOUT_HASH = fnv1a([
  RING_VERSION,
  ...Object.values(WORD),
  HEADER_BYTES,
  RECORD_HEADER_BYTES,
  ...Object.values(HALF),
]);

/** The longest message, in bytes, of a ring: with any longer one an empty ring might have no room, depending on where it is. */
export function messageBytesLimit(capacityBytes: number): number {
  return capacityBytes / 2 - RECORD_HEADER_BYTES;
}

/** Bytes of the ring that a message of `byteLength` bytes takes. */
export function recordBytes(byteLength: number): number {
  return (byteLength + RECORD_HEADER_BYTES + 7) & ~7;
}
