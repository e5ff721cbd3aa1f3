import { QUEUE_PHASE, QUEUE_SLOT } from "../../../ffi/mod.ts";
import { NOBODY } from "../sharing/mod.ts";

/**
 * The word of a slot: `generation: 21 │ phase: 3 │ owner: 8`. Each step of a message's life is one compare-and-swap of this
 * word, which names the owner as it takes the slot: a slot that is taken always has a known owner.
 *
 * | phase    | owner     | meaning                    | next                                                          |
 * | -------- | --------- | -------------------------- | ------------------------------------------------------------- |
 * | free     | nobody    | holds nothing              | writing, by a producer                                        |
 * | writing  | producer  | a message is being written | ready: the message is acknowledged                            |
 * |          | consumer  | a reply is being written   | replied                                                       |
 * | ready    | nobody    | a message is available     | reserved, by a consumer; free, by who gives its request up    |
 * | reserved | consumer  | a consumer has it          | free when acknowledged, ready when given back, writing        |
 * | replied  | requester | holds the reply to it      | free, when the requester has read it                          |
 *
 * The generation changes when a slot becomes free, and only then. An owner that died never was: what it was writing is free
 * again, what it had reserved is ready again.
 */
export const PHASE = QUEUE_PHASE;

const {
  ownerMask: OWNER_MASK,
  phaseShift: PHASE_SHIFT,
  phaseMask: PHASE_MASK,
  generationShift: GENERATION_SHIFT,
} = QUEUE_SLOT;

/** Phase of a slot's word. */
export function phaseOf(word: number): number {
  return word >>> PHASE_SHIFT & PHASE_MASK;
}

/** Owner in a slot's word. */
export function ownerOf(word: number): number {
  return word & OWNER_MASK;
}

/** Generation of a slot's word. */
export function generationOf(word: number): number {
  return word >>> GENERATION_SHIFT;
}

/** The word of the same generation with another phase and owner. */
export function moved(word: number, phase: number, owner: number): number {
  return word >> GENERATION_SHIFT << GENERATION_SHIFT | phase << PHASE_SHIFT | owner;
}

/** The word of the slot once free: nobody's, of the next generation. */
export function freed(word: number): number {
  return (word >> GENERATION_SHIFT) + 1 << GENERATION_SHIFT;
}

/** Whether a slot is free or holds a message that can be had, as most do: there is nothing to see to then. */
export function isNobodys(word: number): boolean {
  const rest = word & (1 << GENERATION_SHIFT) - 1;
  return rest === PHASE.free || rest === PHASE.ready << PHASE_SHIFT;
}

/** Whether a word could not have come about: it is damaged. */
export function isImpossible(word: number): boolean {
  const phase = phaseOf(word);
  if (phase > PHASE.replied) return true;
  const isOwned = phase === PHASE.writing || phase === PHASE.reserved || phase === PHASE.replied;
  return isOwned !== (ownerOf(word) !== NOBODY);
}
