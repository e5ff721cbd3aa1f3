import type { Timer, Timers } from "./timers.ts";
import { TimerWheel } from "./timer_wheel.ts";

/** The longest delay that the host's `setTimeout` supports; a longer one fires at once. */
const HOST_DELAY_MS_MAX = 2 ** 31 - 1;

/** The timers of a thread. */
export interface ThreadTimers extends Timers {
  /** How many are set. */
  readonly size: number;
}

let timers: HostTimers | undefined;

/**
 * The timers of this thread: one wheel, woken by a single host `setTimeout` that is armed for the next
 * deadline only. It keeps the process running while a timer is held, and no longer. Made at the first call.
 *
 * @example
 * ```ts
 * import { defaultTimers } from "@millrace/millrace/timer";
 *
 * using timer = defaultTimers().schedule(60_000, () => console.log("a minute later"));
 * ```
 */
export function defaultTimers(): ThreadTimers {
  return timers ??= new HostTimers();
}

class HostTimers implements ThreadTimers {
  readonly #wheel = new TimerWheel();
  #host: ReturnType<typeof setTimeout> | undefined;
  #hostDeadlineMs = Infinity;
  #idleCheckQueued = false;

  constructor() {
    this.#wheel.onEarlier = () => this.#arm();
    this.#wheel.onEmpty = () => this.#queueIdleCheck();
  }

  get size(): number {
    return this.#wheel.size;
  }

  nowMs(): number {
    return this.#wheel.nowMs();
  }

  schedule(delayMs: number, callback: () => void): Timer {
    return this.#wheel.schedule(delayMs, callback);
  }

  /** Makes sure that the host wakes us by the next deadline; one earlier wake-up is cheaper than re-arming. */
  #arm(): void {
    const deadlineMs = this.#wheel.nextDeadlineMs;
    if (deadlineMs === undefined || deadlineMs >= this.#hostDeadlineMs) return;
    this.#disarm();
    // Rounded down: the host is about a millisecond late anyway. When it is early, one short wait follows.
    const delayMs = Math.max(0, Math.floor(deadlineMs - this.#wheel.nowMs()));
    this.#hostDeadlineMs = deadlineMs;
    this.#host = setTimeout(this.#wake, Math.min(delayMs, HOST_DELAY_MS_MAX));
  }

  #disarm(): void {
    if (this.#host === undefined) return;
    clearTimeout(this.#host);
    this.#host = undefined;
    this.#hostDeadlineMs = Infinity;
  }

  readonly #wake = (): void => {
    this.#host = undefined;
    this.#hostDeadlineMs = Infinity;
    try {
      this.#wheel.advance();
    } finally {
      this.#arm();
    }
  };

  /** Disarms after this turn: a caller that cancels its only timer often schedules the next one at once. */
  #queueIdleCheck(): void {
    if (this.#idleCheckQueued) return;
    this.#idleCheckQueued = true;
    queueMicrotask(this.#checkIdle);
  }

  readonly #checkIdle = (): void => {
    this.#idleCheckQueued = false;
    if (this.#wheel.size === 0) this.#disarm();
  };
}
