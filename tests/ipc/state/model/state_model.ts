import { type Config, DEAD, IDLE, Machine, PC, type State, Violation } from "./machine.ts";

/** What a run of the state's model explores, besides. */
export interface StateConfig extends Config {
  readonly blocks: number;
  readonly keys: number;
  /** Changes that each of the processes but the reader makes. */
  readonly changes: number;
  /** Whether keys are deleted as well. */
  readonly deletes: boolean;
  /** The last process reads, so often. */
  readonly reads: number;
  /** Values are so long that their blocks' generations are looked at. */
  readonly long: boolean;
}

const FREE = 0, OWNED = 1, LIVE = 2;
const wordOf = (gen: number, phase: number, owner: number): number => gen << 6 | phase << 4 | owner;
const genOf = (word: number): number => word >> 6;
const phaseOf = (word: number): number => word >> 4 & 3;
const ownerOf = (word: number): number => word & 15;

/** What a block has: its word, the next one from 1, its key, and both halves of its value. */
const BLOCK_WORDS = 5;
const NEXT = 1, KEY = 2, FIRST = 3, SECOND = 4;
/** A half of a value that is being written. */
const TORN = 99;

// What a process keeps to itself.
const QUOTA = 1,
  OP_KEY = 2,
  NEW = 3,
  TAG = 4,
  HEAD = 5,
  CURSOR = 6,
  OLD = 7,
  OLD_WORD = 8,
  BEFORE = 9,
  COPY = 10;
const BEFORE_WORD = 11,
  VALUE = 12,
  SPARE = 13,
  RETURN = 14,
  CHECK = 15,
  CHECK_WORD = 16,
  TARGET = 17,
  SWEEP = 18;
const HALF = 19, MASK = 20, FOUND = 21, STAGE = 22;
const LOCALS = 23;
/** Variables that outlive what is being done. */
const KEPT = [QUOTA, SPARE];

/**
 * One bucket, its chain of records, and the words of the blocks. Writers set or delete one of the keys; a reader copies a value in two halves.
 * Whoever has nothing to do recovers the dead, and looks for blocks that no bucket leads to.
 *
 * To follow a chain and to find the bucket unchanged behind that is one step here where nothing is done with what was read before: `leads`.
 */
export class StateModel extends Machine {
  readonly #head: number;
  readonly #tag: number;
  readonly #blocks: number;
  readonly #lock: number;
  readonly #session: number;
  readonly #values: number;
  /** What each key should have: 0, or its value; for the properties only. */
  readonly #truth: number;

  constructor(override readonly config: StateConfig) {
    super(config);
    this.#head = this.place(1);
    this.#tag = this.place(1);
    this.#blocks = this.place(config.blocks * BLOCK_WORDS);
    this.#lock = this.place(config.processes);
    this.#session = this.place(config.processes);
    this.#values = this.place(1);
    this.#truth = this.place(config.keys + 1);
    this.placeLocals(LOCALS);
    this.#addWriter();
    this.#addPublished();
    if (config.reads > 0) this.#addReader();
    this.#addRecovery();
  }

  begin(state: State): void {
    const { processes, reads, changes } = this.config;
    for (let p = 0; p < processes; p++) {
      state[this.#lock + p] = p + 1;
      state[this.#session + p] = 1;
      state[this.local(p) + QUOTA] = reads > 0 && p === processes - 1 ? reads : changes;
    }
  }

  bury(state: State, process: number): void {
    for (let p = 0; p < this.config.processes; p++) this.cas(state, this.#lock + p, process + 1, 0);
  }

  /** What the bucket leads to is what was set last. */
  watch(state: State): void {
    const found = new Set<number>();
    let block = state[this.#head];
    for (let depth = 0; block !== 0; depth++) {
      if (depth > this.config.blocks) throw new Violation("broken", "the chain goes round");
      const at = this.#at(block - 1), key = state[at + KEY];
      if (phaseOf(state[at]) === FREE) throw new Violation("broken", "the bucket leads to a free block");
      if (found.has(key)) throw new Violation("broken", `key ${key} is in the chain twice`);
      if (state[at + FIRST] !== state[at + SECOND]) {
        throw new Violation("broken", "the chain has half a record");
      }
      if (state[this.#truth + key] !== state[at + FIRST]) {
        throw new Violation("broken", `key ${key} has ${state[at + FIRST]}, not ${state[this.#truth + key]}`);
      }
      found.add(key);
      block = state[at + NEXT];
    }
    for (let key = 1; key <= this.config.keys; key++) {
      if (state[this.#truth + key] !== 0 && !found.has(key)) {
        throw new Violation("broken", `key ${key} is lost`);
      }
    }
  }

  /** Everything is done, and each block is free, led to, or somebody's who lives and knows it. */
  isGood(state: State, paused: number): boolean {
    let kept = 0;
    for (let block = 0; block < this.config.blocks; block++) {
      const word = state[this.#at(block)];
      if (phaseOf(word) === FREE || phaseOf(word) === LIVE && this.#leads(state, block)) continue;
      if (paused >= 0 && this.#isKept(state, paused, block)) {
        kept++;
        continue;
      }
      const owner = ownerOf(word) - 1;
      if (phaseOf(word) !== OWNED || owner === paused) return false;
      if (this.isAt(state, owner, DEAD) || state[this.local(owner) + SPARE] !== block + 1) return false;
    }
    for (let p = 0; p < this.config.processes; p++) {
      const isDone = this.isAt(state, p, DEAD) ||
        this.isAt(state, p, IDLE) && state[this.local(p) + QUOTA] === 0;
      if (p !== paused && !isDone) return false;
    }
    return kept <= this.config.blocks;
  }

  /** Whether the paused one has a block, has just taken it from the bucket, or is putting it in order for its owner. */
  #isKept(state: State, paused: number, block: number): boolean {
    const me = this.local(paused), word = state[this.#at(block)], owner = ownerOf(word);
    if (phaseOf(word) === OWNED) return owner === paused + 1 || state[this.#lock + owner - 1] === paused + 1;
    return [NEW, OLD, BEFORE, COPY, CHECK].some((place) => state[me + place] === block + 1) ||
      this.config.processes > 0 && state[me + STAGE] > 0;
  }

  #at(block: number): number {
    return this.#blocks + block * BLOCK_WORDS;
  }

  #leads(state: State, block: number): boolean {
    let next = state[this.#head];
    for (let depth = 0; next !== 0 && depth <= this.config.blocks; depth++) {
      if (next - 1 === block) return true;
      next = state[this.#at(next - 1) + NEXT];
    }
    return false;
  }

  #rest(state: State, me: number): void {
    const kept = KEPT.map((place) => state[me + place]);
    state.fill(0, me, me + LOCALS);
    KEPT.forEach((place, index) => state[me + place] = kept[index]);
  }

  /** A spare, or a free block; false when there is none. */
  #takeBlock(state: State, me: number, p: number, place: number): boolean {
    if (state[me + SPARE] !== 0) {
      state[me + place] = state[me + SPARE];
      state[me + SPARE] = 0;
      return true;
    }
    for (let block = 0; block < this.config.blocks; block++) {
      const at = this.#at(block);
      if (phaseOf(state[at]) !== FREE) continue;
      state[at] = wordOf(genOf(state[at]), OWNED, p + 1);
      state[me + place] = block + 1;
      return true;
    }
    return false;
  }

  #beginWriting(state: State, block: number): void {
    const at = this.#at(block), word = state[at];
    if (!this.is("same-generation")) state[at] = wordOf(genOf(word) + 1, phaseOf(word), ownerOf(word));
  }

  #putBack(state: State, me: number, place: number): void {
    const block = state[me + place];
    state[me + place] = 0;
    if (block === 0) return;
    if (state[me + SPARE] === 0) state[me + SPARE] = block;
    else state[this.#at(block - 1)] = wordOf(genOf(state[this.#at(block - 1)]) + 1, FREE, 0);
  }

  #addWriter(): void {
    const { processes, reads } = this.config;
    const writes = (state: State, me: number, p: number): boolean =>
      state[me + QUOTA] > 0 && !(reads > 0 && p === processes - 1);
    for (let key = 1; key <= this.config.keys; key++) {
      this.on("idle", `set ${key}: takes a block`, (state, me, p) => {
        state[me + QUOTA]--;
        if (!this.#takeBlock(state, me, p, NEW)) return;
        state[me + OP_KEY] = key;
        this.go(state, me, "set.begin");
      }, writes);
      if (!this.config.deletes) continue;
      this.on("idle", `delete ${key}`, (state, me) => {
        state[me + QUOTA]--;
        state[me + OP_KEY] = key;
        this.go(state, me, "change.tag");
      }, writes);
    }
    this.on("set.begin", "counts its generation up", (state, me) => {
      this.#beginWriting(state, state[me + NEW] - 1);
      this.go(state, me, "set.first");
    });
    this.on("set.first", "writes half a record", (state, me) => {
      const at = this.#at(state[me + NEW] - 1);
      state[at + FIRST] = state[me + VALUE] = ++state[this.#values];
      state[at + SECOND] = TORN;
      this.go(state, me, "set.second");
    });
    this.on("set.second", "writes the rest", (state, me) => {
      const at = this.#at(state[me + NEW] - 1);
      state[at + KEY] = state[me + OP_KEY];
      state[at + SECOND] = state[me + VALUE];
      this.go(state, me, "change.tag");
    });
    this.on("change.tag", "reads the tag", (state, me) => {
      state[me + TAG] = state[this.#tag];
      state[me + OLD] =
        state[me + OLD_WORD] =
        state[me + BEFORE] =
        state[me + BEFORE_WORD] =
          0;
      this.go(state, me, "change.head");
    });
    this.on("change.head", "reads the head", (state, me) => {
      state[me + HEAD] = state[me + CURSOR] = state[this.#head];
      this.#lookOn(state, me);
    });
    this.on("change.look", "reads a record", (state, me) => {
      const block = state[me + CURSOR], at = this.#at(block - 1);
      if (state[at + KEY] === state[me + OP_KEY]) {
        state[me + OLD] = block;
        return this.go(state, me, "change.word");
      }
      if (state[me + BEFORE] !== 0) return this.#again(state, me);
      state[me + BEFORE] = block;
      state[me + CURSOR] = state[at + NEXT];
      this.#lookOn(state, me);
    });
    this.on("change.word", "reads the word of what it replaces", (state, me) => {
      state[me + OLD_WORD] = state[this.#at(state[me + OLD] - 1)];
      if (state[me + BEFORE] === 0) return this.go(state, me, "change.lead");
      this.go(state, me, "change.copy");
    });
    // What is before it in the chain is copied.
    this.on("change.copy", "copies the record before", (state, me, p) => {
      if (!this.#takeBlock(state, me, p, COPY)) return this.#giveUp(state, me);
      this.#beginWriting(state, state[me + COPY] - 1);
      const from = this.#at(state[me + BEFORE] - 1), to = this.#at(state[me + COPY] - 1);
      state[me + BEFORE_WORD] = state[from];
      for (const word of [KEY, FIRST, SECOND]) state[to + word] = state[from + word];
      state[to + NEXT] = state[this.#at(state[me + OLD] - 1) + NEXT];
      this.go(state, me, "change.lead");
    });
    this.on("change.lead", "CAS of the bucket", (state, me) => {
      const { [me + OLD]: old, [me + COPY]: copy, [me + NEW]: created, [me + HEAD]: head } = state;
      const rest = copy !== 0 ? copy : old !== 0 ? state[this.#at(old - 1) + NEXT] : head;
      if (created !== 0) state[this.#at(created - 1) + NEXT] = rest;
      const isSame = state[this.#head] === head &&
        (this.is("no-tag") || state[this.#tag] === state[me + TAG]);
      if (!isSame) return this.#again(state, me);
      state[this.#head] = created !== 0 ? created : rest;
      state[this.#tag]++;
      this.#set(state, state[me + OP_KEY], state[me + VALUE]);
      this.#publish(state, me, NEW, "done.copy");
    });
    this.on("done.copy", "the copy", (state, me) => this.#publish(state, me, COPY, "done.before"));
    this.on(
      "done.before",
      "what was copied",
      (state, me) => this.#unlinked(state, me, BEFORE, BEFORE_WORD, "done.old"),
    );
    this.on("done.old", "what was replaced", (state, me) => this.#unlinked(state, me, OLD, OLD_WORD, "done"));
    this.on("done", "rests", (state, me) => this.#rest(state, me));
  }

  #lookOn(state: State, me: number): void {
    if (state[me + CURSOR] !== 0) return this.go(state, me, "change.look");
    // Not there: it comes to the front, and nothing is copied.
    state[me + BEFORE] = 0;
    if (state[me + NEW] !== 0) return this.go(state, me, "change.lead");
    this.#rest(state, me);
  }

  #again(state: State, me: number): void {
    this.#putBack(state, me, COPY);
    state[me + CURSOR] =
      state[me + HEAD] =
      state[me + OLD] =
      state[me + OLD_WORD] =
        0;
    state[me + BEFORE] = state[me + BEFORE_WORD] = 0;
    this.go(state, me, "change.tag");
  }

  #giveUp(state: State, me: number): void {
    this.#putBack(state, me, NEW);
    this.#putBack(state, me, COPY);
    this.#rest(state, me);
  }

  /** The witness: readers that are under way may find what the key has now, too. */
  #set(state: State, key: number, value: number): void {
    state[this.#truth + key] = value;
    for (let p = 0; p < this.config.processes; p++) {
      const me = this.local(p);
      if (state[me + MASK] !== 0 && state[me + OP_KEY] === key) state[me + MASK] |= 1 << value;
    }
  }

  #publish(state: State, me: number, place: number, then: string): void {
    if (state[me + place] === 0) return this.go(state, me, then);
    state[me + CHECK] = state[me + place];
    state[me + place] = 0;
    state[me + RETURN] = this.number(then);
    this.go(state, me, "publish");
  }

  #unlinked(state: State, me: number, place: number, wordPlace: number, then: string): void {
    if (state[me + place] === 0) return this.go(state, me, then);
    const block = state[me + place], now = state[this.#at(block - 1)];
    const isSame = genOf(now) === genOf(state[me + wordPlace]);
    state[me + place] = state[me + wordPlace] = 0;
    if (phaseOf(now) !== LIVE || !isSame && !this.is("take-any-generation")) return this.go(state, me, then);
    state[me + CHECK] = block;
    state[me + CHECK_WORD] = now;
    state[me + RETURN] = this.number(then);
    this.go(state, me, "take");
  }

  #addPublished(): void {
    this.on("publish", "CAS to live", (state, me) => {
      const at = this.#at(state[me + CHECK] - 1);
      state[at] = wordOf(genOf(state[at]), LIVE, 0);
      state[me + CHECK_WORD] = state[at];
      if (this.is("no-second-look")) return this.#back(state, me);
      this.go(state, me, "publish.look");
    });
    this.on("publish.look", "looks whether the bucket leads to it", (state, me) => {
      if (this.#leads(state, state[me + CHECK] - 1)) return this.#back(state, me);
      // A mistake: what is its word by then may be that of another life.
      if (this.is("take-reread")) return this.go(state, me, "publish.reread");
      this.go(state, me, "take");
    });
    if (this.is("take-reread")) {
      this.on("publish.reread", "reads its word again", (state, me) => {
        state[me + CHECK_WORD] = state[this.#at(state[me + CHECK] - 1)];
        if (phaseOf(state[me + CHECK_WORD]) !== LIVE) return this.#back(state, me);
        this.go(state, me, "take");
      });
    }
    this.on("take", "CAS to its own", (state, me, p) => {
      const block = state[me + CHECK], word = state[me + CHECK_WORD];
      const isMine = this.cas(state, this.#at(block - 1), word, wordOf(genOf(word), OWNED, p + 1));
      if (isMine) this.#putBack(state, me, CHECK);
      this.#back(state, me);
    });
  }

  #back(state: State, me: number): void {
    state[me + PC] = state[me + RETURN];
    state[me + RETURN] = state[me + CHECK] = state[me + CHECK_WORD] = 0;
  }

  #addReader(): void {
    const reader = this.config.processes - 1;
    for (let key = 1; key <= this.config.keys; key++) {
      this.on("idle", `get ${key}`, (state, me) => {
        state[me + QUOTA]--;
        state[me + OP_KEY] = key;
        state[me + MASK] = 1 << state[this.#truth + key] | 1 << 15;
        this.go(state, me, "read.tag");
      }, (state, me, p) => p === reader && state[me + QUOTA] > 0);
    }
    this.on("read.tag", "reads the tag", (state, me) => {
      state[me + TAG] = state[this.#tag];
      this.go(state, me, "read.head");
    });
    this.on("read.head", "reads the head", (state, me) => {
      state[me + CURSOR] = state[this.#head];
      this.go(state, me, state[me + CURSOR] === 0 ? "read.check" : "read.record");
    });
    this.on("read.record", "reads a record", (state, me) => {
      const at = this.#at(state[me + CURSOR] - 1);
      if (state[at + KEY] === state[me + OP_KEY]) {
        return this.go(state, me, this.config.long ? "read.word" : "read.first");
      }
      state[me + CURSOR] = state[at + NEXT];
      if (++state[me + FOUND] > this.config.blocks) return this.#readAgain(state, me);
      this.go(state, me, state[me + CURSOR] === 0 ? "read.check" : "read.record");
    });
    if (this.config.long) {
      this.on("read.word", "reads the word of its block", (state, me) => {
        state[me + CHECK_WORD] = state[this.#at(state[me + CURSOR] - 1)];
        this.go(state, me, this.is("long-no-look") ? "read.first" : "read.look");
      });
      this.on("read.look", "reads the tag again", (state, me) => {
        if (state[this.#tag] !== state[me + TAG]) return this.#readAgain(state, me);
        this.go(state, me, "read.first");
      });
    }
    this.on("read.first", "copies half the value", (state, me) => {
      state[me + VALUE] = state[this.#at(state[me + CURSOR] - 1) + FIRST];
      this.go(state, me, "read.second");
    });
    this.on("read.second", "copies the rest", (state, me) => {
      state[me + HALF] = state[this.#at(state[me + CURSOR] - 1) + SECOND];
      this.go(state, me, this.config.long ? "read.generation" : "read.check");
    });
    if (this.config.long) {
      this.on("read.generation", "reads the word again", (state, me) => {
        const now = state[this.#at(state[me + CURSOR] - 1)];
        if (genOf(now) !== genOf(state[me + CHECK_WORD])) return this.#readAgain(state, me);
        this.#gets(state, me);
      });
    }
    this.on("read.check", "reads the tag again", (state, me) => {
      if (state[this.#tag] !== state[me + TAG] && !this.is("read-no-check")) {
        return this.#readAgain(state, me);
      }
      this.#gets(state, me);
    });
  }

  #readAgain(state: State, me: number): void {
    state[me + CURSOR] =
      state[me + VALUE] =
      state[me + HALF] =
      state[me + CHECK_WORD] =
      state[me + FOUND] =
        0;
    this.go(state, me, "read.tag");
  }

  #gets(state: State, me: number): void {
    const [value, half] = [state[me + VALUE], state[me + HALF]];
    if (value !== half) throw new Violation("torn", "a value is read whose halves are of two");
    if ((state[me + MASK] >> value & 1) === 0) {
      throw new Violation("stale", `${value} is read, which the key had at no moment meanwhile`);
    }
    this.#rest(state, me);
  }

  #addRecovery(): void {
    for (let dead = 0; dead < this.config.processes; dead++) {
      this.on("idle", `recover: locks p${dead}`, (state, me, p) => {
        if (!this.is("no-liveness")) state[this.#lock + dead] = p + 1;
        state[me + TARGET] = dead + 1;
        state[me + STAGE] = 1;
        this.go(state, me, "sweep.read");
      }, (state, _me, p) =>
        p !== dead && state[this.#session + dead] !== 0 &&
        (state[this.#lock + dead] === 0 || this.is("no-liveness")));
    }
    this.on("sweep.read", "reads a word", (state, me) => {
      const word = state[this.#at(state[me + SWEEP])];
      state[me + CHECK_WORD] = word;
      if (phaseOf(word) !== OWNED || ownerOf(word) !== state[me + TARGET]) return this.#sweepOn(state, me);
      this.go(state, me, this.is("free-published") ? "sweep.free" : "sweep.look");
    });
    this.on("sweep.look", "looks whether the bucket leads to it", (state, me) => {
      this.go(state, me, this.#leads(state, state[me + SWEEP]) ? "sweep.live" : "sweep.free");
    });
    this.on("sweep.live", "CAS to live", (state, me) => {
      const at = this.#at(state[me + SWEEP]), word = state[me + CHECK_WORD];
      const live = wordOf(genOf(word), LIVE, 0);
      if (!this.cas(state, at, word, live)) return this.#sweepOn(state, me);
      state[me + CHECK_WORD] = live;
      this.go(state, me, "sweep.again");
    });
    this.on("sweep.again", "looks again", (state, me) => {
      if (this.#leads(state, state[me + SWEEP])) return this.#sweepOn(state, me);
      this.go(state, me, "sweep.free");
    });
    this.on("sweep.free", "CAS to free", (state, me) => {
      const word = state[me + CHECK_WORD];
      this.cas(state, this.#at(state[me + SWEEP]), word, wordOf(genOf(word) + 1, FREE, 0));
      this.#sweepOn(state, me);
    });
    this.on("sweep.end", "forgets the dead", (state, me) => {
      const dead = state[me + TARGET] - 1;
      if (!this.is("no-liveness")) {
        state[this.#session + dead] = 0;
        state[this.#lock + dead] = 0;
      }
      if (this.is("no-audit")) return this.#rest(state, me);
      state[me + SWEEP] = 0;
      this.go(state, me, "audit.read");
    });
    this.on("audit.read", "reads a word", (state, me) => {
      const word = state[this.#at(state[me + SWEEP])];
      if (phaseOf(word) !== LIVE) return this.#auditOn(state, me);
      state[me + CHECK_WORD] = word;
      this.go(state, me, "audit.look");
    });
    this.on("audit.look", "looks whether the bucket leads to it", (state, me) => {
      if (this.#leads(state, state[me + SWEEP])) return this.#auditOn(state, me);
      this.go(state, me, "audit.free");
    });
    this.on("audit.free", "CAS to free", (state, me) => {
      const word = state[me + CHECK_WORD];
      this.cas(state, this.#at(state[me + SWEEP]), word, wordOf(genOf(word) + 1, FREE, 0));
      this.#auditOn(state, me);
    });
  }

  #sweepOn(state: State, me: number): void {
    state[me + CHECK_WORD] = 0;
    this.go(state, me, ++state[me + SWEEP] < this.config.blocks ? "sweep.read" : "sweep.end");
  }

  #auditOn(state: State, me: number): void {
    state[me + CHECK_WORD] = 0;
    if (++state[me + SWEEP] < this.config.blocks) return this.go(state, me, "audit.read");
    this.#rest(state, me);
  }
}
