import { type Uring, Waker } from "../../../ffi/mod.ts";
import { systemClock } from "../../base/mod.ts";

/**
 * Sleeping without blocking the thread: a native thread waits for the ring's eventfd and calls back.
 *
 * The kernel signals the eventfd only while a sleep is on, so a busy ring pays nothing for it. The native thread starts
 * with the first sleep.
 */
export class LoopWaker {
  readonly #ring: Uring;
  #waker: Waker | undefined;
  /** Whether the native thread owes us a call; it may still when a sleep has been interrupted. */
  #armed = false;
  #armedUntilMs = 0;
  #resolve: (() => void) | undefined;

  constructor(ring: Uring) {
    this.#ring = ring;
  }

  /** Resolves when completions arrive, after `waitMs`, or on `interrupt()`. */
  wait(waitMs: number | undefined, keepAlive: boolean): Promise<void> {
    const ring = this.#ring;
    const waker = this.#waker ??= this.#start();
    // Completions that came before the eventfd was listened to would not be told of: look once more after switching it on.
    ring.setNotifications(true);
    if (ring.hasCompletions) {
      ring.setNotifications(false);
      return Promise.resolve();
    }
    waker.setReferenced(keepAlive);
    const untilMs = waitMs === undefined ? Infinity : systemClock.nowMs() + waitMs;
    if (!this.#armed) {
      waker.arm(waitMs);
      this.#armed = true;
      this.#armedUntilMs = untilMs;
    } else if (this.#armedUntilMs > untilMs) {
      // The native thread still sleeps, and for too long: its call comes at once now, and the next sleep has the right bound.
      waker.signal();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resolve = resolve;
    return promise;
  }

  /** Ends the sleep that is on, if any. */
  interrupt(): void {
    const resolve = this.#resolve;
    if (resolve === undefined) return;
    this.#resolve = undefined;
    this.#ring.setNotifications(false);
    this.#waker?.setReferenced(false);
    resolve();
  }

  /** Ends the native thread. */
  close(): void {
    this.interrupt();
    this.#waker?.close();
    this.#waker = undefined;
  }

  #start(): Waker {
    const waker = new Waker(() => {
      this.#armed = false;
      this.interrupt();
    });
    this.#ring.registerEventDescriptor(waker.eventDescriptor);
    return waker;
  }
}
