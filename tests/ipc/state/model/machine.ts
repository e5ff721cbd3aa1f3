import { EdgeList } from "../../queue/model/edge_list.ts";

/** Shared memory, every process's variables and the witnesses' notes, one 16-bit number each. */
export type State = Uint16Array;

/** A promise that a step or a state breaks. */
export class Violation extends Error {
  constructor(readonly property: string, detail: string) {
    super(`${property}: ${detail}`);
  }
}

/** One atomic access to shared memory, and what the process concludes from it. `state` is a copy to be changed. */
export type Run = (state: State, me: number, process: number) => void;
export type When = (state: State, me: number, process: number) => boolean;

interface Step {
  readonly name: string;
  readonly run: Run;
  readonly when: When | undefined;
}

/** What a run explores. */
export interface Config {
  readonly processes: number;
  /** How many processes may die, each before any step of something it has begun. */
  readonly crashes: number;
  /** The mistake that is built in, "" for none. */
  readonly mutant: string;
}

/** The number of the place in its program of each process; the first of its variables. */
export const PC = 0;
/** The place where nothing is being done. */
export const IDLE = 0;
/** The place of the dead. */
export const DEAD = 1;

/** A protocol: its memory, its steps by the place in the program that they are taken from, and what must hold. */
export abstract class Machine {
  readonly table: Step[][] = [[], []];
  readonly #numbers = new Map<string, number>([["idle", IDLE], ["dead", DEAD]]);
  #length = 0;
  #locals = 0;
  #localCount = 0;
  #crashes = 0;

  constructor(readonly config: Config) {}

  /** Whether everything must still work out when any one process is paused for ever. */
  get pauses(): boolean {
    return true;
  }

  /** What must hold in every state. @throws {Violation} when it does not */
  abstract watch(state: State): void;
  /** Whether everything is done, and nothing is lost, but for what `paused` has, who takes no further step; -1: nobody. */
  abstract isGood(state: State, paused: number): boolean;
  /** What the kernel does when a process dies. */
  abstract bury(state: State, process: number): void;
  /** Fills the first state. */
  abstract begin(state: State): void;

  get length(): number {
    return this.#length;
  }
  /** Room for so many numbers; where they begin. */
  place(count: number): number {
    this.#length += count;
    return this.#length - count;
  }
  /** Room for so many variables of each process, the place in its program among them; to be called last. */
  placeLocals(count: number): void {
    this.#localCount = count;
    this.#locals = this.place(count * this.config.processes);
    this.#crashes = this.place(1);
  }
  local(process: number): number {
    return this.#locals + process * this.#localCount;
  }
  crashesOf(state: State): number {
    return state[this.#crashes];
  }
  is(mutant: string): boolean {
    return this.config.mutant === mutant;
  }
  /** Adds a step from `pc`; several from one place are a choice. */
  on(pc: string, name: string, run: Run, when?: When): void {
    this.table[this.number(pc)].push({ name: `${pc}: ${name}`, run, when });
  }
  number(pc: string): number {
    let number = this.#numbers.get(pc);
    if (number === undefined) {
      number = this.table.length;
      this.#numbers.set(pc, number);
      this.table.push([]);
    }
    return number;
  }
  /** A place without a step would end a process silently. */
  assertComplete(): void {
    for (const [pc, number] of this.#numbers) {
      if (number > DEAD && this.table[number].length === 0) {
        throw new Error(`build the model: nothing leads on from ${pc}`);
      }
    }
  }
  go(state: State, me: number, pc: string): void {
    const number = this.#numbers.get(pc);
    if (number === undefined) throw new Error(`run the model: there is no place ${pc}`);
    state[me + PC] = number;
  }
  isAt(state: State, process: number, pc: number): boolean {
    return state[this.local(process) + PC] === pc;
  }
  cas(state: State, address: number, from: number, to: number): boolean {
    if (state[address] !== from) return false;
    state[address] = to;
    return true;
  }
  die(state: State, process: number): void {
    const me = this.local(process);
    state.fill(0, me, me + this.#localCount);
    state[me + PC] = DEAD;
    state[this.#crashes]++;
    this.bury(state, process);
  }
}

/** What a run found. */
export interface Result {
  readonly states: number;
  readonly edges: number;
  readonly seconds: number;
  readonly broken:
    | { readonly property: string; readonly message: string; readonly trace: readonly string[] }
    | undefined;
}

/** States above this are a mistake in the configuration: the memory would not hold them. */
const STATES_MAX = 6_000_000;

/** Goes through every interleaving of single steps, breadth first, so that a violation's trace is a shortest one. */
export function explore(machine: Machine): Result {
  machine.assertComplete();
  const startMs = performance.now();
  const search = new Search(machine);
  let broken: Result["broken"];
  try {
    search.search();
    search.analyse();
  } catch (error) {
    if (!(error instanceof Found)) throw error;
    broken = { property: error.violation.property, message: error.violation.message, trace: error.trace };
  }
  return { ...search.size, seconds: (performance.now() - startMs) / 1000, broken };
}

/** One line: what was explored and what came of it. */
export function summarize({ states, edges, seconds, broken }: Result): string {
  return `${states} states, ${edges} edges, ${seconds.toFixed(1)} s: ${broken?.message ?? "nothing broken"}`;
}

class Search {
  readonly #machine: Machine;
  readonly #keys: string[] = [];
  readonly #ids = new Map<string, number>();
  /** Who took which step; -1 for a death, on which nobody may count. */
  readonly #edges = new EdgeList();
  readonly #parent: number[] = [];
  readonly #how: string[] = [];
  readonly #now: State;
  readonly #next: State;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#now = new Uint16Array(machine.length);
    this.#next = new Uint16Array(machine.length);
  }

  get size(): { states: number; edges: number } {
    return { states: this.#keys.length, edges: this.#edges.length };
  }

  search(): void {
    const machine = this.#machine, { processes, crashes } = machine.config;
    machine.begin(this.#now);
    this.#visit(encode(this.#now), -1, "");
    for (let at = 0; at < this.#keys.length; at++) {
      decode(this.#keys[at], this.#now);
      for (let p = 0; p < processes; p++) {
        const me = machine.local(p), pc = this.#now[me + PC];
        for (const step of machine.table[pc]) {
          if (step.when !== undefined && !step.when(this.#now, me, p)) continue;
          this.#take(at, p, step.name, p, () => step.run(this.#next, me, p));
        }
        if (pc === DEAD || machine.crashesOf(this.#now) >= crashes) continue;
        this.#take(at, p, "dies", -1, () => machine.die(this.#next, p));
      }
      if (this.#keys.length > STATES_MAX) throw new Error(`explore: more than ${STATES_MAX} states`);
    }
  }

  /** From every state a good end must be in reach, also when any one process takes no further step. */
  analyse(): void {
    const machine = this.#machine;
    for (let p = -1; p < (machine.pauses ? machine.config.processes : 0); p++) {
      const can = this.#edges.reaching(this.#keys.length, p, (id) => {
        decode(this.#keys[id], this.#now);
        return machine.isGood(this.#now, p);
      });
      for (let id = 0; id < this.#keys.length; id++) {
        if (can[id] === 1) continue;
        decode(this.#keys[id], this.#now);
        if (!this.#isExpected(p)) continue;
        const who = p < 0 ? "although nobody is paused" : `with p${p} paused for ever`;
        throw new Found(new Violation("stuck", who), [...this.#traceTo(id), `[${[...this.#now]}]`]);
      }
    }
  }

  /** Whether anybody but the paused one lives; the dead take no further step anyway. */
  #isExpected(paused: number): boolean {
    const machine = this.#machine;
    if (paused >= 0 && machine.isAt(this.#now, paused, DEAD)) return false;
    for (let p = 0; p < machine.config.processes; p++) {
      if (p !== paused && !machine.isAt(this.#now, p, DEAD)) return true;
    }
    return false;
  }

  #take(from: number, p: number, name: string, by: number, change: () => void): void {
    this.#next.set(this.#now);
    const how = `p${p}  ${name}`;
    try {
      change();
      this.#machine.watch(this.#next);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      throw new Found(error, [...this.#traceTo(from), how]);
    }
    this.#edges.add(from, this.#visit(encode(this.#next), from, how), by);
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
  #traceTo(id: number): string[] {
    const steps: string[] = [];
    for (let at = id; at > 0; at = this.#parent[at]) steps.push(this.#how[at]);
    return steps.reverse();
  }
}

/** A violation and how to come to it. */
class Found extends Error {
  constructor(readonly violation: Violation, readonly trace: readonly string[]) {
    super(violation.message);
  }
}

const encode = (state: State): string => String.fromCharCode.apply(null, state as unknown as number[]);

function decode(key: string, into: State): void {
  for (let at = 0; at < into.length; at++) into[at] = key.charCodeAt(at);
}
