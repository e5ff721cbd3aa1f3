import type { Config } from "./config.ts";
import { EdgeList } from "./edge_list.ts";
import { type Machine, type Property, Violation } from "./machine.ts";
import { Ending, NOBODY, watchEnd, watchState } from "./properties.ts";
import { buildProtocol } from "./protocol.ts";
import { decode, DIED, encode, NEXT, PC, QUOTA, type State } from "./state.ts";
import { describeState } from "./trace.ts";

/** What a run found. */
export interface Result {
  readonly states: number;
  readonly edges: number;
  readonly seconds: number;
  readonly broken:
    | { readonly property: Property; readonly message: string; readonly trace: string[] }
    | undefined;
}

/** States above this are a mistake in the configuration: the memory would not hold them. */
const STATES_MAX = 12_000_000;

/** Goes through every interleaving of single steps, breadth first, so that a violation's trace is a shortest one. */
export function explore(config: Config): Result {
  return new Search(buildProtocol(config)).run();
}

class Search {
  readonly #machine: Machine;
  readonly #keys: string[] = [];
  readonly #ids = new Map<string, number>();
  /** Who took which step: of edge n `by[n]` moved; -1 for a death or an arrival, on which nobody may count. */
  readonly #edges = new EdgeList();
  readonly #parent: number[] = [];
  readonly #how: string[] = [];
  readonly #now: State;
  readonly #next: State;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#now = new Uint16Array(machine.layout.length);
    this.#next = new Uint16Array(machine.layout.length);
  }

  run(): Result {
    const start = performance.now();
    let broken: Result["broken"];
    try {
      this.#search();
      this.#analyse();
    } catch (error) {
      if (!(error instanceof Found)) throw error;
      broken = { property: error.violation.property, message: error.violation.message, trace: error.trace };
    }
    const seconds = (performance.now() - start) / 1000;
    return { states: this.#keys.length, edges: this.#edges.length, seconds, broken };
  }

  #search(): void {
    const { layout, config } = this.#machine;
    const dead = this.#machine.number("dead");
    const asleep = config.wake ? this.#machine.number("sleep.asleep") : -1;
    this.#visit(encode(layout.initial()), -1, "");
    for (let at = 0; at < this.#keys.length; at++) {
      decode(this.#keys[at], this.#now);
      const before = this.#edges.length;
      for (let p = 0; p < layout.processes; p++) {
        const me = layout.local(p), pc = this.#now[me + PC];
        for (const step of this.#machine.table[pc]) {
          if (step.when !== undefined && !step.when(this.#now, me, p)) continue;
          this.#take(at, p, step.name, pc === dead ? -1 : p, () => step.run(this.#next, me, p));
        }
        if (pc === 0 || pc === dead || pc === asleep || this.#now[layout.crashes] >= config.crashes) continue;
        this.#take(at, p, "dies", -1, () => this.#die(me, p));
      }
      if (config.wake && this.#edges.length === before) {
        this.#attempt(at, "", () => watchEnd(this.#machine, this.#now));
      }
      if (this.#keys.length > STATES_MAX) throw new Error(`explore: more than ${STATES_MAX} states`);
    }
  }

  #take(from: number, p: number, name: string, by: number, change: () => void): void {
    this.#next.set(this.#now);
    const how = `p${p}  ${name}`;
    this.#attempt(from, how, () => {
      change();
      watchState(this.#machine, this.#next);
    });
    this.#edges.add(from, this.#visit(encode(this.#next), from, how), by);
  }
  #attempt(from: number, how: string, change: () => void): void {
    try {
      change();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      throw new Found(error, [...this.#traceTo(from), ...(how === "" ? [] : [how])]);
    }
  }
  #visit(key: string, from: number, how: string): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#keys.length;
    this.#ids.set(key, id);
    this.#keys.push(key);
    this.#parent.push(from);
    this.#how.push(how);
    return id;
  }

  /** The kernel drops the locks of the dead; its memory is gone, what it wrote to shared memory stays. */
  #die(me: number, p: number): void {
    const { layout } = this.#machine, next = this.#next;
    next.fill(0, me, layout.local(p + 1));
    next[me + PC] = this.#machine.number("dead");
    next[me + DIED] = 1;
    next[me + NEXT] = this.#now[me + NEXT];
    next[me + QUOTA] = 0;
    for (let index = 0; index < layout.processes; index++) {
      if (next[layout.lock(index)] === p + 1) next[layout.lock(index)] = 0;
    }
    next[layout.crashes]++;
  }

  /** From every state a good end must be in reach, also when any one process takes no further step. */
  #analyse(): void {
    const { layout, config } = this.#machine;
    // A paused sleeper keeps a wake-up to itself until a time-out; there are none where sleep is modelled.
    const paused = config.wake || !config.paused ? [] : Array.from({ length: layout.processes }, (_, p) => p);
    for (const p of [NOBODY, ...paused]) {
      const ending = new Ending(this.#machine, p);
      const can = this.#edges.reaching(this.#keys.length, p, (id) => {
        decode(this.#keys[id], this.#now);
        return ending.isGood(this.#now);
      });
      for (let id = 0; id < this.#keys.length; id++) {
        if (can[id] === 1) continue;
        decode(this.#keys[id], this.#now);
        if (!ending.isExpected(this.#now)) continue;
        const who = p === NOBODY ? "although nobody is paused" : `with p${p} paused for ever`;
        const state = describeState(this.#machine, this.#now);
        throw new Found(new Violation("stuck", who), [...this.#traceTo(id), ...state]);
      }
    }
  }

  #traceTo(id: number): string[] {
    const steps: string[] = [];
    for (let at = id; at > 0; at = this.#parent[at]) steps.push(this.#how[at]);
    return steps.reverse();
  }
}

/** A violation and how to come to it. */
class Found extends Error {
  constructor(readonly violation: Violation, readonly trace: string[]) {
    super(violation.message);
  }
}
