/** Slots that are looked at in a millisecond, at most: looks at all of many slots are rarer. */
const SLOTS_PER_MS = 64;

/** When all slots of a queue are looked at, for what hints do not tell, by who asks all the time. */
export class ScanThrottle {
  readonly #pauseMs: number;
  #dueMs = 0;

  /** For a queue of that capacity. */
  constructor(capacity: number) {
    this.#pauseMs = Math.max(1, capacity / SLOTS_PER_MS);
  }

  /** Whether it is time for a look. */
  get due(): boolean {
    return performance.now() >= this.#dueMs;
  }

  /** There was a look, and it found nothing. */
  done(): void {
    this.#dueMs = performance.now() + this.#pauseMs;
  }
}
