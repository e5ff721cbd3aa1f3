import {
  futexWait,
  futexWaitChecked,
  futexWake,
  type FutexWatch,
  type RecoveryCheck,
  WordWatch,
} from "../../../ffi/mod.ts";

/** Milliseconds that a sleep in the kernel lasts at most: what a waker costs others that dies before it wakes them. */
export const SLEEP_MS_MAX = 50;
/**
 * Milliseconds that it lasts where the thread that sleeps looks around meanwhile. What is left for JavaScript is what is damaged, and slots
 * far from the first: so it is longer than the pause between two looks at all of them.
 */
export const CHECKED_SLEEP_MS_MAX = 1100;

/**
 * Wakes sleepers in this process and in others, and costs something only while there are sleepers.
 *
 * Three words: `signal`, which sleepers sleep on and wakers change; `armed`, which sleepers count up before they sleep; and `disarmed`, what
 * `armed` was when a waker found nobody asleep. While the two are equal, nobody sleeps. A sleeper that dies leaves `armed` ahead, until the
 * next waker has looked. `disarmed` set too late, to a value that is past, costs a needless look, and never a sleeper its wake.
 */
export class Notifier {
  readonly #words: Int32Array;
  readonly #signal: number;
  readonly #armed: number;
  readonly #disarmed: number;
  readonly #check: RecoveryCheck | undefined;
  readonly #watch: WordWatch;

  /** The words are those from index `at`. A waiter that sleeps long on them makes a recovery check. */
  constructor(words: Int32Array, at: number, check?: RecoveryCheck) {
    this.#words = words;
    this.#check = check;
    this.#signal = at;
    this.#armed = at + 1;
    this.#disarmed = at + 2;
    this.#watch = new WordWatch(words, at);
  }

  /** Wakes one process that sleeps, if any does. To be called behind what it may be waiting for. */
  wake(): void {
    // SYNC signal: either this sees that a waiter is about to sleep, or the waiter sees what came before this.
    const armed = Atomics.load(this.#words, this.#armed);
    if (armed !== Atomics.load(this.#words, this.#disarmed)) this.#wakeArmed(armed, 1);
  }

  /** Wakes everybody. */
  wakeAll(): void {
    const armed = Atomics.load(this.#words, this.#armed);
    if (armed !== Atomics.load(this.#words, this.#disarmed)) this.#wakeArmed(armed, 2 ** 31 - 1);
  }

  /**
   * Announces that a waiter is about to sleep; the result is for the sleep. The caller checks once more what it waits for
   * before it sleeps.
   */
  arm(): number {
    const seen = Atomics.load(this.#words, this.#signal);
    // SYNC signal
    Atomics.add(this.#words, this.#armed, 1);
    return seen;
  }

  /** Sleeps until woken after `arm()` gave `seen`, or until it is time to look around; holds up nothing but its caller. */
  sleep(seen: number): Promise<void> {
    const check = this.#check;
    const wait = check === undefined
      ? undefined
      : (watch: FutexWatch) =>
        watch.waitChecked(check, this.#words, this.#signal, seen, CHECKED_SLEEP_MS_MAX);
    return this.#watch.wait(seen, SLEEP_MS_MAX, wait);
  }

  /** The same for at most `timeoutMs`, holding up the thread. */
  sleepSync(seen: number, timeoutMs: number): void {
    if (this.#check === undefined) {
      futexWait(this.#words, this.#signal, seen, Math.min(timeoutMs, SLEEP_MS_MAX), true);
    } else {
      const boundedMs = Math.min(timeoutMs, CHECKED_SLEEP_MS_MAX);
      futexWaitChecked(this.#check, this.#words, this.#signal, seen, boundedMs);
    }
  }

  close(): void {
    this.#watch.close();
  }

  #wakeArmed(armed: number, count: number): void {
    Atomics.add(this.#words, this.#signal, 1);
    if (futexWake(this.#words, this.#signal, count, true) === 0) {
      Atomics.store(this.#words, this.#disarmed, armed);
    }
  }
}
