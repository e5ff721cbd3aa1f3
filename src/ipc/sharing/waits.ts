import type { WaitOptions } from "../../base/mod.ts";
import { type Notifier, SLEEP_MS_MAX } from "./notifier.ts";

/** Calls of one opener of a queue that can wait at once for messages; as many for room, for replies, for dead letters, and for boxes. */
export const WAITS_MAX = 65_536;

/** Milliseconds for which calls that need not wait may follow each other without a turn of the event loop. */
const TURN_MS = 5;
let turnedMs = 0;

/** Settles a call now, or after a turn of the event loop, where timers and signals are seen to: a loop of promises alone would starve them. */
function settleInTurn(settle: () => void): void {
  const nowMs = performance.now();
  if (nowMs - turnedMs < TURN_MS) return settle();
  turnedMs = nowMs;
  setImmediate(settle);
}

/** The longest delay of a timer in milliseconds. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** What calls wait for, among those that wait for the same signal. */
export type WaitKind = string | number;

/** How long a call waits, and since when. */
export interface TimedWaitOptions extends WaitOptions {
  /**
   * The reading of `performance.now()` from which `timeoutMs` counts.
   *
   * @default {now}
   */
  readonly sinceMs?: number;
}

/** One call that waits. */
interface Wait {
  readonly kind: WaitKind;
  /** Whether it is done; tells its promise. */
  readonly attempt: () => boolean;
  readonly reject: (reason: unknown) => void;
}

/**
 * Calls of this thread that wait for the same signal, first come, first served; one sleep serves all of them. While any waits, `onPause()`
 * is called at least every {@linkcode SLEEP_MS_MAX}, and the attempts are made anew, unless the signal has a recovery check that does so.
 */
export class Waits {
  readonly #signal: Notifier;
  readonly #onPause: () => void;
  readonly #due: (() => Iterable<WaitKind>) | undefined;
  readonly #waits = new Set<Wait>();
  readonly #ofKind = new Map<WaitKind, Set<Wait>>();
  #pumping = false;
  /** With what calls are rejected once it is closed. */
  #closed: { readonly reason: unknown } | undefined;

  /** `due()` names the kinds that are worth an attempt when it has been woken; without it, all are. */
  constructor(signal: Notifier, onPause: () => void, due?: () => Iterable<WaitKind>) {
    this.#signal = signal;
    this.#onPause = onPause;
    this.#due = due;
  }

  get count(): number {
    return this.#waits.size;
  }

  /**
   * The first result of `attempt` that is not `undefined`. When one of a `kind` has none, the others of that kind are not tried. An attempt
   * that throws rejects its call.
   *
   * @throws {Deno.errors.Busy} (as a rejection) when {@linkcode WAITS_MAX} calls wait already
   */
  wait<T>(
    operation: string,
    kind: WaitKind,
    attempt: () => T | undefined,
    options: TimedWaitOptions,
  ): Promise<T> {
    const { signal, timeoutMs = Infinity, sinceMs = performance.now() } = options;
    return new Promise<T>((resolve, reject) => {
      if (this.#closed !== undefined) throw this.#closed.reason;
      signal?.throwIfAborted();
      if (!(timeoutMs >= 0)) {
        throw new RangeError(`${operation}: timeoutMs is ${timeoutMs}, expected 0 or more`);
      }
      // Earlier waiters go first.
      if (!this.#ofKind.has(kind)) {
        const result = attempt();
        if (result !== undefined) return settleInTurn(() => resolve(result));
      }
      if (this.#waits.size >= WAITS_MAX) {
        throw new Deno.errors.Busy(`${operation}: ${WAITS_MAX} calls wait already, expected fewer`);
      }
      const end = (): void => {
        this.#remove(wait);
        signal?.removeEventListener("abort", onAbort);
        clearTimeout(timer);
      };
      const fail = (reason: unknown): void => {
        end();
        reject(reason);
      };
      const onAbort = (): void => fail(signal?.reason);
      const wait: Wait = {
        kind,
        attempt: () => {
          try {
            const result = attempt();
            if (result === undefined) return false;
            end();
            resolve(result);
          } catch (error) {
            fail(error);
          }
          return true;
        },
        reject: fail,
      };
      let timer: ReturnType<typeof setTimeout> | undefined;
      const leftMs = (): number => timeoutMs - (performance.now() - sinceMs);
      const startTimer = (): void => {
        timer = setTimeout(onTime, Math.min(Math.max(0, leftMs()), DELAY_MS_MAX));
      };
      const onTime = (): void => {
        if (leftMs() > 0) startTimer();
        else fail(new DOMException(`${operation}: not done within ${timeoutMs} ms`, "TimeoutError"));
      };
      signal?.addEventListener("abort", onAbort);
      this.#add(wait);
      if (timeoutMs !== Infinity) startTimer();
      void this.#pump();
    });
  }

  /** The same, holding up the thread; `undefined` when `timeoutMs` was over first. */
  waitSync<T>(operation: string, attempt: () => T | undefined, timeoutMs: number = Infinity): T | undefined {
    if (!(timeoutMs >= 0)) {
      throw new RangeError(`${operation}: timeoutMs is ${timeoutMs}, expected 0 or more`);
    }
    // Who says that it sleeps costs the next sender a system call.
    const result = attempt();
    if (result !== undefined) return result;
    const deadlineMs = performance.now() + timeoutMs;
    for (let lookedMs = performance.now();;) {
      const seen = this.#signal.arm();
      const result = attempt();
      const nowMs = performance.now();
      if (result !== undefined || nowMs >= deadlineMs) return result;
      if (nowMs - lookedMs >= SLEEP_MS_MAX) {
        this.#onPause();
        lookedMs = nowMs;
      }
      this.#signal.sleepSync(seen, deadlineMs - nowMs);
    }
  }

  /** Has those who wait try again now. */
  attempt(): void {
    const failed = new Set<WaitKind>();
    for (const wait of this.#waits) {
      if (!failed.has(wait.kind) && !wait.attempt()) failed.add(wait.kind);
    }
  }

  /** The same for those for whom there may be something; for all, where that is not known. */
  #attemptDue(): void {
    if (this.#due === undefined) return this.attempt();
    for (const kind of this.#due()) {
      for (const wait of this.#ofKind.get(kind) ?? []) if (!wait.attempt()) break;
    }
  }

  /** Rejects everybody, and ends the sleep. */
  close(reason: unknown): void {
    this.#closed = { reason };
    for (const wait of this.#waits) wait.reject(reason);
    this.#signal.close();
  }

  #add(wait: Wait): void {
    this.#waits.add(wait);
    const same = this.#ofKind.get(wait.kind);
    if (same === undefined) this.#ofKind.set(wait.kind, new Set([wait]));
    else same.add(wait);
  }

  #remove(wait: Wait): void {
    this.#waits.delete(wait);
    const same = this.#ofKind.get(wait.kind);
    if (same?.delete(wait) && same.size === 0) this.#ofKind.delete(wait.kind);
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    let slept = true;
    try {
      slept = await this.#serve();
    } catch (error) {
      // Without the sleep the waiters would not be polled.
      for (const wait of this.#waits) wait.reject(error);
    }
    this.#pumping = false;
    // What woke this may have been meant for one who had given up by then: another shall look.
    if (slept && this.#closed === undefined) this.#signal.wake();
  }

  /** Sleeps and has those who wait try again, while any does; whether it slept. */
  async #serve(): Promise<boolean> {
    let slept = false;
    let pausedMs = performance.now();
    let looksAtAll = true;
    while (this.#waits.size > 0 && this.#closed === undefined) {
      const seen = this.#signal.arm();
      if (looksAtAll) this.attempt();
      else this.#attemptDue();
      looksAtAll = false;
      if (this.#waits.size === 0) break;
      slept = true;
      await this.#signal.sleep(seen);
      if (performance.now() - pausedMs < SLEEP_MS_MAX) continue;
      pausedMs = performance.now();
      // What is due may have been lost with who should have said so.
      looksAtAll = true;
      if (this.#waits.size > 0) this.#onPause();
    }
    return slept;
  }
}
