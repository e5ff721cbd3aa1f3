import { assert, type WaitOptions } from "../../base/mod.ts";
import { PEER, type RingHalf, type RingState, SLEEPING } from "./ring_state.ts";

/** Options of calls that hold up their thread while they wait for the other side of a ring. */
export interface RingWaitSyncOptions {
  /**
   * Milliseconds to wait at most.
   *
   * @default {Infinity}
   */
  timeoutMs?: number;
  /**
   * How to wait. `"sleep"`: polls {@linkcode RING_SPIN_COUNT} times, then sleeps until the other side wakes it. `"spin"`: polls
   * all the time, which wakes soonest and takes a whole processor.
   *
   * @default {"sleep"}
   */
  strategy?: RingWaitStrategy;
}

/** See {@linkcode RingWaitSyncOptions.strategy}. */
export type RingWaitStrategy = "sleep" | "spin";

/** Polls of the `"sleep"` strategy before it sleeps: about the time in which a sleeping thread would be awake again. */
export const RING_SPIN_COUNT = 2000;
/** Calls that can wait at once for the other side of a ring, without holding up their thread. */
export const RING_WAITS_MAX = 65_536;
/** Interval in milliseconds at which a wait checks whether the process of the other side is alive. */
export const PEER_CHECK_MS = 100;

/**
 * Resolves when `ready()`, or when the other side has ended; rejects when aborted, or when the time is over.
 *
 * @throws {Deno.errors.Busy} (as a rejection) when {@linkcode RING_WAITS_MAX} calls wait already
 */
export async function waitFor(
  state: RingState,
  half: RingHalf,
  ready: () => boolean,
  { signal, timeoutMs = Infinity }: WaitOptions,
): Promise<void> {
  const { words } = state;
  const word = SLEEPING[half];
  const peer = PEER[half];
  const deadlineMs = deadlineOf(timeoutMs);
  if (state.waits[half] >= RING_WAITS_MAX) {
    throw new Deno.errors.Busy(`wait for the ring: ${RING_WAITS_MAX} calls wait already, expected fewer`);
  }
  const onAbort = () => state.stir(half);
  signal?.addEventListener("abort", onAbort, { once: true });
  state.waits[half]++;
  try {
    while (!ready() && state.endOf(peer) === undefined) {
      signal?.throwIfAborted();
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) {
        throw new DOMException(`wait for the ring: not done within ${timeoutMs} ms`, "TimeoutError");
      }
      state.beginSleep(half);
      try {
        if (!ready() && !state.closed(peer)) {
          await state.sleep.sleepAsync(words, word, 1, Math.min(leftMs, PEER_CHECK_MS));
        }
      } finally {
        state.endSleep(half);
      }
    }
  } finally {
    state.waits[half]--;
    assert(state.waits[half] >= 0, "ring: more waits have ended than were begun");
    signal?.removeEventListener("abort", onAbort);
  }
}

/** The same for a thread with nothing else to do; false when the time is over. */
export function waitForSync(
  state: RingState,
  half: RingHalf,
  ready: () => boolean,
  { timeoutMs = Infinity, strategy = "sleep" }: RingWaitSyncOptions,
): boolean {
  const { words } = state;
  const word = SLEEPING[half];
  const peer = PEER[half];
  if (strategy !== "sleep" && strategy !== "spin") {
    throw new TypeError(`wait for the ring: strategy is "${strategy}", expected "sleep" or "spin"`);
  }
  const deadlineMs = deadlineOf(timeoutMs);
  for (;;) {
    if (spin(ready)) return true;
    if (state.endOf(peer) !== undefined) return true;
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) return false;
    if (strategy === "spin") continue;
    state.beginSleep(half);
    try {
      if (!ready() && !state.closed(peer)) state.sleep.sleep(words, word, 1, Math.min(leftMs, PEER_CHECK_MS));
    } finally {
      state.endSleep(half);
    }
  }
}

function spin(ready: () => boolean): boolean {
  for (let count = 0; count < RING_SPIN_COUNT; count++) {
    if (ready()) return true;
    Atomics.pause();
  }
  return ready();
}

function deadlineOf(timeoutMs: number): number {
  if (timeoutMs >= 0) return performance.now() + timeoutMs;
  throw new RangeError(`wait for the ring: timeoutMs is ${timeoutMs}, expected 0 or more`);
}
