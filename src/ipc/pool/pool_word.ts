import { NOBODY } from "../sharing/mod.ts";
import { POOL_PHASE } from "./pool_layout.ts";

const PHASE_SHIFT = 8;
const GENERATION_SHIFT = 10;
const OWNER_MASK = 0xff;
/** Generations that there are. */
const GENERATIONS = 2 ** 22;

/** Phase of a block's word. */
export function poolPhaseOf(word: number): number {
  return word >>> PHASE_SHIFT & 3;
}

/** Owner in a block's word. */
export function poolOwnerOf(word: number): number {
  return word & OWNER_MASK;
}

/** Generation of a block's word. */
export function poolGenerationOf(word: number): number {
  return word >>> GENERATION_SHIFT;
}

/** A block's word. */
export function poolWordOf(generation: number, phase: number, owner: number): number {
  return generation << GENERATION_SHIFT | phase << PHASE_SHIFT | owner;
}

/** Whether a word could not have come about: it is damaged. */
export function isImpossiblePoolWord(word: number): boolean {
  const phase = poolPhaseOf(word);
  return phase > POOL_PHASE.offered || (phase === POOL_PHASE.free) !== (poolOwnerOf(word) === NOBODY);
}

/** A block and its generation in one number above 0, to be sent. */
export function referenceOf(block: number, generation: number): number {
  return block * GENERATIONS + generation + 1;
}

/** The way back; `undefined` for what is no reference to one of `blockCount` blocks. */
export function blockOfReference(
  reference: number,
  blockCount: number,
): { readonly block: number; readonly generation: number } | undefined {
  if (!Number.isSafeInteger(reference) || reference < 1) return undefined;
  const block = Math.floor((reference - 1) / GENERATIONS);
  return block < blockCount ? { block, generation: (reference - 1) % GENERATIONS } : undefined;
}
