import { requireWhole } from "../mod.ts";
import { QueueFullError } from "./errors.ts";

/** Waiting calls of one queue at most, unless it is given a lower limit as `waitingMax`. */
export const WAITING_MAX: number = 2 ** 24;

/** Options of everything that can be waited for. */
export interface WaitingOptions {
  /**
   * Calls that may wait at once, from 0 to {@linkcode WAITING_MAX}; one more rejects with
   * {@linkcode QueueFullError}.
   *
   * @default {WAITING_MAX}
   */
  waitingMax?: number;
}

/** How a wait ends: `resolve` with what was granted, or `reject`. */
interface Settle<Grant> {
  readonly resolve: (grant: Grant) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Calls that wait for their turn, first come, first served. A list rather than an array, so that removing one from
 * the middle takes constant time.
 *
 * One signal often ends many waits, one after the other. So a call whose signal has aborted is never granted
 * anything, even before its own listener has run: {@linkcode WaitQueue.peek} rejects it first.
 */
export class WaitQueue<Request, Grant> {
  readonly #waitingMax: number;
  readonly #onGivenUp: () => void;
  #head: Waiter<Request, Grant> | undefined;
  #tail: Waiter<Request, Grant> | undefined;
  #length = 0;

  /**
   * @param owner named in the error
   * @param onGivenUp called after an aborted wait has left, because it may now be the turn of those behind it
   * @throws {RangeError} when `waitingMax` is out of range
   */
  constructor(owner: string, options: WaitingOptions, onGivenUp: () => void = () => {}) {
    const { waitingMax = WAITING_MAX } = options;
    requireWhole(owner, "waitingMax", waitingMax, 0, WAITING_MAX);
    this.#waitingMax = waitingMax;
    this.#onGivenUp = onGivenUp;
  }

  /** Waiting calls. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds a call after the last.
   *
   * @throws {QueueFullError} when `waitingMax` wait
   */
  push(operation: string, request: Request, signal: AbortSignal | undefined, settle: Settle<Grant>): void {
    if (this.#length >= this.#waitingMax) throw new QueueFullError(operation, this.#waitingMax);
    const waiter = new Waiter(this, request, signal, settle);
    waiter.previous = this.#tail;
    if (this.#tail === undefined) this.#head = waiter;
    else this.#tail.next = waiter;
    this.#tail = waiter;
    this.#length++;
    if (signal !== undefined) follow(signal, waiter);
  }

  /**
   * The call whose turn is next, left in place. The caller of `peek()` goes on to serve that call if it can: nothing
   * else notifies the calls behind one that is rejected here.
   */
  peek(): { readonly request: Request } | undefined {
    for (let head = this.#head; head?.signal?.aborted; head = this.#head) {
      this.#remove(head);
      head.settle.reject(head.signal.reason);
    }
    return this.#head;
  }

  /** Resolves the call that {@linkcode WaitQueue.peek} returned. */
  grant(grant: Grant): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#remove(head);
    head.settle.resolve(grant);
  }

  /** Resolves all calls, first to last. */
  grantAll(grant: Grant): void {
    while (this.peek() !== undefined) this.grant(grant);
  }

  /** Rejects all calls, first to last. */
  rejectAll(reason: unknown): void {
    while (this.peek() !== undefined) {
      const head = this.#head;
      if (head === undefined) return;
      this.#remove(head);
      head.settle.reject(reason);
    }
  }

  /** Rejects a call whose signal has aborted; for {@linkcode Waiter} only. */
  giveUp(waiter: Waiter<Request, Grant>): void {
    this.#remove(waiter);
    waiter.settle.reject(waiter.signal?.reason);
    this.#onGivenUp();
  }

  #remove(waiter: Waiter<Request, Grant>): void {
    const { previous, next } = waiter;
    if (previous === undefined) this.#head = next;
    else previous.next = next;
    if (next === undefined) this.#tail = previous;
    else next.previous = previous;
    this.#length--;
    if (waiter.signal !== undefined) unfollow(waiter.signal, waiter);
  }
}

/** The calls that one signal ends, in any queue. One listener for all: with one each, adding and removing them is quadratic. */
class Followers implements EventListenerObject {
  readonly waiters = new Set<{ giveUp(): void }>();

  handleEvent(): void {
    // A call that leaves meanwhile, because it is rejected otherwise, is not visited any more.
    for (const waiter of this.waiters) waiter.giveUp();
  }
}

const followersOf = new WeakMap<AbortSignal, Followers>();

function follow(signal: AbortSignal, waiter: { giveUp(): void }): void {
  let followers = followersOf.get(signal);
  if (followers === undefined) {
    followers = new Followers();
    followersOf.set(signal, followers);
    signal.addEventListener("abort", followers);
  }
  followers.waiters.add(waiter);
}

function unfollow(signal: AbortSignal, waiter: { giveUp(): void }): void {
  const followers = followersOf.get(signal);
  if (!followers?.waiters.delete(waiter) || followers.waiters.size > 0) return;
  followersOf.delete(signal);
  signal.removeEventListener("abort", followers);
}

/** A waiting call. It leaves its signal's followers when it leaves its queue, so it gives up at most once. */
class Waiter<Request, Grant> {
  previous: Waiter<Request, Grant> | undefined = undefined;
  next: Waiter<Request, Grant> | undefined = undefined;
  readonly queue: WaitQueue<Request, Grant>;
  readonly request: Request;
  readonly signal: AbortSignal | undefined;
  readonly settle: Settle<Grant>;

  constructor(
    queue: WaitQueue<Request, Grant>,
    request: Request,
    signal: AbortSignal | undefined,
    settle: Settle<Grant>,
  ) {
    this.queue = queue;
    this.request = request;
    this.signal = signal;
    this.settle = settle;
  }

  giveUp(): void {
    this.queue.giveUp(this);
  }
}
