import type { Config } from "./config.ts";

/** Shared memory, every process's variables and the witnesses' notes, one 16-bit number each. */
export type State = Uint16Array;

/** The phases of a slot; a box uses FREE, HELD and SENT. */
export const FREE = 0, WRITING = 1, READY = 2, RESERVED = 3, REPLIED = 4, HELD = 5, SENT = 6;
const PHASES = ["FREE", "WRITING", "READY", "RESERVED", "REPLIED", "HELD", "SENT"];

/** A payload that is half written. */
export const TORN = 0xfff;

/** `gen:9 | phase:3 | owner:4`; the owner is 0 for nobody or a process plus one. */
export const wordOf = (gen: number, phase: number, owner: number): number => gen << 7 | phase << 4 | owner;
export const genOf = (word: number): number => word >> 7;
export const phaseOf = (word: number): number => word >> 4 & 7;
export const ownerOf = (word: number): number => word & 15;
export const showWord = (word: number): string =>
  PHASES[phaseOf(word)] + (ownerOf(word) ? `(p${ownerOf(word) - 1})` : "") + ` gen ${genOf(word)}`;

/** `lap:5 | gen:6 | full:1 | index:4`; the generation is 0 where hints do not name it. */
export const cellOf = (lap: number, full: number, index: number, gen = 0): number =>
  lap << 11 | (gen & 63) << 5 | full << 4 | index;
export const lapOf = (cell: number): number => cell >> 11;
export const cellGenOf = (cell: number): number => cell >> 5 & 63;
export const isFull = (cell: number): boolean => (cell & 16) !== 0;
export const indexOf = (cell: number): number => cell & 15;

/** The words of a slot: the slot word and its metadata. */
export const WORD = 0,
  MESSAGE = 1,
  LANE = 2,
  COUNT = 3,
  PREVIOUS = 4,
  REQUEST_SESSION = 5,
  CANCELLED = 6,
  REPLY = 7;
export const BOX = 8;
const SLOT_WORDS = 9;

/** What a process keeps to itself. The first four survive the end of an activity, DIED the process. */
export const PC = 0, DIED = 1, NEXT = 2, QUOTA = 3;
export const MY_SLOT = 4, MY_WORD = 5, MY_POSITION = 6, MY_CELL = 7, MY_LANE = 8, MY_MESSAGE = 9, RETURN = 10;
export const GOT = 11, BEST = 12, BEST_WORD = 13, BEST_LANE = 14, BEST_KEY = 15, SCAN = 16, FLAGS = 17;
export const TARGET = 18, SWEEP = 19, SWEEP_RETURN = 20, MY_SESSION = 21, SIGNAL_SEEN = 22, ARMED_SEEN = 23;
export const MY_BOX = 24, BOX_WORD = 25, CHAIN = 26, STAGE = 27, HINT_GEN = 28;
/** One per lane: the reference of the message that this producer sent before. */
export const LAST_SENT = 29;

/** FLAGS of a receive: looking at the hints once more after a scan; armed; another slot than the hint's; by scan. */
export const RECHECK = 1, IS_ARMED = 2, FOLLOWED = 4, BY_SCAN = 8, URGENT = 16;

/** What has become of a message, for the properties only. */
export const WRITTEN = 1, ACKNOWLEDGED = 2, DONE = 4, TWICE = 8, GIVEN_UP = 16;

/** Where everything lies in a state. */
export class Layout {
  readonly processes: number;
  /** With the dead-letter lane. */
  readonly lanes: number;
  /** The dead-letter lane, -1 without one. */
  readonly deadLane: number;
  readonly cells: number;
  /** Messages of one producer over all its lives. */
  readonly span: number;
  readonly length: number;
  /** Whether messages refer to the one before. */
  readonly chained: boolean;
  readonly crashes: number;
  readonly nacks: number;
  readonly attaches: number;
  readonly cancels: number;
  /** The last session that was given out. */
  readonly sessions: number;
  readonly #at: Record<string, number> = {};
  readonly #locals: number;

  constructor(readonly config: Config) {
    this.processes = config.producers + config.consumers;
    this.deadLane = config.limit > 0 ? config.lanes : -1;
    this.lanes = config.lanes + (config.limit > 0 ? 1 : 0);
    this.chained = config.order === "previous" || (config.partitioned && config.mutant !== "no-chain");
    this.cells = 2 * config.slots;
    this.span = config.messages + config.attaches;
    this.#locals = LAST_SENT + this.lanes;
    let end = 0;
    const place = (name: string, count: number): number => {
      this.#at[name] = end;
      end += count;
      return end - count;
    };
    place("slot", config.slots * SLOT_WORDS);
    place("ring", this.lanes * (2 + this.cells));
    place("lock", this.processes);
    place("session", this.processes);
    place("partition", config.partitioned ? this.lanes : 0);
    place("box", 2 * config.boxes);
    place("wake", config.wake ? 4 : 0);
    place("local", this.processes * this.#locals);
    place("fate", config.producers * this.span);
    place("deliveries", config.limit > 0 ? config.producers * this.span : 0);
    this.crashes = place("crashes", 1);
    this.nacks = place("nacks", 1);
    this.attaches = place("attaches", 1);
    this.cancels = place("cancels", 1);
    this.sessions = place("sessions", 1);
    this.length = end;
  }

  slot(index: number): number {
    return this.#at.slot + index * SLOT_WORDS;
  }
  head(lane: number): number {
    return this.#at.ring + lane * (2 + this.cells);
  }
  tail(lane: number): number {
    return this.head(lane) + 1;
  }
  cell(lane: number, position: number): number {
    return this.head(lane) + 2 + position % this.cells;
  }
  lap(position: number): number {
    return Math.floor(position / this.cells);
  }
  /** The kernel's lock of a participant's byte: 0 or its holder plus one. */
  lock(process: number): number {
    return this.#at.lock + process;
  }
  session(process: number): number {
    return this.#at.session + process;
  }
  partition(lane: number): number {
    return this.#at.partition + lane;
  }
  /** The word of a box; what the box holds is the number after it. */
  box(index: number): number {
    return this.#at.box + 2 * index;
  }
  /** The consumers of the dead-letter lane have words of their own. */
  armed(group: number): number {
    return this.#at.wake + 2 * group;
  }
  disarmed(group: number): number {
    return this.armed(group) + 1;
  }
  local(process: number): number {
    return this.#at.local + process * this.#locals;
  }
  fate(message: number): number {
    return this.#at.fate + message - 1;
  }
  deliveries(message: number): number {
    return this.#at.deliveries + message - 1;
  }

  /** A slot or box and its generation in one number, never 0. */
  reference(index: number, gen: number): number {
    return 1 + index + 16 * gen;
  }
  messageOf(producer: number, sequence: number): number {
    return 1 + producer * this.span + sequence;
  }
  producerOf(message: number): number {
    return Math.floor((message - 1) / this.span);
  }
  sequenceOf(message: number): number {
    return (message - 1) % this.span;
  }
  /** Less urgent first with priorities; two of a kind in a row with partitions. */
  laneOf(message: number): number {
    const producer = this.producerOf(message), sequence = this.sequenceOf(message), { lanes } = this.config;
    return this.config.partitioned ? (producer + (sequence >> 1)) % lanes : lanes - 1 - sequence % lanes;
  }
  /** The lanes that a consumer takes from, most urgent first. With several, the last one reads dead letters. */
  wants(process: number, lane: number): boolean {
    if (lane >= this.lanes || this.deadLane < 0 || this.config.consumers === 1) return lane < this.lanes;
    return (process === this.processes - 1) === (lane === this.deadLane);
  }
  /** The first lane from `lane` on that a consumer takes from, -1 for none. */
  laneFrom(process: number, lane: number): number {
    while (lane < this.lanes && !this.wants(process, lane)) lane++;
    return lane < this.lanes ? lane : -1;
  }

  initial(): State {
    const { config } = this;
    const state = new Uint16Array(this.length);
    for (let p = 0; p < this.processes; p++) {
      state[this.lock(p)] = p + 1;
      state[this.session(p)] = p + 1;
      state[this.local(p) + QUOTA] = p < config.producers ? config.messages : 0;
      if (config.uneven && p === config.producers - 1) state[this.local(p) + QUOTA]--;
    }
    state[this.sessions] = this.processes;
    return state;
  }
  /** Ends an activity: what the process had in mind is forgotten, so that equal situations are equal states. */
  rest(state: State, me: number): void {
    state.fill(0, me + MY_SLOT, me + LAST_SENT);
    state[me + PC] = 0;
  }
}

/** The state as a key. */
export const encode = (state: State): string => String.fromCharCode.apply(null, state as unknown as number[]);

export function decode(key: string, into: State): void {
  for (let at = 0; at < into.length; at++) into[at] = key.charCodeAt(at);
}
