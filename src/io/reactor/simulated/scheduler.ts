import { assert, ManualClock, SeededRandom } from "../../../base/mod.ts";

/** Turns of the host's event loop without activity after which virtual time moves on. */
const QUIET_TURNS = 3;

/** Polls at one moment after which time passes all the same: in a program that only ever polls it would stand still for ever. */
const POLLS_MAX = 100;
const LOOK_MS = 0.01;

/** A waiter for virtual time to pass or for something to be ready. */
export interface Sleeper {
  /** When to wake it at the latest, in virtual milliseconds; may be `Infinity`. */
  readonly untilMs: number;
  /** Whether to wake it now. */
  readonly isReady: () => boolean;
  /** Called once; then it sleeps no more. */
  readonly wake: () => void;
}

interface Event {
  readonly atMs: number;
  /** Drawn at random: decides among events of the same moment. */
  readonly tie: number;
  readonly run: () => void;
}

/**
 * Virtual time: a queue of events by time, and the sleepers that make the clock move.
 *
 * The clock moves only when every participant sleeps. A program that still runs shows only by its requests, so a few turns of
 * the host's event loop without any request count as sleep.
 */
export class Scheduler {
  readonly clock: ManualClock = new ManualClock();
  readonly random: SeededRandom;
  /** A binary heap: the parent of entry i is entry (i - 1) >> 1. */
  readonly #events: Event[] = [];
  readonly #sleepers = new Set<Sleeper>();
  #active = false;
  #quietTurns = 0;
  #turnQueued = false;
  #polls = 0;
  #lookedAtMs = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  /** When the next event is, in virtual milliseconds. */
  get nextMs(): number | undefined {
    return this.#events[0]?.atMs;
  }

  /** A number from `least` up to `most`. */
  between(least: number, most: number): number {
    return least + this.random.float() * (most - least);
  }

  /** Whether something of this probability happens this time; draws nothing when it cannot. */
  chance(probability: number): boolean {
    return probability > 0 && this.random.float() < probability;
  }

  /** Runs `run` when `delayMs` of virtual time have passed. */
  after(delayMs: number, run: () => void): void {
    this.#push({ atMs: this.clock.nowMs() + delayMs, tie: this.random.nextUint32(), run });
    this.noteActivity();
  }

  /** Runs the events whose moment has come. */
  runDue(): void {
    const nowMs = this.clock.nowMs();
    for (let next = this.#events[0]; next !== undefined && next.atMs <= nowMs; next = this.#events[0]) {
      this.#pop();
      next.run();
    }
  }

  /** A poll: runs the events that are due. */
  poll(): void {
    const nowMs = this.clock.nowMs();
    if (this.#lookedAtMs !== nowMs) {
      this.#lookedAtMs = nowMs;
      this.#polls = 0;
    }
    if (++this.#polls > POLLS_MAX) {
      this.#lookedAtMs = nowMs + LOOK_MS;
      this.clock.set(this.#lookedAtMs);
    }
    this.runDue();
  }

  /** Moves the clock forward to `ms` and runs the events that are due then. */
  advanceTo(ms: number): void {
    if (ms > this.clock.nowMs()) this.clock.set(ms);
    this.runDue();
  }

  /** There is activity, so time stands still for the moment. */
  noteActivity(): void {
    this.#active = true;
    this.#queueTurn();
  }

  /** Moves the clock until `sleeper` is ready or its time has come. */
  sleep(sleeper: Sleeper): void {
    this.#sleepers.add(sleeper);
    this.noteActivity();
  }

  /** Removes a sleeper; its `wake` is not called. */
  forget(sleeper: Sleeper): void {
    this.#sleepers.delete(sleeper);
  }

  #queueTurn(): void {
    if (this.#turnQueued || this.#sleepers.size === 0) return;
    this.#turnQueued = true;
    setImmediate(() => {
      this.#turnQueued = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#wakeReady()) {
      this.#quietTurns = 0;
    } else if (this.#active) {
      this.#active = false;
      this.#quietTurns = 0;
    } else if (++this.#quietTurns >= QUIET_TURNS) {
      // No event ahead: the next request queues a turn again.
      if (!this.#moveOn()) return;
    }
    this.#queueTurn();
  }

  /** Moves to the next moment with an event; false when there is none. */
  #moveOn(): boolean {
    let atMs = this.nextMs ?? Infinity;
    for (const { untilMs } of this.#sleepers) atMs = Math.min(atMs, untilMs);
    if (atMs === Infinity) return false;
    this.advanceTo(atMs);
    this.#wakeReady();
    return true;
  }

  #wakeReady(): boolean {
    const nowMs = this.clock.nowMs();
    const ready = [...this.#sleepers].filter((sleeper) => sleeper.untilMs <= nowMs || sleeper.isReady());
    for (const sleeper of ready) {
      if (this.#sleepers.delete(sleeper)) sleeper.wake();
    }
    return ready.length > 0;
  }

  #push(event: Event): void {
    const events = this.#events;
    let index = events.length;
    events.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, events[parent])) break;
      events[index] = events[parent];
      index = parent;
    }
    events[index] = event;
  }

  #pop(): void {
    const events = this.#events;
    const last = events.pop();
    assert(last !== undefined, "Scheduler: no event to take");
    const length = events.length;
    if (length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(events[child + 1], events[child])) child++;
      if (!isBefore(events[child], last)) break;
      events[index] = events[child];
      index = child;
    }
    events[index] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie);
}
