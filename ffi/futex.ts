/** Sleeping on a word of memory until another thread or process wakes the sleepers. */
import { check, EAGAIN, EINTR } from "./errno.ts";
import { WATCH_RESULT } from "./layouts.ts";
import { native } from "./library.ts";
import type { RecoveryCheck } from "./recovery_check.ts";

const ETIMEDOUT = 110;
/** Longest wait of one call in milliseconds; a caller that wants to wait longer calls again. */
export const FUTEX_WAIT_MS_MAX = 60_000;

/** How a wait ended. `"woken"` may be spurious: read the word again. */
export type FutexResult = "woken" | "changed" | "timed-out";

/** The same as a native thread reports it. */
export const FUTEX_RESULTS: Readonly<Record<number, FutexResult>> = {
  [WATCH_RESULT.woken]: "woken",
  [WATCH_RESULT.changed]: "changed",
  [WATCH_RESULT.timedOut]: "timed-out",
};

/**
 * Blocks this thread while `words[index] === expected`, at most `timeoutMs` (up to {@linkcode FUTEX_WAIT_MS_MAX}).
 * `shared`: the word is in memory shared between processes.
 */
export function futexWait(
  words: Int32Array,
  index: number,
  expected: number,
  timeoutMs: number,
  shared: boolean,
): FutexResult {
  if (!(timeoutMs >= 0 && timeoutMs <= FUTEX_WAIT_MS_MAX)) {
    throw new RangeError(`futexWait: timeoutMs is ${timeoutMs}, expected 0 to ${FUTEX_WAIT_MS_MAX}`);
  }
  const word = wordAt(words, index);
  const result = native().millrace_futex_wait(
    word,
    expected >>> 0,
    Math.ceil(timeoutMs * 1000),
    shared ? 1 : 0,
  );
  switch (result) {
    case -EAGAIN:
      return "changed";
    case -ETIMEDOUT:
      return "timed-out";
    case -EINTR:
      return "woken";
    default:
      check(result, "futex wait");
      return "woken";
  }
}

/** The same for a word in memory that a `SharedMapping` of this process maps, with a recovery check: the result is also `"woken"` when that finds something. */
export function futexWaitChecked(
  { table, region, fd }: RecoveryCheck,
  words: Int32Array,
  index: number,
  expected: number,
  timeoutMs: number,
): FutexResult {
  if (!(timeoutMs >= 0 && timeoutMs <= FUTEX_WAIT_MS_MAX)) {
    throw new RangeError(`futexWait: timeoutMs is ${timeoutMs}, expected 0 to ${FUTEX_WAIT_MS_MAX}`);
  }
  const timeoutUs = Math.ceil(timeoutMs * 1000);
  const word = wordAt(words, index);
  const result = native().millrace_recovery_check_wait(table, region, fd, word, expected >>> 0, timeoutUs);
  return FUTEX_RESULTS[check(result, "futex wait")] ?? "woken";
}

/** Wakes up to `count` sleepers on `words[index]`; returns how many. */
export function futexWake(words: Int32Array, index: number, count: number, shared: boolean): number {
  return check(native().millrace_futex_wake(wordAt(words, index), count, shared ? 1 : 0), "futex wake");
}

/** The word `words[index]`, as native code takes it. */
export function wordAt(words: Int32Array, index: number): Int32Array<ArrayBuffer> {
  if (!(index >= 0 && index < words.length)) {
    throw new RangeError(`futex: index is ${index}, expected below ${words.length}`);
  }
  return words.subarray(index, index + 1) as Int32Array<ArrayBuffer>;
}
