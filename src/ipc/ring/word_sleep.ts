import { FUTEX_WAIT_MS_MAX, futexWait, futexWake, WordWatch } from "../../../ffi/mod.ts";

/** Sleeping while a word of memory has a value, and waking who sleeps on it. Every sleep is bounded. */
export interface WordSleep {
  /** Blocks the thread while `words[index] === expected`, for `timeoutMs` at most. */
  sleep(words: Int32Array, index: number, expected: number, timeoutMs: number): void;
  /** Wakes those who sleep on `words[index]`. */
  wake(words: Int32Array, index: number): void;
  /** The same as `sleep()` without blocking; the process stays alive meanwhile. */
  sleepAsync(words: Int32Array, index: number, expected: number, timeoutMs: number): Promise<void>;
  /** Wakes who sleeps on `words[index]` here, gives back what that took, and has nobody sleep on it any more without blocking. */
  close(words: Int32Array, index: number): void;
}

/** On a `SharedArrayBuffer`, through `Atomics`: between the threads of one process. */
export class AtomicsSleep implements WordSleep {
  sleep(words: Int32Array, index: number, expected: number, timeoutMs: number): void {
    Atomics.wait(words, index, expected, timeoutMs);
  }

  wake(words: Int32Array, index: number): void {
    Atomics.notify(words, index);
  }

  async sleepAsync(words: Int32Array, index: number, expected: number, timeoutMs: number): Promise<void> {
    const { async: waits, value } = Atomics.waitAsync(words, index, expected);
    if (!waits) return;
    // A pending Atomics.waitAsync() alone does not keep the process alive, not even when it has been notified.
    const timer = setInterval(() => Atomics.notify(words, index), timeoutMs);
    await value;
    clearInterval(timer);
  }

  close(words: Int32Array, index: number): void {
    if (words.length > 0) this.wake(words, index);
  }
}

/** All who sleep on a word: the same half may do so in both ways at once. */
const EVERYBODY = 2 ** 31 - 1;

/**
 * On memory of a region, through the futex: between processes. For each word that is slept on without blocking there is a
 * native thread, from the first sleep until `close()`.
 */
export class FutexSleep implements WordSleep {
  readonly #watches = new Map<number, WordWatch>();

  sleep(words: Int32Array, index: number, expected: number, timeoutMs: number): void {
    futexWait(words, index, expected, Math.min(timeoutMs, FUTEX_WAIT_MS_MAX), true);
  }

  wake(words: Int32Array, index: number): void {
    futexWake(words, index, EVERYBODY, true);
  }

  sleepAsync(words: Int32Array, index: number, expected: number, timeoutMs: number): Promise<void> {
    return this.#watchOf(words, index).wait(expected, timeoutMs);
  }

  close(words: Int32Array, index: number): void {
    this.#watchOf(words, index).close();
  }

  #watchOf(words: Int32Array, index: number): WordWatch {
    let watch = this.#watches.get(index);
    if (watch === undefined) this.#watches.set(index, watch = new WordWatch(words, index));
    return watch;
  }
}
