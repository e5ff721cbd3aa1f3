/** Something held for a while: permits of a semaphore, a lock, a place behind a gate. Disposing it gives it back. */
export interface Permit extends Disposable {
  /** Gives back what is held. A second time does nothing. */
  release(): void;
}

/** A permit that calls `giveBack` once. */
export class OncePermit implements Permit {
  #giveBack: (() => void) | undefined;

  /** Makes a permit that is held. */
  constructor(giveBack: () => void) {
    this.#giveBack = giveBack;
  }

  /** Gives back what is held. A second time does nothing. */
  release(): void {
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.();
  }

  /** The same as {@linkcode OncePermit.release}. */
  [Symbol.dispose](): void {
    this.release();
  }
}
