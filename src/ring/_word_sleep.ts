import { FUTEX_WAIT_MS_MAX, futexWait, futexWake, FutexWatch } from "../../ffi/mod.ts";

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

/** Milliseconds between two looks at a word where no native thread can wait on it. */
const POLL_MS = 1;
/** All who sleep on a word: the same half may do so in both ways at once. */
const EVERYBODY = 2 ** 31 - 1;

/** A native thread that waits on one word, and the wait that is under way. */
interface WordWatch {
  readonly watch: FutexWatch;
  end?: Promise<unknown>;
}

/**
 * On memory of a region, through the futex: between processes. For each word that is slept on without blocking there is a
 * native thread, from the first sleep until `close()`.
 */
export class FutexSleep implements WordSleep {
  readonly #watches = new Map<number, WordWatch>();
  readonly #closed = new Set<number>();

  sleep(words: Int32Array, index: number, expected: number, timeoutMs: number): void {
    futexWait(words, index, expected, Math.min(timeoutMs, FUTEX_WAIT_MS_MAX), true);
  }

  wake(words: Int32Array, index: number): void {
    futexWake(words, index, EVERYBODY, true);
  }

  async sleepAsync(words: Int32Array, index: number, expected: number, timeoutMs: number): Promise<void> {
    if (this.#closed.has(index) || Atomics.load(words, index) !== expected) return;
    const boundedMs = Math.min(timeoutMs, FUTEX_WAIT_MS_MAX);
    const known = this.#watchOf(index);
    if (known === undefined) return await poll(words, index, expected, boundedMs);
    // Who comes second shares the wait of the first: both are woken by the same.
    if (known.end !== undefined) return await firstOf(known.end, boundedMs);
    const end = known.watch.wait(words, index, expected, boundedMs);
    if (end === undefined) return await poll(words, index, expected, boundedMs);
    known.end = end;
    await end;
    known.end = undefined;
  }

  close(_words: Int32Array, index: number): void {
    this.#closed.add(index);
    this.#watches.get(index)?.watch.close();
    this.#watches.delete(index);
  }

  #watchOf(index: number): WordWatch | undefined {
    let known = this.#watches.get(index);
    if (known === undefined) {
      try {
        known = { watch: new FutexWatch() };
      } catch {
        // No library, thread or descriptor is to be had: looking now and then serves too.
        return undefined;
      }
      this.#watches.set(index, known);
    }
    return known;
  }
}

async function firstOf(end: Promise<unknown>, timeoutMs: number): Promise<void> {
  const { promise: expired, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([end, expired]);
  clearTimeout(timer);
}

/** Memory that is not mapped by the native library cannot be kept while a native thread looks at it. */
async function poll(words: Int32Array, index: number, expected: number, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (words.length > 0 && Atomics.load(words, index) === expected && performance.now() < deadlineMs) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
