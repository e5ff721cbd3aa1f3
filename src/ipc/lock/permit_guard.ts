import type { Permit, Permits } from "./permits.ts";

/** What has a lock, or a permit of a semaphore, until it is released, disposed of, or its process dies. */
export class PermitGuard implements Disposable {
  /** Whether the previous holder died while holding it: what it guards may be half done. Only the next holder is told. */
  readonly abandoned: boolean;
  readonly #permits: Permits;
  readonly #permit: Permit;
  readonly #onRelease: () => void;
  #released = false;

  /** For a permit that was acquired. */
  constructor(permits: Permits, permit: Permit, onRelease: () => void = () => {}) {
    this.#permits = permits;
    this.#permit = permit;
    this.#onRelease = onRelease;
    this.abandoned = permit.abandoned;
  }

  /** Whether it is still had: not released, and what it is of not closed. */
  get held(): boolean {
    return !this.#released && !this.#permits.closed && this.#permits.has(this.#permit);
  }

  /**
   * Gives it back; who has waited longest gets it. Does nothing when it was given back already, or what it is of is closed.
   *
   * @throws {Deno.errors.InvalidData} when it was lost, as the memory was damaged
   */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#onRelease();
    if (this.#permits.closed) return;
    if (!this.#permits.release(this.#permit)) {
      throw new Deno.errors.InvalidData("release: it is not this opener's any more: its memory was damaged");
    }
  }

  /** The same as {@linkcode PermitGuard.release}. */
  [Symbol.dispose](): void {
    this.release();
  }
}
