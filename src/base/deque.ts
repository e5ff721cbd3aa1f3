const CAPACITY_INITIAL = 16;

/** Entries a {@linkcode Deque} holds at most, unless it is given another limit. */
export const DEQUE_LENGTH_MAX: number = 2 ** 26;

/** Options of {@linkcode Deque}. */
export interface DequeOptions {
  /**
   * Entries held at most.
   *
   * @default {DEQUE_LENGTH_MAX}
   */
  lengthMax?: number;
}

/**
 * A queue open at both ends: every operation takes constant time, amortised over growth. The entries lie in a
 * circular array whose capacity is a power of two, so that a mask wraps an index. The array doubles when full
 * and is kept until {@linkcode Deque.clear}; a removed entry is no longer referenced.
 *
 * @example
 * ```ts ignore
 * const waiters = new Deque<() => void>();
 * waiters.pushBack(() => {});
 * waiters.popFront()?.();
 * ```
 */
export class Deque<T> {
  #entries: (T | undefined)[] = new Array(CAPACITY_INITIAL).fill(undefined);
  #head = 0;
  #length = 0;
  readonly #lengthMax: number;

  /**
   * Makes an empty queue.
   *
   * @throws {RangeError} when `lengthMax` is not a whole number from 1 to {@linkcode DEQUE_LENGTH_MAX}
   */
  constructor(options: DequeOptions = {}) {
    const { lengthMax = DEQUE_LENGTH_MAX } = options;
    if (!Number.isInteger(lengthMax) || lengthMax < 1 || lengthMax > DEQUE_LENGTH_MAX) {
      throw new RangeError(
        `Deque: lengthMax is ${lengthMax}, expected a whole number from 1 to ${DEQUE_LENGTH_MAX}`,
      );
    }
    this.#lengthMax = lengthMax;
  }

  /** Entries held. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds an entry after the last.
   *
   * @throws {RangeError} when `lengthMax` entries are held
   */
  pushBack(entry: T): void {
    this.#makeRoom();
    this.#entries[(this.#head + this.#length) & (this.#entries.length - 1)] = entry;
    this.#length++;
  }

  /**
   * Adds an entry before the first.
   *
   * @throws {RangeError} when `lengthMax` entries are held
   */
  pushFront(entry: T): void {
    this.#makeRoom();
    this.#head = (this.#head - 1) & (this.#entries.length - 1);
    this.#entries[this.#head] = entry;
    this.#length++;
  }

  /** Removes and returns the first entry, `undefined` when there is none. */
  popFront(): T | undefined {
    if (this.#length === 0) return undefined;
    const entry = this.#entries[this.#head];
    this.#entries[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#entries.length - 1);
    this.#length--;
    return entry;
  }

  /** The first entry, left in place, or `undefined` when there is none. */
  peek(): T | undefined {
    return this.#entries[this.#head];
  }

  /** Drops every entry and the memory of its growth. */
  clear(): void {
    this.#entries = new Array(CAPACITY_INITIAL).fill(undefined);
    this.#head = 0;
    this.#length = 0;
  }

  #makeRoom(): void {
    if (this.#length >= this.#lengthMax) {
      throw new RangeError(`Deque: push: ${this.#length} entries held, expected fewer than lengthMax`);
    }
    const capacity = this.#entries.length;
    if (this.#length < capacity) return;
    const grown = new Array<T | undefined>(capacity * 2).fill(undefined);
    for (let index = 0; index < capacity; index++) {
      grown[index] = this.#entries[(this.#head + index) & (capacity - 1)];
    }
    this.#entries = grown;
    this.#head = 0;
  }
}
