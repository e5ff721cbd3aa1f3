/**
 * The word of a block: `generation: 22 │ phase: 2 │ owner: 8`. It says whose the block is; whether a record is one of the state's, the
 * buckets say.
 *
 * | phase | owner  | meaning                                                        | next                                       |
 * | ----- | ------ | -------------------------------------------------------------- | ------------------------------------------ |
 * | free  | nobody | holds nothing                                                  | owned, by who is to write                  |
 * | owned | writer | spare, being written, or published and not yet said to be live | owned, generation + 1, before it is written |
 * |       |        |                                                                | to; live; free, generation + 1             |
 * | live  | nobody | a bucket leads to it, or did so a moment ago                   | owned, by who took it from its bucket      |
 *
 * Of a block that the dead owned, the buckets say what it is: live where one leads to it, else free. One that is live and that no bucket
 * leads to was taken from its bucket by one who died right after that.
 */
import { NOBODY } from "../sharing/mod.ts";

/** What is with a block. */
export const PHASE = { free: 0, owned: 1, live: 2 } as const;

const PHASE_SHIFT = 8;
const GENERATION_SHIFT = 10;
const OWNER_MASK = 0xff;

/** Phase of a block's word. */
export function phaseOf(word: number): number {
  return word >>> PHASE_SHIFT & 3;
}

/** Owner in a block's word. */
export function ownerOf(word: number): number {
  return word & OWNER_MASK;
}

/** Whether two words are of the same generation: what is in the block is then what it was. */
export function isSameGeneration(one: number, other: number): boolean {
  return (one ^ other) >>> GENERATION_SHIFT === 0;
}

/** The word of the same generation with another phase and owner. */
export function moved(word: number, phase: number, owner: number): number {
  return word >> GENERATION_SHIFT << GENERATION_SHIFT | phase << PHASE_SHIFT | owner;
}

/** The word of the next generation with another phase and owner. */
export function renewed(word: number, phase: number, owner: number): number {
  return (word >> GENERATION_SHIFT) + 1 << GENERATION_SHIFT | phase << PHASE_SHIFT | owner;
}

/** Whether a word could not have come about: it is damaged. */
export function isImpossible(word: number): boolean {
  const phase = phaseOf(word);
  return phase > PHASE.live || (phase === PHASE.owned) !== (ownerOf(word) !== NOBODY);
}
