import { assert } from "../mod.ts";

/** Calls under way, by numbers that are used again. */
export class CallTable<Call> {
  readonly #calls: (Call | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Adds a call; returns its number. */
  add(call: Call): number {
    const number = this.#freeNumbers.pop() ?? this.#calls.length;
    assert(this.#calls[number] === undefined, `calls: number ${number} is under way, and was free`);
    this.#calls[number] = call;
    this.#count++;
    return number;
  }

  /** Whether there is a call of that number. */
  has(number: number): boolean {
    return this.#calls[number] !== undefined;
  }

  /** The call of that number is another from now on. */
  replace(number: number, call: Call): void {
    assert(this.#calls[number] !== undefined, `calls: number ${number} is replaced, and is free`);
    this.#calls[number] = call;
  }

  /** Takes a call out, whose number is free from then on. */
  take(number: number): Call | undefined {
    const call = this.#calls[number];
    if (call === undefined) return undefined;
    this.#calls[number] = undefined;
    this.#freeNumbers.push(number);
    this.#count--;
    return call;
  }

  /** Takes all calls out, those with the lowest numbers first. */
  takeAll(): Call[] {
    const calls = this.#calls.filter((call) => call !== undefined);
    this.#calls.length = this.#freeNumbers.length = this.#count = 0;
    return calls;
  }
}
