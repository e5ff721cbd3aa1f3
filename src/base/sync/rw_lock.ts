import type { Abortable } from "../mod.ts";
import { OncePermit, type Permit } from "./permit.ts";
import { type WaitingOptions, WaitQueue } from "./wait_queue.ts";
import { ClosedError } from "./errors.ts";

/** Options of {@linkcode RwLock}. */
export type RwLockOptions = WaitingOptions;

/**
 * A lock that many readers or one writer hold. One thread needs it only around work that awaits: code without
 * `await` is never interrupted.
 *
 * First come, first served: a reader that comes after a waiting writer waits behind it, so readers never starve
 * writers. For the same reason a task that holds the lock for reading must release it before it asks again: a writer
 * between the two calls would make it wait for ever.
 *
 * @example
 * ```ts
 * import { RwLock } from "@millrace/millrace/sync";
 *
 * const index = new RwLock();
 * {
 *   using _first = await index.read();
 *   using _second = await index.read();
 *   console.log(index.readerCount, index.tryWrite()); // 2 undefined
 * }
 * using _ = await index.write();
 * ```
 */
export class RwLock {
  #readerCount = 0;
  #writing = false;
  #closed: { readonly reason: unknown } | undefined;
  readonly #waiting: WaitQueue<"read" | "write", Permit>;

  /**
   * Makes a lock without a holder.
   *
   * @throws {RangeError} when `waitingMax` is out of range
   */
  constructor(options: RwLockOptions = {}) {
    this.#waiting = new WaitQueue("RwLock", options, () => this.#grant());
  }

  /** Readers that hold the lock. */
  get readerCount(): number {
    return this.#readerCount;
  }

  /** Whether a writer holds the lock. */
  get writing(): boolean {
    return this.#writing;
  }

  /** Calls that wait. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Whether {@linkcode RwLock.close} was called. */
  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * Takes the lock together with other readers, or waits for its turn. Once it is granted the signal has no more
   * effect.
   *
   * @throws {QueueFullError} (as a rejection) when it would have to wait and `waitingMax` calls do
   * @throws {ClosedError} (as a rejection), or the reason of {@linkcode RwLock.close}, once it is closed
   */
  read(options: Abortable = {}): Promise<Permit> {
    return this.#acquire("read", options.signal);
  }

  /** Takes the lock alone, or waits for its turn. Rejects as {@linkcode RwLock.read} does. */
  write(options: Abortable = {}): Promise<Permit> {
    return this.#acquire("write", options.signal);
  }

  /** Takes the lock for reading if it can without waiting; else, and once closed, `undefined`. */
  tryRead(): Permit | undefined {
    return this.#tryAcquire("read");
  }

  /** Takes the lock for writing if it can without waiting; else, and once closed, `undefined`. */
  tryWrite(): Permit | undefined {
    return this.#tryAcquire("write");
  }

  /**
   * Rejects every waiting call, and all later ones. Holders keep the lock. A second call does nothing.
   *
   * @param reason what calls reject with @default {new ClosedError()}
   */
  close(reason?: unknown): void {
    if (this.#closed !== undefined) return;
    this.#closed = { reason: reason ?? new ClosedError("RwLock", "lock") };
    this.#waiting.rejectAll(this.#closed.reason);
  }

  #acquire(kind: "read" | "write", signal: AbortSignal | undefined): Promise<Permit> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#closed !== undefined) throw this.#closed.reason;
      const permit = this.#tryAcquire(kind);
      if (permit !== undefined) resolve(permit);
      else this.#waiting.push(`RwLock.${kind}`, kind, signal, { resolve, reject });
    });
  }

  #tryAcquire(kind: "read" | "write"): Permit | undefined {
    if (this.#closed !== undefined || this.#waiting.length > 0) return undefined;
    return this.#mayTake(kind) ? this.#take(kind) : undefined;
  }

  #mayTake(kind: "read" | "write"): boolean {
    return !this.#writing && (kind === "read" || this.#readerCount === 0);
  }

  #take(kind: "read" | "write"): Permit {
    if (kind === "read") this.#readerCount++;
    else this.#writing = true;
    return new OncePermit(() => {
      if (kind === "read") this.#readerCount--;
      else this.#writing = false;
      this.#grant();
    });
  }

  #grant(): void {
    for (let head = this.#waiting.peek(); head !== undefined; head = this.#waiting.peek()) {
      if (!this.#mayTake(head.request)) return;
      this.#waiting.grant(this.#take(head.request));
    }
  }
}
