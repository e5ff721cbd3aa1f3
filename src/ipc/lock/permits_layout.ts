/**
 * The bytes of the region of a lock or a semaphore; a lock has one permit. Words are `Int32`, and read and written through `Atomics`.
 *
 * ```text
 *    byte  0        4        8        12       16
 *          ├────────┼────────┼────────┼────────┼────────┤
 *       0  │ magic  │version │ layout │ check- │permits │
 *          │        │        │  hash  │  sum   │        │
 *          ├────────┼────────┴────────┴────────┴────────┘
 *     128  │sessions│ looked │   how many participants there have been; when native code last looked for the dead, in milliseconds
 *          ├────────┤
 *     256  │tickets │   how many calls have begun to wait
 *          ├────────┴────────┐
 *     384  │ waiting: 8 words│   a bit for each member: whether it waits
 *          ├─────────────────┘
 *    4096  │ members: 256 of 128 bytes; number 0 is nobody; see src/ipc/sharing/members.ts
 *          ├────────
 *   36864  │ permits: a word each, which holds the truth
 *          └────────
 *
 *   permit: generation: 21 │ abandoned: 1 │ phase: 2 │ owner: 8          see permit_word.ts
 * ```
 *
 * Behind the words that every member has, one of these has:
 *
 * ```text
 *          ├────────┬────────┬────────┬────────┤
 *      24  │ ticket │signal  │ armed  │disarmed│   of its call that waits; and what that sleeps on
 *          ├────────┴────────┴────────┴────────┘
 *      64  │ counters: float64 each, of all who have had this number  (see PERMIT_COUNTER)
 *          └────────
 * ```
 */

import { fnv1a } from "../../base/mod.ts";
import { HEADER, MEMBER, MEMBERS_MAX, RegionKind } from "../sharing/mod.ts";

/** Words of the header, as indices of an `Int32Array`. */
export const PERMIT_WORD = { sessions: 32, looked: 33, tickets: 64, waiting: 96 } as const;

/** Words of a member, from where it begins, behind `MEMBER`. */
export const PERMIT_MEMBER = { ticket: 6, signal: 7, counters: 16 } as const;

/** Counters of a member, as indices of a `Float64Array` that begins at its `counters`. */
export const PERMIT_COUNTER = { acquired: 0, waited: 1, abandoned: 2 } as const;

/** Where the members begin, in bytes. */
export const PERMIT_MEMBERS_AT = 4096;
/** Bytes of each. */
export const PERMIT_MEMBER_BYTES = 128;
/** Index of the word of permit 0. */
export const PERMITS_AT: number = (PERMIT_MEMBERS_AT + (MEMBERS_MAX + 1) * PERMIT_MEMBER_BYTES) / 4;

/** Permits that a semaphore can have. */
export const SEMAPHORE_PERMITS_MAX = 4096;

const LAYOUT_HASH = fnv1a([
  ...[HEADER, MEMBER, PERMIT_WORD, PERMIT_MEMBER, PERMIT_COUNTER].flatMap((words) => Object.values(words)),
  ...[PERMIT_MEMBERS_AT, PERMIT_MEMBER_BYTES, MEMBERS_MAX],
]);

/** Locks, as a kind of region. */
export const LOCK_KIND: RegionKind<"permits"> = kindOf("lock", 0x4b434c4d, 1);

/** Semaphores, as a kind of region. */
export const SEMAPHORE_KIND: RegionKind<"permits"> = kindOf("semaphore", 0x4d45534d, SEMAPHORE_PERMITS_MAX);

function kindOf(noun: string, magic: number, permitsMax: number): RegionKind<"permits"> {
  return new RegionKind({
    noun,
    magic,
    version: 1,
    layoutHash: LAYOUT_HASH,
    constants: { permits: [1, permitsMax] },
    byteLengthOf: ({ permits }) => Math.ceil((PERMITS_AT + permits) * 4 / 64) * 64,
  });
}
