const UINT32_RANGE = 2 ** 32;

/** The four words of a {@linkcode SeededRandom}; not all zero. */
export type RandomState = readonly [number, number, number, number];

/**
 * A small, fast generator whose whole sequence follows from its seed: print the seed, and a failed run can be
 * replayed. Not for secrets.
 *
 * It is xoshiro128** 1.1 of Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators" (ACM
 * Transactions on Mathematical Software 47(4), 2021). Its four words come from the seed through SplitMix, as
 * its authors advise (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014),
 * here with the 32-bit finalizer of MurmurHash3.
 *
 * @example
 * ```ts ignore
 * const random = new SeededRandom(42);
 * const die = 1 + random.below(6);
 * ```
 */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /**
   * Makes the generator of `seed`.
   *
   * @param seed a whole number from 0 to 2^32 - 1
   * @throws {RangeError} for any other seed
   */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed >= UINT32_RANGE) {
      throw new RangeError(`SeededRandom: seed is ${seed}, expected a whole number from 0 to 2^32 - 1`);
    }
    // The finalizer is a bijection and the four inputs differ, so at most one word is zero.
    this.#a = mix(seed + 0x9e3779b9);
    this.#b = mix(seed + 0x9e3779b9 * 2);
    this.#c = mix(seed + 0x9e3779b9 * 3);
    this.#d = mix(seed + 0x9e3779b9 * 4);
  }

  /**
   * A generator that continues from a state of {@linkcode SeededRandom.state}.
   *
   * @throws {RangeError} when all four words are zero: such a generator gives zeros for ever
   */
  static fromState(state: RandomState): SeededRandom {
    const [a, b, c, d] = state;
    if ((a | b | c | d) === 0) {
      throw new RangeError("SeededRandom: state is all zero, expected a word that is not");
    }
    const random = new SeededRandom(0);
    random.#a = a | 0;
    random.#b = b | 0;
    random.#c = c | 0;
    random.#d = d | 0;
    return random;
  }

  /** The present state, from which {@linkcode SeededRandom.fromState} makes an equal generator. */
  get state(): RandomState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0];
  }

  /** The next whole number from 0 to 2^32 - 1. */
  nextUint32(): number {
    const b = this.#b;
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9);
    this.#c ^= this.#a;
    this.#d ^= b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= b << 9;
    this.#d = rotateLeft(this.#d, 11);
    return result >>> 0;
  }

  /**
   * A whole number from 0 to `limit - 1`, each as likely as the others.
   *
   * @throws {RangeError} when `limit` is not a whole number from 1 to 2^32
   */
  below(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > UINT32_RANGE) {
      throw new RangeError(`SeededRandom: limit is ${limit}, expected a whole number from 1 to 2^32`);
    }
    // Draws from the incomplete last run of `limit` numbers would favour the small remainders.
    const fairEnd = UINT32_RANGE - (UINT32_RANGE % limit);
    let drawn = this.nextUint32();
    while (drawn >= fairEnd) drawn = this.nextUint32();
    return drawn % limit;
  }

  /** A number from 0 up to but not including 1, in steps of 2^-53. */
  float(): number {
    const high = this.nextUint32() >>> 5;
    const low = this.nextUint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }
}

function rotateLeft(word: number, count: number): number {
  return (word << count) | (word >>> (32 - count));
}

function mix(word: number): number {
  let mixed = word | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
