import type { Reactor } from "../reactor/mod.ts";
import type { Timer } from "../../base/timer/mod.ts";

/**
 * A timer of a server, which keeps the process alive only while the server does.
 *
 * A reactor's timers always keep the process alive. So a timer of the host takes their place while the server is unreferenced,
 * except in virtual time, which the host's timers do not follow.
 */
export class ServerTimer {
  readonly #reactor: Reactor;
  readonly #callback: () => void;
  #referenced = true;
  #dueMs = 0;
  #timer: Timer | undefined;
  #hostTimer: ReturnType<typeof setTimeout> | undefined;

  /** Calls `callback` at the scheduled time; not scheduled at first. */
  constructor(reactor: Reactor, callback: () => void) {
    this.#reactor = reactor;
    this.#callback = callback;
  }

  /** Whether the callback is scheduled. */
  get pending(): boolean {
    return this.#timer !== undefined || this.#hostTimer !== undefined;
  }

  /** Schedules the callback in `delayMs` milliseconds, in place of an earlier schedule. */
  schedule(delayMs: number): void {
    this.cancel();
    this.#dueMs = this.#reactor.nowMs() + delayMs;
    if (this.#referenced || this.#reactor.driver.time === "virtual") {
      this.#timer = this.#reactor.timers.schedule(delayMs, this.#run);
    } else {
      this.#hostTimer = setTimeout(this.#run, delayMs);
      Deno.unrefTimer(this.#hostTimer);
    }
  }

  /** Prevents the callback from running. */
  cancel(): void {
    this.#timer?.cancel();
    clearTimeout(this.#hostTimer);
    this.#timer = this.#hostTimer = undefined;
  }

  /** Whether it keeps the process alive while it is pending. It does by default. */
  setReferenced(referenced: boolean): void {
    if (this.#referenced === referenced) return;
    this.#referenced = referenced;
    if (this.pending) this.schedule(Math.max(0, this.#dueMs - this.#reactor.nowMs()));
  }

  readonly #run = (): void => {
    this.#timer = this.#hostTimer = undefined;
    this.#callback();
  };
}
