/**
 * The word of a permit: `generation: 21 │ abandoned: 1 │ phase: 2 │ owner: 8`. Each step is one compare-and-swap of this word, which counts the
 * generation up.
 *
 * | phase  | owner  | meaning                               | next                                                                   |
 * | ------ | ------ | ------------------------------------- | ---------------------------------------------------------------------- |
 * | free   | nobody | available                             | held, by who asks                                                      |
 * | handed | waiter | given to one who waits, who knows not | held, by the waiter; free or handed on, when that does not wait or live |
 * | held   | holder | a participant holds it                | free or handed, when it is released, or its holder has died            |
 *
 * `abandoned` goes with a permit whose holder has died, until its next holder has been told.
 */
export const PERMIT_PHASE = { free: 0, handed: 1, held: 2 } as const;

const PHASE_SHIFT = 8;
const ABANDONED = 1 << 10;
const GENERATION_SHIFT = 11;
const OWNER_MASK = 0xff;

/** Phase of a permit's word. */
export function permitPhaseOf(word: number): number {
  return word >>> PHASE_SHIFT & 3;
}

/** Owner in a permit's word. */
export function permitOwnerOf(word: number): number {
  return word & OWNER_MASK;
}

/** Whether the last holder died, and no holder has been told since. */
export function isAbandoned(word: number): boolean {
  return (word & ABANDONED) !== 0;
}

/** The next word of a permit. */
export function nextPermit(word: number, phase: number, owner: number, abandoned: boolean): number {
  return (word >> GENERATION_SHIFT) + 1 << GENERATION_SHIFT | (abandoned ? ABANDONED : 0) |
    phase << PHASE_SHIFT | owner;
}

/** Whether a word could not have come about: it is damaged. */
export function isImpossiblePermit(word: number): boolean {
  const phase = permitPhaseOf(word);
  return phase > PERMIT_PHASE.held || (phase === PERMIT_PHASE.free) !== (permitOwnerOf(word) === 0);
}
