/** Waiting on a word of shared memory without blocking this thread. */
import { Socket } from "node:net";
import { check, EINVAL, EMFILE } from "./errno.ts";
import { FUTEX_RESULTS, FUTEX_WAIT_MS_MAX, type FutexResult, wordAt } from "./futex.ts";
import { native } from "./library.ts";
import type { RecoveryCheck } from "./recovery_check.ts";

/**
 * A native thread with a stack of 64 KiB that waits on a futex word in place of this one, one wait at a time.
 *
 * It reports the end of a wait through a socket that Deno polls. It ends when the watch is closed, or with the thread that
 * opened it. While it waits, the memory of the word stays mapped; after closing, for 100 ms at most.
 */
export class FutexWatch implements Disposable {
  readonly #number: number;
  readonly #socket: Socket;
  #resolve: ((result: FutexResult) => void) | undefined;
  #closed = false;

  /** @throws {Deno.errors.NotSupported} without the native library */
  constructor() {
    const number = new Uint32Array(1);
    const fd = check(native().millrace_watch_start(number), "start the thread of a futex watch");
    this.#number = number[0];
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on("data", (bytes: Uint8Array) => this.#finish(FUTEX_RESULTS[bytes[0]] ?? "woken"));
    this.#socket.unref();
  }

  /** Whether a wait is under way. */
  get waiting(): boolean {
    return this.#resolve !== undefined;
  }

  /**
   * Waits while `words[index] === expected`, at most `timeoutMs` (up to {@linkcode FUTEX_WAIT_MS_MAX}); the process stays alive
   * meanwhile. `"woken"` may be spurious, as it is after closing: read the word again. `undefined`, and no wait, when the
   * word is not in memory that a `SharedMapping` of this process maps.
   *
   * @throws {Deno.errors.Busy} while a wait is under way
   * @throws {Deno.errors.BadResource} when the watch is closed
   */
  wait(
    words: Int32Array,
    index: number,
    expected: number,
    timeoutMs: number,
  ): Promise<FutexResult> | undefined {
    const word = wordAt(words, index);
    return this.#wait(
      timeoutMs,
      (timeoutUs) => native().millrace_watch_wait(this.#number, word, expected >>> 0, timeoutUs),
    );
  }

  /**
   * The same with a recovery check, which the thread makes every 50 ms: the result is also `"woken"` when it finds something. `undefined`,
   * and no wait, also when the process has no descriptor left for the thread's copy of the check's.
   */
  waitChecked(
    { table, region, fd }: RecoveryCheck,
    words: Int32Array,
    index: number,
    expected: number,
    timeoutMs: number,
  ): Promise<FutexResult> | undefined {
    const word = wordAt(words, index);
    return this.#wait(
      timeoutMs,
      (timeoutUs) =>
        native().millrace_recovery_check_watch(
          this.#number,
          table,
          region,
          fd,
          word,
          expected >>> 0,
          timeoutUs,
        ),
    );
  }

  #wait(timeoutMs: number, ask: (timeoutUs: number) => number): Promise<FutexResult> | undefined {
    if (!(timeoutMs >= 0 && timeoutMs <= FUTEX_WAIT_MS_MAX)) {
      throw new RangeError(`futex watch: timeoutMs is ${timeoutMs}, expected 0 to ${FUTEX_WAIT_MS_MAX}`);
    }
    if (this.#closed) throw new Deno.errors.BadResource("futex watch: it is closed");
    if (this.waiting) {
      throw new Deno.errors.Busy("futex watch: a wait is under way, and there is one at a time");
    }
    const result = ask(Math.ceil(timeoutMs * 1000));
    if (result === -EINVAL || result === -EMFILE) return undefined;
    check(result, "futex watch");
    this.#socket.ref();
    const { promise, resolve } = Promise.withResolvers<FutexResult>();
    this.#resolve = resolve;
    return promise;
  }

  /** Ends the thread, and a wait under way as if it had been woken. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    check(native().millrace_watch_close(this.#number), "close a futex watch");
    this.#socket.destroy();
    this.#finish("woken");
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #finish(result: FutexResult): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    if (!this.#closed) this.#socket.unref();
    resolve?.(result);
  }
}
