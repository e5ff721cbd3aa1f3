/** Milliseconds for which is looked at once for more, behind what came last, before a link sleeps: about what falling asleep and waking costs. */
const LOOK_MS = 0.1;
/** Looks in a row in vain after which it sleeps without: who would send may wait for this very processor. */
const MISSES_MAX = 2;
/** Of so many it tries one again. */
const TRIED_AGAIN = 32;

/** What is looked at in every turn of the event loop while there may be something. */
export interface Looked {
  /** How often in a row nothing came while it was looked at. */
  misses: number;
  /** Takes what is there; how much. */
  look(): number;
  /** There was nothing for a while: whoever sends wakes it from now on. */
  sleep(): void;
}

/** Stands for a moment that is now, until somebody looks at the clock. */
const NOW = Infinity;

/** When it was busy last, of what is looked at. */
const busyMs = new Map<Looked, number>();
let isTurning = false;

/** Looks at something until it is quiet for a while, then has it sleep. */
export function lookAt(looked: Looked): void {
  busyMs.set(looked, NOW);
  if (isTurning) return;
  isTurning = true;
  setImmediate(turn);
}

/** Looks at it no more. */
export function lookAway(looked: Looked): void {
  busyMs.delete(looked);
}

function turn(): void {
  const nowMs = performance.now();
  for (const [looked, sinceMs] of busyMs) {
    const isFound = looked.look() > 0;
    if (isFound) looked.misses = 0;
    if (isFound || sinceMs === NOW) {
      if (busyMs.has(looked)) busyMs.set(looked, nowMs);
    } else if (nowMs - sinceMs >= lookMs(looked)) {
      busyMs.delete(looked);
      looked.misses++;
      looked.sleep();
    }
  }
  isTurning = busyMs.size > 0;
  if (isTurning) setImmediate(turn);
}

function lookMs({ misses }: Looked): number {
  return misses < MISSES_MAX || misses % TRIED_AGAIN === 0 ? LOOK_MS : 0;
}
