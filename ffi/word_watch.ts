/** Waiting on a word of memory without blocking this thread, with a native thread where one is available. */
import { FUTEX_WAIT_MS_MAX } from "./futex.ts";
import { FutexWatch } from "./futex_watch.ts";

/** Milliseconds between two polls of a word where no native thread can wait on it. */
const POLL_MS = 1;

/**
 * Waits on one futex word, by the native thread of a {@linkcode FutexWatch} from the first wait until it is closed. Where there is no such
 * thread, without the library, a descriptor, or memory that is mapped, it polls the word once a millisecond.
 */
export class WordWatch implements Disposable {
  readonly #words: Int32Array;
  readonly #index: number;
  #watch: FutexWatch | undefined;
  /** The end of the wait that is under way. */
  #end: Promise<unknown> | undefined;
  #closed = false;

  /** For the word `words[index]`. */
  constructor(words: Int32Array, index: number) {
    this.#words = words;
    this.#index = index;
  }

  /**
   * Resolves when the word is woken, at once when it is not `expected`, and after `timeoutMs`, or {@linkcode FUTEX_WAIT_MS_MAX} if that is
   * less. The wake-up may be spurious, so read the word again. Keeps the process alive meanwhile. `waitWith`: another wait for the same word,
   * in place of the watch's own, unless it returns `undefined`.
   */
  async wait(
    expected: number,
    timeoutMs: number,
    waitWith?: (watch: FutexWatch) => Promise<unknown> | undefined,
  ): Promise<void> {
    if (this.#closed || Atomics.load(this.#words, this.#index) !== expected) return;
    const boundedMs = Math.min(timeoutMs, FUTEX_WAIT_MS_MAX);
    // A second caller shares the wait of the first: the same wake-up ends both.
    if (this.#end !== undefined) return await firstOf(this.#end, boundedMs);
    const watch = this.#watchOrNone();
    if (watch !== undefined) {
      this.#end = waitWith?.(watch) ?? watch.wait(this.#words, this.#index, expected, boundedMs);
    }
    if (this.#end === undefined) return await this.#poll(expected, boundedMs);
    await this.#end;
    this.#end = undefined;
  }

  /** Ends the thread and the waits under way; no wait may follow. */
  close(): void {
    this.#closed = true;
    this.#watch?.close();
    this.#watch = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #watchOrNone(): FutexWatch | undefined {
    try {
      return this.#watch ??= new FutexWatch();
    } catch {
      return undefined;
    }
  }

  async #poll(expected: number, timeoutMs: number): Promise<void> {
    const words = this.#words;
    const deadlineMs = performance.now() + timeoutMs;
    while (
      !this.#closed && words.length > 0 && Atomics.load(words, this.#index) === expected &&
      performance.now() < deadlineMs
    ) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function firstOf(end: Promise<unknown>, timeoutMs: number): Promise<void> {
  const { promise: expired, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([end, expired]);
  clearTimeout(timer);
}
