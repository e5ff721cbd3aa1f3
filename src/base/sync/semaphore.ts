import { type Abortable, requireWhole } from "../mod.ts";
import { OncePermit, type Permit } from "./permit.ts";
import { type WaitingOptions, WaitQueue } from "./wait_queue.ts";
import { ClosedError } from "./errors.ts";

/** Permits that a {@linkcode Semaphore} can have: enough to count bytes. */
export const SEMAPHORE_PERMITS_MAX: number = Number.MAX_SAFE_INTEGER;

/** Options of {@linkcode Semaphore}. */
export type SemaphoreOptions = WaitingOptions;

/** Options of {@linkcode Semaphore.withPermit}. */
export interface WithPermitOptions extends Abortable {
  /**
   * Permits to hold while the work runs.
   *
   * @default {1}
   */
  count?: number;
}

/**
 * A number of permits that tasks share: connections to one host, bytes in flight, requests in progress. Fair:
 * first come, first served, so small requests do not overtake a large one, even when they would fit now.
 *
 * After Seastar's `semaphore`, whose `broken()` is {@linkcode Semaphore.close} here.
 *
 * @example
 * ```ts
 * import { Semaphore } from "@millrace/millrace/sync";
 *
 * const uploads = new Semaphore(4, { waitingMax: 1000 });
 * {
 *   using _ = await uploads.acquire();
 *   console.log(uploads.available); // 3
 * }
 * await uploads.withPermit(() => console.log("two at once"), { count: 2 });
 * ```
 */
export class Semaphore {
  /** Permits in all. */
  readonly permits: number;
  #available: number;
  #closed: { readonly reason: unknown } | undefined;
  readonly #waiting: WaitQueue<number, Permit>;

  /**
   * Makes a semaphore whose permits are all available.
   *
   * @throws {RangeError} when `permits` is not a whole number from 1 to {@linkcode SEMAPHORE_PERMITS_MAX}, or
   * `waitingMax` is out of range
   */
  constructor(permits: number, options: SemaphoreOptions = {}) {
    requireWhole("Semaphore", "permits", permits, 1, SEMAPHORE_PERMITS_MAX);
    this.permits = permits;
    this.#available = permits;
    this.#waiting = new WaitQueue("Semaphore", options, () => this.#grant());
  }

  /** Permits without a holder. They may be reserved for a larger request that waits. */
  get available(): number {
    return this.#available;
  }

  /** Calls that wait. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Whether {@linkcode Semaphore.close} was called. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * Takes `count` permits, or waits for its turn and until so many are available. Once they are granted the signal
   * has no more effect.
   *
   * @param count permits, from 1 to all of them @default {1}
   * @throws {QueueFullError} (as a rejection) when it would have to wait and `waitingMax` calls do
   * @throws {ClosedError} (as a rejection), or the reason of {@linkcode Semaphore.close}, once it is closed
   * @throws {RangeError} (as a rejection) when `count` is out of range
   */
  acquire(count = 1, options: Abortable = {}): Promise<Permit> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      requireWhole("Semaphore.acquire", "count", count, 1, this.permits);
      signal?.throwIfAborted();
      if (this.#closed !== undefined) throw this.#closed.reason;
      if (this.#mayTake(count)) resolve(this.#take(count));
      else this.#waiting.push("Semaphore.acquire", count, signal, { resolve, reject });
    });
  }

  /**
   * Takes `count` permits if it can without waiting and without overtaking; else, and once closed, `undefined`.
   *
   * @param count permits, from 1 to all of them @default {1}
   * @throws {RangeError} when `count` is out of range
   */
  tryAcquire(count = 1): Permit | undefined {
    requireWhole("Semaphore.tryAcquire", "count", count, 1, this.permits);
    return this.#closed === undefined && this.#mayTake(count) ? this.#take(count) : undefined;
  }

  /**
   * Runs `work` while holding permits, and settles as it does. Rejects as {@linkcode Semaphore.acquire} does,
   * and then `work` is not called.
   */
  async withPermit<R>(work: () => R | PromiseLike<R>, options: WithPermitOptions = {}): Promise<R> {
    using _ = await this.acquire(options.count, options);
    return await work();
  }

  /**
   * Rejects every waiting call, and all later ones. Held permits stay valid. A second call does nothing.
   *
   * @param reason what calls reject with @default {new ClosedError()}
   */
  close(reason?: unknown): void {
    if (this.#closed !== undefined) return;
    this.#closed = { reason: reason ?? new ClosedError("Semaphore.acquire", "semaphore") };
    this.#waiting.rejectAll(this.#closed.reason);
  }

  /** Loops by the length: `peek()` may reject the first call, and then those behind it have to be served. */
  #mayTake(count: number): boolean {
    return this.#available >= count && this.#waiting.length === 0;
  }

  #take(count: number): Permit {
    this.#available -= count;
    return new OncePermit(() => {
      this.#available += count;
      this.#grant();
    });
  }

  #grant(): void {
    for (let head = this.#waiting.peek(); head !== undefined; head = this.#waiting.peek()) {
      if (head.request > this.#available) return;
      this.#waiting.grant(this.#take(head.request));
    }
  }
}
