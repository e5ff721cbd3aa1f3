/** Milliseconds for which is polled behind what came last, before a transport sleeps: about what falling asleep and waking costs. */
const POLL_MS = 0.1;
/** Times in a row that polling was in vain after which it sleeps at once: who would send may wait for this very processor. */
const MISSES_MAX = 2;
/** Of so many times it polls one all the same. */
const TRIED_AGAIN = 32;

/** What is polled in every turn of the event loop while something may come. */
export interface Polled {
  /** How often in a row nothing came while it was polled. */
  misses: number;
  /** Takes what has come; returns how many messages that were. */
  poll(): number;
  /** Nothing came for a while: who sends has to wake it from now on. */
  sleep(): void;
}

/** Stands for a moment that is now, until the clock is read. */
const NOW = Infinity;

/** When each was busy last that is polled. */
const busyMs = new Map<Polled, number>();
let isTurning = false;

/** Polls something until it is quiet for a while, then has it sleep. */
export function startPolling(polled: Polled): void {
  busyMs.set(polled, NOW);
  if (isTurning) return;
  isTurning = true;
  setImmediate(turn);
}

/** Polls it no more. */
export function stopPolling(polled: Polled): void {
  busyMs.delete(polled);
}

function turn(): void {
  const nowMs = performance.now();
  for (const [polled, sinceMs] of busyMs) {
    const isFound = polled.poll() > 0;
    if (isFound) polled.misses = 0;
    if (isFound || sinceMs === NOW) {
      if (busyMs.has(polled)) busyMs.set(polled, nowMs);
    } else if (nowMs - sinceMs >= pollMs(polled)) {
      busyMs.delete(polled);
      polled.misses++;
      polled.sleep();
    }
  }
  isTurning = busyMs.size > 0;
  if (isTurning) setImmediate(turn);
}

function pollMs({ misses }: Polled): number {
  return misses < MISSES_MAX || misses % TRIED_AGAIN === 0 ? POLL_MS : 0;
}
