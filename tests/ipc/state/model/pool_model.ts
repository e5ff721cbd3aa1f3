import { type Config, DEAD, IDLE, Machine, PC, type State, Violation } from "./machine.ts";

/** What a run of the pool's model explores, besides. */
export interface PoolConfig extends Config {
  readonly blocks: number;
  /** How often each process acquires or takes a block. */
  readonly rounds: number;
}

const FREE = 0, OWNED = 1, OFFERED = 2;
const wordOf = (gen: number, phase: number, owner: number): number => gen << 6 | phase << 4 | owner;
const genOf = (word: number): number => word >> 6;
const phaseOf = (word: number): number => word >> 4 & 3;
const ownerOf = (word: number): number => word & 15;

const QUOTA = 1, BLOCK = 2, WORD = 3, TARGET = 4, SWEEP = 5, REFERENCE = 6, OFFER = 7;
const LOCALS = 8;

/**
 * The words of a pool. A process acquires a block, then releases or offers it; any other may take what is offered, by a reference that it
 * has for ever, in `sent`.
 */
export class PoolModel extends Machine {
  readonly #blocks: number;
  readonly #sent: number;
  /** How often each block was offered, for the properties only. */
  readonly #offers: number;
  readonly #lock: number;
  readonly #session: number;

  constructor(override readonly config: PoolConfig) {
    super(config);
    this.#blocks = this.place(config.blocks);
    this.#sent = this.place(config.blocks);
    this.#offers = this.place(config.blocks);
    this.#lock = this.place(config.processes);
    this.#session = this.place(config.processes);
    this.placeLocals(LOCALS);
    this.#addOwner();
    this.#addTaker();
    this.#addRecovery();
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
  }

  watch(state: State): void {
    // Who knows that it has a block, has it, and nobody else knows so.
    const known = new Set<number>();
    for (let p = 0; p < this.config.processes; p++) {
      const me = this.local(p);
      if (state[me + WORD] === 0) continue;
      const block = state[me + BLOCK];
      if (known.has(block)) throw new Violation("shared", `two processes have block ${block}`);
      known.add(block);
      if (state[this.#blocks + block] !== state[me + WORD] - 1) {
        throw new Violation("robbed", `block ${block} of the living p${p} has changed`);
      }
    }
  }

  isGood(state: State, paused: number): boolean {
    for (let p = 0; p < this.config.processes; p++) {
      const isDone = this.isAt(state, p, DEAD) ||
        this.isAt(state, p, IDLE) && state[this.local(p) + QUOTA] === 0;
      if (p !== paused && !isDone) return false;
    }
    let kept = 0;
    for (let block = 0; block < this.config.blocks; block++) {
      const word = state[this.#blocks + block], owner = ownerOf(word);
      if (phaseOf(word) === FREE) continue;
      // Offered by a living one for ever, or the paused one's, or being recovered by it.
      const isOffered = phaseOf(word) === OFFERED && !this.isAt(state, owner - 1, DEAD);
      const isKept = paused >= 0 && (owner === paused + 1 || state[this.#lock + owner - 1] === paused + 1);
      if (!isOffered && !isKept) return false;
      kept++;
    }
    return kept < this.config.blocks || paused >= 0 || kept === 0 || this.#allOffered(state);
  }

  #allOffered(state: State): boolean {
    for (let block = 0; block < this.config.blocks; block++) {
      if (phaseOf(state[this.#blocks + block]) !== OFFERED) return false;
    }
    return true;
  }

  #addOwner(): void {
    for (let block = 0; block < this.config.blocks; block++) {
      this.on("idle", `acquires block ${block}`, (state, me, p) => {
        const word = state[this.#blocks + block];
        const owned = wordOf(genOf(word), OWNED, p + 1);
        state[this.#blocks + block] = owned;
        state[me + QUOTA]--;
        this.#has(state, me, block, owned);
      }, (state, me) => state[me + QUOTA] > 0 && phaseOf(state[this.#blocks + block]) === FREE);
    }
    this.on("idle", "has enough: all are in use", (state, me) => {
      state[me + QUOTA] = 0;
    }, (state, me) => {
      if (state[me + QUOTA] === 0) return false;
      for (let block = 0; block < this.config.blocks; block++) {
        if (phaseOf(state[this.#blocks + block]) === FREE) return false;
      }
      return true;
    });
    this.on("has", "releases it", (state, me) => {
      const address = this.#blocks + state[me + BLOCK], word = state[me + WORD] - 1;
      this.cas(state, address, word, wordOf(genOf(word) + 1, FREE, 0));
      this.#rest(state, me);
    });
    this.on("has", "offers it", (state, me, p) => {
      const block = state[me + BLOCK], word = state[me + WORD] - 1;
      this.cas(state, this.#blocks + block, word, wordOf(genOf(word), OFFERED, p + 1));
      // The reference is sent somewhere: the last one of each block.
      state[this.#sent + block] = 1 + genOf(word);
      state[this.#offers + block]++;
      state[me + TARGET] = wordOf(genOf(word), OFFERED, p + 1);
      state[me + SWEEP] = block;
      state[me + BLOCK] = state[me + WORD] = 0;
      this.go(state, me, "offers");
    });
    this.on("offers", "goes on", (state, me) => this.#rest(state, me));
    this.on("offers", "takes its offer back", (state, me, p) => {
      const word = state[me + TARGET], block = state[me + SWEEP];
      const gen = this.is("withdraw-same-generation") ? genOf(word) : genOf(word) + 1;
      const owned = wordOf(gen, OWNED, p + 1);
      const isMoved = this.cas(state, this.#blocks + block, word, owned);
      state[me + QUOTA]--;
      this.#rest(state, me);
      if (isMoved) this.#has(state, me, block, owned);
    }, (state, me) => state[me + QUOTA] > 0);
  }

  #addTaker(): void {
    for (let block = 0; block < this.config.blocks; block++) {
      this.on("idle", `take: gets a reference to block ${block}`, (state, me) => {
        state[me + REFERENCE] = state[this.#sent + block];
        state[me + OFFER] = state[this.#offers + block];
        state[me + SWEEP] = block;
        state[me + QUOTA]--;
        this.go(state, me, "take.read");
      }, (state, me) => state[this.#sent + block] > 0 && state[me + QUOTA] > 0);
    }
    this.on("take.read", "reads the word", (state, me) => {
      const word = state[this.#blocks + state[me + SWEEP]];
      const isNamed = this.is("take-any-generation") || genOf(word) + 1 === state[me + REFERENCE];
      if (!isNamed || phaseOf(word) !== OFFERED) return this.#rest(state, me);
      state[me + TARGET] = word;
      this.go(state, me, "take.cas");
    });
    this.on("take.cas", "CAS to its own", (state, me, p) => {
      const block = state[me + SWEEP], word = state[me + TARGET], offer = state[me + OFFER];
      this.#rest(state, me);
      const owned = wordOf(genOf(word) + 1, OWNED, p + 1);
      const isMoved = this.is("take-store")
        ? (state[this.#blocks + block] = owned) === owned
        : this.cas(state, this.#blocks + block, word, owned);
      if (!isMoved) return;
      if (offer !== state[this.#offers + block]) {
        throw new Violation("stale", `block ${block} is taken by the reference of an earlier offer`);
      }
      this.#has(state, me, block, owned);
    });
  }

  #addRecovery(): void {
    for (let dead = 0; dead < this.config.processes; dead++) {
      this.on("idle", `recover: locks p${dead}`, (state, me, p) => {
        if (!this.is("no-liveness")) state[this.#lock + dead] = p + 1;
        state[me + TARGET] = dead;
        this.go(state, me, "recover.read");
      }, (state, _me, p) =>
        p !== dead && state[this.#session + dead] !== 0 &&
        (state[this.#lock + dead] === 0 || this.is("no-liveness")));
    }
    this.on("recover.read", "reads a word", (state, me) => {
      const word = state[this.#blocks + state[me + SWEEP]];
      if (ownerOf(word) !== state[me + TARGET] + 1) return this.#sweepOn(state, me);
      // In QUOTA's place nothing is kept: the word is read again by the CAS.
      this.go(state, me, "recover.free");
    });
    this.on("recover.free", "CAS to free", (state, me) => {
      const address = this.#blocks + state[me + SWEEP], word = state[address];
      const isDead = ownerOf(word) === state[me + TARGET] + 1;
      if (isDead && !this.is("no-sweep")) state[address] = wordOf(genOf(word) + 1, FREE, 0);
      this.#sweepOn(state, me);
    });
  }

  #sweepOn(state: State, me: number): void {
    state[me + SWEEP]++;
    if (state[me + SWEEP] < this.config.blocks) return this.go(state, me, "recover.read");
    const dead = state[me + TARGET];
    state[me + SWEEP] = state[me + TARGET] = 0;
    if (!this.is("no-liveness")) {
      state[this.#session + dead] = 0;
      state[this.#lock + dead] = 0;
    }
    state[me + PC] = IDLE;
  }

  #has(state: State, me: number, block: number, word: number): void {
    state[me + BLOCK] = block;
    state[me + WORD] = word + 1;
    this.go(state, me, "has");
  }

  #rest(state: State, me: number): void {
    const quota = state[me + QUOTA];
    state.fill(0, me, me + LOCALS);
    state[me + QUOTA] = quota;
  }
}
