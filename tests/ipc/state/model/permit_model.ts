import { type Config, DEAD, IDLE, Machine, PC, type State, Violation } from "./machine.ts";

/** What a run of the model of locks and semaphores explores, besides. */
export interface PermitConfig extends Config {
  readonly permits: number;
  /** How often each process acquires a permit. */
  readonly rounds: number;
  /** Whether the first process may give up waiting. */
  readonly givesUp: boolean;
  /** Whether who waits sleeps until a permit is handed to it, and no time-out ever ends its sleep. */
  readonly sleeps: boolean;
}

const FREE = 0, HANDED = 1, HELD = 2;
const wordOf = (gen: number, abandoned: number, phase: number, owner: number): number =>
  gen << 7 | abandoned << 6 | phase << 4 | owner;
const abandonedOf = (word: number): number => word >> 6 & 1;
const phaseOf = (word: number): number => word >> 4 & 3;
const ownerOf = (word: number): number => word & 15;

const QUOTA = 1,
  PERMIT = 2,
  WORD = 3,
  TARGET = 4,
  SCAN = 5,
  SEEN = 6,
  WAITER = 7,
  RETURN = 8,
  KEEP = 9,
  GIVING = 10;
const LOCALS = 11;

/**
 * Permits, the bits of those who wait, their tickets, and handing over. Who waits looks again at any time, as it does behind each time-out; or, where it `sleeps`, when it is woken.
 */
export class PermitModel extends Machine {
  readonly #permits: number;
  readonly #waiting: number;
  readonly #ticket: number;
  readonly #tickets: number;
  readonly #lock: number;
  readonly #session: number;
  /** Whether the holder of a permit has died and nobody was told, for the properties only. */
  readonly #orphan: number;

  constructor(override readonly config: PermitConfig) {
    super(config);
    this.#permits = this.place(config.permits);
    this.#orphan = this.place(config.permits);
    this.#waiting = this.place(config.processes);
    this.#ticket = this.place(config.processes);
    this.#tickets = this.place(1);
    this.#lock = this.place(config.processes);
    this.#session = this.place(config.processes);
    this.placeLocals(LOCALS);
    this.#addAcquire();
    this.#addPassOn();
    this.#addRecovery();
  }

  /** A paused one keeps a wake-up to itself until a time-out; there are none where sleep is modelled. */
  override get pauses(): boolean {
    return !this.config.sleeps;
  }

  begin(state: State): void {
    for (let p = 0; p < this.config.processes; p++) {
      state[this.#lock + p] = p + 1;
      state[this.#session + p] = 1;
      state[this.local(p) + QUOTA] = this.config.rounds;
    }
  }

  bury(state: State, process: number): void {
    for (let p = 0; p < this.config.processes; p++) this.cas(state, this.#lock + p, process + 1, 0);
    for (let permit = 0; permit < this.config.permits; permit++) {
      const word = state[this.#permits + permit];
      if (phaseOf(word) === HELD && ownerOf(word) === process + 1) state[this.#orphan + permit] = 1;
    }
  }

  watch(state: State): void {
    const known = new Set<number>();
    for (let p = 0; p < this.config.processes; p++) {
      const me = this.local(p);
      if (state[me + KEEP] === 0) continue;
      const permit = state[me + KEEP] - 1;
      if (known.has(permit)) throw new Violation("shared", `two processes have permit ${permit}`);
      known.add(permit);
      const word = state[this.#permits + permit];
      if (phaseOf(word) !== HELD || ownerOf(word) !== p + 1) {
        throw new Violation("robbed", `permit ${permit} of the living p${p} was taken`);
      }
    }
  }

  isGood(state: State, paused: number): boolean {
    let kept = 0;
    for (let permit = 0; permit < this.config.permits; permit++) {
      const word = state[this.#permits + permit], owner = ownerOf(word);
      if (this.#isToBeHad(state, word)) continue;
      // What the paused one has, was handed, or is putting in order.
      if (paused < 0 || owner !== paused + 1 && state[this.#lock + owner - 1] !== paused + 1) return false;
      kept++;
    }
    for (let p = 0; p < this.config.processes; p++) {
      const isDone = this.isAt(state, p, DEAD) ||
        this.isAt(state, p, IDLE) && state[this.local(p) + QUOTA] === 0;
      // When the paused one has all permits, others wait for ever, and rightly so.
      if (p !== paused && !isDone && kept < this.config.permits) return false;
    }
    return true;
  }

  #isWaiting(state: State, p: number): boolean {
    return state[this.#waiting + p] === 1;
  }

  /** Free, or handed to one who does not wait. */
  #isToBeHad(state: State, word: number): boolean {
    if (phaseOf(word) === FREE) return true;
    return phaseOf(word) === HANDED && !this.is("handed-is-taken") &&
      !this.#isWaiting(state, ownerOf(word) - 1);
  }

  #addAcquire(): void {
    this.on(
      "idle",
      "acquire: without waiting",
      (state, me) => this.go(state, me, "try.read"),
      (state, me) => state[me + QUOTA] > 0,
    );
    this.on("try.read", "reads a permit", (state, me) => {
      const word = state[this.#permits + state[me + SCAN]];
      if (!this.#isToBeHad(state, word)) return this.#scanOn(state, me, "try.read", "wait.ticket");
      state[me + SEEN] = word;
      this.go(state, me, "try.take");
    });
    this.on("try.take", "CAS to held", (state, me, p) => {
      if (this.#take(state, me, p)) return this.#hold(state, me);
      this.#scanOn(state, me, "try.read", "wait.ticket");
    });
    this.on("wait.ticket", "takes a ticket", (state, me, p) => {
      state[this.#ticket + p] = ++state[this.#tickets];
      this.go(state, me, this.is("bit-late") ? "wait.read" : "wait.bit");
    });
    this.on("wait.bit", "sets its bit", (state, me, p) => {
      state[this.#waiting + p] = 1;
      this.go(state, me, "wait.read");
    });
    this.on("wait.read", "reads a permit", (state, me, p) => {
      const word = state[this.#permits + state[me + SCAN]];
      const isMine = phaseOf(word) === HANDED && ownerOf(word) === p + 1;
      if (!isMine && !this.#isToBeHad(state, word)) return this.#scanOn(state, me, "wait.read", "wait.again");
      state[me + SEEN] = word;
      this.go(state, me, "wait.take");
    });
    this.on("wait.take", "CAS to held", (state, me, p) => {
      if (!this.#take(state, me, p)) return this.#scanOn(state, me, "wait.read", "wait.again");
      this.go(state, me, "end.bit");
    });
    // In place of sleeping: the woken, and those whose time is over, look again.
    this.on("wait.again", "looks again", (state, me, p) => {
      if (this.is("bit-late")) state[this.#waiting + p] = 1;
      this.go(state, me, "wait.read");
    }, (state, _me, p) => !this.config.sleeps || this.#isHanded(state, p));
    if (this.config.givesUp) {
      this.on("wait.again", "gives up", (state, me) => {
        state[me + GIVING] = 1;
        this.go(state, me, "end.bit");
      }, (_state, _me, p) => p === 0);
    }
    this.on("end.bit", "clears its bit", (state, me, p) => {
      state[this.#waiting + p] = 0;
      state[this.#ticket + p] = 0;
      this.go(state, me, this.is("no-look-back") ? "end.done" : "end.read");
    });
    this.on("end.read", "looks what was handed to it", (state, me, p) => {
      const permit = state[me + SCAN], word = state[this.#permits + permit];
      if (phaseOf(word) !== HANDED || ownerOf(word) !== p + 1) {
        return this.#scanOn(state, me, "end.read", "end.done");
      }
      this.#passOn(state, me, permit, word, abandonedOf(word), "end.read");
    });
    this.on("end.done", "goes on", (state, me) => {
      if (state[me + GIVING] === 0) return this.#hold(state, me);
      state[me + GIVING] = 0;
      state[me + QUOTA]--;
      this.#rest(state, me);
    });
    this.on("holds", "releases", (state, me) => {
      const permit = state[me + KEEP] - 1;
      state[me + KEEP] = 0;
      state[me + QUOTA]--;
      this.#passOn(state, me, permit, state[me + WORD], 0, "released");
    });
    this.on("released", "is done", (state, me) => this.#rest(state, me));
  }

  #isHanded(state: State, p: number): boolean {
    for (let permit = 0; permit < this.config.permits; permit++) {
      const word = state[this.#permits + permit];
      if (phaseOf(word) === HANDED && ownerOf(word) === p + 1) return true;
    }
    return false;
  }

  #take(state: State, me: number, p: number): boolean {
    const permit = state[me + SCAN], seen = state[me + SEEN];
    state[me + SEEN] = 0;
    const held = wordOf((seen >> 7) + 1, 0, HELD, p + 1);
    if (!this.cas(state, this.#permits + permit, seen, held)) return false;
    if (state[this.#orphan + permit] === 1 && abandonedOf(seen) === 0) {
      throw new Violation("untold", "the holder before has died, and the next one is not told");
    }
    if (state[this.#orphan + permit] === 0 && abandonedOf(seen) === 1) {
      throw new Violation("untold", "the holder before lives, and the next one is told that it has died");
    }
    state[this.#orphan + permit] = 0;
    state[me + KEEP] = permit + 1;
    state[me + WORD] = held;
    state[me + SCAN] = 0;
    return true;
  }

  #hold(state: State, me: number): void {
    state[me + SCAN] = 0;
    this.go(state, me, "holds");
  }

  #scanOn(state: State, me: number, again: string, then: string): void {
    state[me + SCAN]++;
    if (state[me + SCAN] < this.config.permits) return this.go(state, me, again);
    state[me + SCAN] = 0;
    this.go(state, me, then);
  }

  #passOn(state: State, me: number, permit: number, word: number, abandoned: number, then: string): void {
    state[me + PERMIT] = permit;
    // The one that it has is another: what is passed on has a place of its own.
    state[me + SEEN] = word + 1;
    state[me + TARGET] = state[me + TARGET] | abandoned << 8;
    state[me + RETURN] = this.number(then);
    this.go(state, me, "pass.choose");
  }

  #addPassOn(): void {
    this.on("pass.choose", "looks who waits longest", (state, me) => {
      state[me + WAITER] = this.#longest(state);
      this.go(state, me, "pass.cas");
    });
    this.on("pass.cas", "CAS to handed or free", (state, me) => {
      const seen = state[me + SEEN] - 1, waiter = state[me + WAITER];
      const abandoned = this.is("forgets-death") ? 0 : state[me + TARGET] >> 8;
      const next = wordOf((seen >> 7) + 1, abandoned, waiter === 0 ? FREE : HANDED, waiter);
      if (!this.cas(state, this.#permits + state[me + PERMIT], seen, next)) return this.#passed(state, me);
      if (this.is("no-second-look")) return this.#passed(state, me);
      state[me + SEEN] = next + 1;
      this.go(state, me, "pass.look");
    });
    this.on("pass.look", "looks again who waits", (state, me) => {
      const waiter = state[me + WAITER];
      const isRight = waiter === 0 ? this.#longest(state) === 0 : this.#isWaiting(state, waiter - 1);
      if (isRight) return this.#passed(state, me);
      this.go(state, me, "pass.choose");
    });
  }

  #passed(state: State, me: number): void {
    state[me + PC] = state[me + RETURN];
    state[me + TARGET] &= 0xff;
    state[me + PERMIT] =
      state[me + SEEN] =
      state[me + WAITER] =
      state[me + RETURN] =
        0;
  }

  /** The number from 1 of who waits longest; 0: nobody. */
  #longest(state: State): number {
    let first = 0;
    for (let p = 0; p < this.config.processes; p++) {
      if (!this.#isWaiting(state, p)) continue;
      if (first === 0 || state[this.#ticket + p] < state[this.#ticket + first - 1]) first = p + 1;
    }
    return first;
  }

  #addRecovery(): void {
    for (const from of ["idle", "wait.again"]) {
      for (let dead = 0; dead < this.config.processes; dead++) {
        this.on(from, `recover: locks p${dead}`, (state, me, p) => {
          if (!this.is("no-liveness")) state[this.#lock + dead] = p + 1;
          state[me + TARGET] = dead + 1;
          // Where to go on.
          state[me + GIVING] = from === "idle" ? 2 : 3;
          this.go(state, me, "recover.bit");
        }, (state, _me, p) =>
          p !== dead && state[this.#session + dead] !== 0 &&
          (state[this.#lock + dead] === 0 || this.is("no-liveness")));
      }
    }
    this.on("recover.bit", "clears the bit of the dead", (state, me) => {
      const dead = (state[me + TARGET] & 0xff) - 1;
      if (!this.is("dead-waits") && !this.is("no-liveness")) state[this.#waiting + dead] = 0;
      this.go(state, me, "recover.read");
    });
    this.on("recover.read", "reads a permit", (state, me) => {
      const permit = state[me + SCAN], word = state[this.#permits + permit];
      if (ownerOf(word) !== (state[me + TARGET] & 0xff)) return this.#recoverOn(state, me);
      if (this.is("handed-is-held")) return this.#passOn(state, me, permit, word, 1, "recover.on");
      this.#passOn(state, me, permit, word, phaseOf(word) === HELD ? 1 : abandonedOf(word), "recover.on");
    });
    this.on("recover.on", "goes on", (state, me) => this.#recoverOn(state, me));
    this.on("recover.end", "forgets the dead", (state, me) => {
      const dead = (state[me + TARGET] & 0xff) - 1;
      if (!this.is("no-liveness")) {
        state[this.#session + dead] = 0;
        state[this.#lock + dead] = 0;
      }
      const goesOn = state[me + GIVING];
      state[me + GIVING] = state[me + TARGET] = 0;
      if (goesOn === 2) this.#rest(state, me);
      else this.go(state, me, "wait.again");
    });
  }

  #recoverOn(state: State, me: number): void {
    this.#scanOn(state, me, "recover.read", "recover.end");
  }

  #rest(state: State, me: number): void {
    const quota = state[me + QUOTA];
    state.fill(0, me, me + LOCALS);
    state[me + QUOTA] = quota;
  }
}
