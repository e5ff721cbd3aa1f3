/**
 * A hash of a few whole numbers, 32 bits of each: any change to one of them changes it (FNV-1a over words,
 * http://www.isthe.com/chongo/tech/comp/fnv/).
 */
export function fnv1a(numbers: Iterable<number>): number {
  let hash = 0x811c9dc5;
  for (const number of numbers) hash = Math.imul(hash ^ number, 0x01000193);
  return hash | 0;
}
