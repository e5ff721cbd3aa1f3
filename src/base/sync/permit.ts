/** Something held for a while: permits of a semaphore, a lock, an entry of a gate. Disposing it releases it. */
export interface Permit extends Disposable {
  /** Releases what is held. A second call does nothing. */
  release(): void;
}

/** A permit that calls `giveBack` once. */
export class OncePermit implements Permit {
  #giveBack: (() => void) | undefined;

  /** Makes a permit that is held. */
  constructor(giveBack: () => void) {
    this.#giveBack = giveBack;
  }

  /** Releases what is held. A second call does nothing. */
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
