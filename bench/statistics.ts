/** Middle, least and greatest of some figures. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Median of the figures: the mean of the two middle ones when their number is even.
 *
 * @throws {RangeError} when there are none
 */
export function median(figures: readonly number[]): number {
  if (figures.length === 0) throw new RangeError("median: no figures, expected at least one");
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Median and extremes of the figures.
 *
 * @throws {RangeError} when there are none
 */
export function spreadOf(figures: readonly number[]): Spread {
  return { median: median(figures), min: Math.min(...figures), max: Math.max(...figures) };
}

/**
 * Median of the quotients of two contestants round by round.
 *
 * Rounds of one number ran within seconds of each other, so what disturbs the machine for longer cancels out.
 *
 * @returns `undefined` when no round has both
 */
export function pairedRatio(figures: readonly number[], references: readonly number[]): number | undefined {
  const quotients: number[] = [];
  for (let round = 0; round < Math.min(figures.length, references.length); round++) {
    if (references[round] !== 0) quotients.push(figures[round] / references[round]);
  }
  return quotients.length === 0 ? undefined : median(quotients);
}
