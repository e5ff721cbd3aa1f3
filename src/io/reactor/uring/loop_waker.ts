import { type Uring, Waker } from "../../../../ffi/mod.ts";

/** The longest delay the host's `setTimeout` keeps. */
const HOST_DELAY_MS_MAX = 2 ** 31 - 1;

/** Longest sleep in milliseconds without the native thread, where only the next poll finds completions. */
const NAP_MS_MAX = 5;

/**
 * Sleeping without blocking the thread: a native thread waits for the ring's eventfd in its place.
 *
 * The kernel signals the eventfd only during a sleep, so a busy ring pays nothing for it. The native thread starts with the
 * first sleep.
 */
export class LoopWaker {
  readonly #ring: Uring;
  #waker: Waker | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #resolve: (() => void) | undefined;

  constructor(ring: Uring) {
    this.#ring = ring;
  }

  /** Resolves when completions arrive, after `waitMs`, or on `interrupt()`. */
  wait(waitMs: number | undefined, keepAlive: boolean): Promise<void> {
    const ring = this.#ring;
    const waker = this.#waker ?? this.#tryStart();
    let delayMs = waitMs;
    if (waker === undefined) {
      delayMs = Math.min(waitMs ?? NAP_MS_MAX, NAP_MS_MAX);
    } else {
      // Completions that came before the eventfd was armed do not signal it: poll once more after arming it.
      ring.setNotifications(true);
      if (ring.hasCompletions) {
        ring.setNotifications(false);
        return Promise.resolve();
      }
      waker.setReferenced(keepAlive);
    }
    if (delayMs !== undefined) {
      this.#timer = setTimeout(this.#onTimeout, Math.min(Math.ceil(delayMs), HOST_DELAY_MS_MAX));
      if (!keepAlive) Deno.unrefTimer(this.#timer);
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#resolve = resolve;
    return promise;
  }

  /** Ends the sleep under way, if any. */
  interrupt(): void {
    const resolve = this.#resolve;
    if (resolve === undefined) return;
    this.#resolve = undefined;
    this.#ring.setNotifications(false);
    this.#waker?.setReferenced(false);
    if (this.#timer !== undefined) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    resolve();
  }

  /** Ends the native thread. */
  close(): void {
    this.interrupt();
    this.#waker?.close();
    this.#waker = undefined;
  }

  readonly #onTimeout = (): void => {
    this.#timer = undefined;
    this.interrupt();
  };

  /** The native thread and its descriptors; `undefined` while the process has reached a limit of either. */
  #tryStart(): Waker | undefined {
    let waker: Waker | undefined;
    try {
      waker = new Waker(() => this.interrupt());
      this.#ring.registerEventDescriptor(waker.eventDescriptor);
      this.#waker = waker;
      return waker;
    } catch {
      waker?.close();
      return undefined;
    }
  }
}
