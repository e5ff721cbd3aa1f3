import type { Reactor } from "../reactor/mod.ts";
import type { Timer } from "../../base/timer/mod.ts";

/**
 * Something that a server has to do later, which keeps the process alive only if the server is to.
 *
 * A reactor's timers always keep it alive. So without a reference one of the host's takes their place, except in simulated
 * time, of which the host knows nothing.
 */
export class ServerTimer {
  readonly #reactor: Reactor;
  readonly #callback: () => void;
  #referenced = true;
  #dueMs = 0;
  #timer: Timer | undefined;
  #hostTimer: ReturnType<typeof setTimeout> | undefined;

  /** Calls `callback` when its time has come; not pending at first. */
  constructor(reactor: Reactor, callback: () => void) {
    this.#reactor = reactor;
    this.#callback = callback;
  }

  /** Whether the callback is still to run. */
  get pending(): boolean {
    return this.#timer !== undefined || this.#hostTimer !== undefined;
  }

  /** Has the callback run `delayMs` milliseconds from now, in place of a time set before. */
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
