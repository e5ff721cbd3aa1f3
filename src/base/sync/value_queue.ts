import { Deque, DEQUE_LENGTH_MAX, requireWhole } from "../mod.ts";
import { type WaitingOptions, WaitQueue } from "./wait_queue.ts";

/** Values that a {@linkcode Channel}, or one {@linkcode Subscription}, can hold at most. */
export const CHANNEL_CAPACITY_MAX: number = DEQUE_LENGTH_MAX;

/**
 * The result of receiving without waiting: `ok` with the next value, `empty` when there may be one later, `closed`
 * when there will be none.
 */
export type ReceiveResult<T> =
  | { readonly state: "ok"; readonly value: T }
  | { readonly state: "empty" }
  | { readonly state: "closed" };

/** The result after waiting, which is never `empty`. */
export type WaitedResult<T> = Exclude<ReceiveResult<T>, { readonly state: "empty" }>;

const EMPTY: { readonly state: "empty" } = Object.freeze({ state: "empty" });
const CLOSED: { readonly state: "closed" } = Object.freeze({ state: "closed" });

/**
 * A bounded queue of values and the receivers that wait for one. One of the two is always empty: a value that
 * arrives while a receiver waits goes to it at once.
 */
export class ValueQueue<T> {
  /** Values held at most. */
  readonly capacity: number;
  #closed = false;
  readonly #values: Deque<T>;
  readonly #receivers: WaitQueue<undefined, WaitedResult<T>>;
  readonly #onTaken: () => void;

  /**
   * @param owner named in errors
   * @param onTaken called after a receiver has taken a held value, which leaves room for another
   * @throws {RangeError} when `capacity` or `waitingMax` is out of range
   */
  constructor(owner: string, capacity: number, options: WaitingOptions, onTaken: () => void) {
    requireWhole(owner, "capacity", capacity, 1, CHANNEL_CAPACITY_MAX);
    this.capacity = capacity;
    this.#values = new Deque({ lengthMax: capacity });
    this.#receivers = new WaitQueue(owner, options);
    this.#onTaken = onTaken;
  }

  /** Values held. */
  get length(): number {
    return this.#values.length;
  }

  /** Whether no more values come. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Whether one more value can be held. */
  get hasRoom(): boolean {
    return this.#values.length < this.capacity;
  }

  /** Passes a value to the longest waiting receiver, or holds it; only while there is room. */
  push(value: T): void {
    if (this.#receivers.peek() === undefined) this.#values.pushBack(value);
    else this.#receivers.grant({ state: "ok", value });
  }

  /** Drops the oldest held value. */
  dropOldest(): void {
    this.#values.popFront();
  }

  /** Takes the oldest held value. */
  tryTake(): ReceiveResult<T> {
    if (this.#values.length === 0) return this.#closed ? CLOSED : EMPTY;
    const value = this.#values.popFront() as T;
    this.#onTaken();
    return { state: "ok", value };
  }

  /**
   * Takes a value, now or when its turn has come.
   *
   * @throws the signal's reason when it has aborted
   * @throws {QueueFullError} when it would have to wait and `waitingMax` receivers do
   */
  take(
    operation: string,
    signal: AbortSignal | undefined,
    resolve: (result: WaitedResult<T>) => void,
    reject: (reason: unknown) => void,
  ): void {
    signal?.throwIfAborted();
    const result = this.tryTake();
    if (result.state !== "empty") resolve(result);
    else this.#receivers.push(operation, undefined, signal, { resolve, reject });
  }

  /** Accepts no more values; held ones can still be taken. Waiting receivers get the result `closed`. */
  close(): void {
    this.#closed = true;
    this.#receivers.grantAll(CLOSED);
  }

  /** Drops the values held. */
  clear(): void {
    this.#values.clear();
  }
}
