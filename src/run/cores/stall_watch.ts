import { BELL, BELL_WORDS, type MeshMemory } from "./mesh.ts";
import type { CoreStall } from "./statistics.ts";

/** Checks per limit: a stall is reported at most a quarter of the limit late. */
const CHECKS_PER_LIMIT = 4;

/** What of a group's options the watch needs. */
export interface StallWatchOptions {
  readonly count: number;
  readonly stallMs: number;
  readonly onStall: ((stall: CoreStall) => void) | undefined;
}

/** Where a core was when it was last checked. */
interface Seen {
  turn: number;
  sinceMs: number;
  reported: boolean;
}

/** Checks from another thread whether the cores get on, because one that is held up could not tell; wakes them for that. */
export class StallWatch {
  readonly #words: Int32Array;
  readonly #options: StallWatchOptions;
  readonly #seen: Seen[];
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #taskNames: readonly string[] = [];

  /** Watches the cores of `mesh`, if there is a handler. */
  constructor(mesh: MeshMemory, options: StallWatchOptions) {
    this.#words = new Int32Array(mesh.bells);
    this.#options = options;
    this.#seen = Array.from(
      { length: options.count },
      () => ({ turn: 0, sinceMs: performance.now(), reported: false }),
    );
    if (options.onStall === undefined) return;
    this.#timer = setInterval(
      () => this.#check(performance.now()),
      Math.max(1, options.stallMs / CHECKS_PER_LIMIT),
    );
    Deno.unrefTimer(this.#timer);
  }

  /** The names of the tasks, by number. */
  setTaskNames(names: readonly string[]): void {
    this.#taskNames = names;
  }

  /** Ends watching. */
  close(): void {
    clearInterval(this.#timer);
  }

  #check(nowMs: number): void {
    this.#seen.forEach((seen, core) => {
      const base = core * BELL_WORDS;
      const turn = Atomics.load(this.#words, base + BELL.turn);
      // One that sleeps makes a round when it is woken, unless something else has its thread: that is a stall too.
      Atomics.add(this.#words, base + BELL.bell, 1);
      Atomics.notify(this.#words, base + BELL.bell);
      // A core that has not made its first round is still starting.
      if (turn === 0 || turn !== seen.turn) {
        seen.turn = turn;
        seen.sinceMs = nowMs;
        seen.reported = false;
        return;
      }
      const heldMs = nowMs - seen.sinceMs;
      if (seen.reported || heldMs < this.#options.stallMs) return;
      seen.reported = true;
      const task = Atomics.load(this.#words, base + BELL.task);
      this.#options.onStall?.({ core, task: task === 0 ? undefined : this.#taskNames[task - 1], heldMs });
    });
  }
}
