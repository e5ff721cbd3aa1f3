import { type Abortable, requireWhole } from "../mod.ts";
import { BroadcastSubscription, type Subscription } from "./subscription.ts";
import { CHANNEL_CAPACITY_MAX } from "./value_queue.ts";
import { type WaitingOptions, WaitQueue } from "./wait_queue.ts";
import type { SendResult } from "./channel.ts";
import { ChannelClosedError } from "./errors.ts";

/** Subscriptions of one {@linkcode Broadcast} at most, unless it is given a lower limit. */
export const SUBSCRIPTIONS_MAX: number = 2 ** 16;

/**
 * What happens to a value when a subscription is full:
 *
 * - `"wait"`: the sender waits until every subscription has room, and none misses a value;
 * - `"drop-oldest"`: the subscription loses its oldest value, and counts it;
 * - `"fail"`: the subscription ends with {@linkcode BroadcastLaggedError} after the values it holds, so that a
 *   reader that must not miss a value learns that it has.
 */
export type WhenFull = "wait" | "drop-oldest" | "fail";

/** Options of {@linkcode Broadcast}. `waitingMax` holds for the senders. */
export interface BroadcastOptions extends WaitingOptions {
  /**
   * What happens to a value when a subscription is full. The default loses nothing; its price is that one slow
   * reader slows every sender down.
   *
   * @default {"wait"}
   */
  whenFull?: WhenFull;
  /**
   * Subscriptions at once, from 1 to {@linkcode SUBSCRIPTIONS_MAX}.
   *
   * @default {SUBSCRIPTIONS_MAX}
   */
  subscriptionsMax?: number;
}

/**
 * Values that every subscription gets, in the order sent, from the moment it was made on. A value sent while
 * there is no subscription is lost. After Tokio's `broadcast`, which is `whenFull: "drop-oldest"` here.
 *
 * @example
 * ```ts
 * import { Broadcast } from "@millrace/millrace/sync";
 *
 * using prices = new Broadcast<number>(2, { whenFull: "drop-oldest" });
 * using screen = prices.subscribe();
 * for (const price of [1, 2, 3]) await prices.send(price);
 * console.log(await screen.receive(), screen.missedCount); // 2 1
 * ```
 */
export class Broadcast<T> implements Disposable {
  /** Values that each subscription holds at most. */
  readonly capacity: number;
  /** What happens to a value when a subscription is full. */
  readonly whenFull: WhenFull;
  #closed = false;
  readonly #subscriptionsMax: number;
  readonly #subscriptions = new Set<BroadcastSubscription<T>>();
  readonly #senders: WaitQueue<T, void>;

  /**
   * Makes a broadcast without subscriptions.
   *
   * @param capacity values that each subscription holds at most, from 1 to {@linkcode CHANNEL_CAPACITY_MAX}
   * @throws {RangeError} when a number is out of range
   */
  constructor(capacity: number, options: BroadcastOptions = {}) {
    const { whenFull = "wait", subscriptionsMax = SUBSCRIPTIONS_MAX } = options;
    requireWhole("Broadcast", "capacity", capacity, 1, CHANNEL_CAPACITY_MAX);
    requireWhole("Broadcast", "subscriptionsMax", subscriptionsMax, 1, SUBSCRIPTIONS_MAX);
    this.capacity = capacity;
    if (!["wait", "drop-oldest", "fail"].includes(whenFull)) {
      throw new TypeError(`Broadcast: whenFull is "${whenFull}", expected "wait", "drop-oldest" or "fail"`);
    }
    this.whenFull = whenFull;
    this.#subscriptionsMax = subscriptionsMax;
    this.#senders = new WaitQueue("Broadcast", options);
  }

  /** The present subscriptions. */
  get subscriptionCount(): number {
    return this.#subscriptions.size;
  }

  /** Whether {@linkcode Broadcast.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Subscribes to what is sent from now on.
   *
   * @throws {ChannelClosedError} when the broadcast is closed
   * @throws {RangeError} when there are `subscriptionsMax` subscriptions
   */
  subscribe(): Subscription<T> {
    if (this.#closed) throw new ChannelClosedError("Broadcast.subscribe", "broadcast");
    if (this.#subscriptions.size >= this.#subscriptionsMax) {
      throw new RangeError(
        `Broadcast.subscribe: ${this.#subscriptions.size} subscriptions, expected fewer than subscriptionsMax`,
      );
    }
    const subscription = new BroadcastSubscription<T>(this.capacity, () => this.#letSendersIn(), () => {
      this.#subscriptions.delete(subscription);
      this.#letSendersIn();
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** Sends `value` to every subscription, or to none: it is `"full"` only where `whenFull` is `"wait"`. */
  trySend(value: T): SendResult {
    if (this.#closed) return "closed";
    if (this.whenFull === "wait" && !this.#haveRoom()) return "full";
    this.#deliver(value);
    return "ok";
  }

  /**
   * Sends `value` to every subscription at once. Where `whenFull` is `"wait"` it waits for its turn and until
   * all have room, and a rejection means that no subscription got the value; otherwise it never waits.
   *
   * @throws {ChannelClosedError} (as a rejection) when the broadcast is closed, or is while this waits
   * @throws {QueueFullError} (as a rejection) when it would have to wait and `waitingMax` senders do
   */
  send(value: T, options: Abortable = {}): Promise<void> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const result = this.trySend(value);
      if (result === "closed") throw new ChannelClosedError("Broadcast.send", "broadcast");
      if (result === "ok") resolve();
      else this.#senders.push("Broadcast.send", value, signal, { resolve, reject });
    });
  }

  /**
   * Sends no more values. Subscriptions get what they hold, and then end; waiting senders are rejected. A
   * second call does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription.end();
    this.#subscriptions.clear();
    this.#senders.rejectAll(new ChannelClosedError("Broadcast.send", "broadcast"));
  }

  /** The same as {@linkcode Broadcast.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** A sender waits only while a subscription is full, so a later sender also finds it full and cannot overtake. */
  #haveRoom(): boolean {
    for (const subscription of this.#subscriptions) if (!subscription.hasRoom) return false;
    return true;
  }

  #deliver(value: T): void {
    for (const subscription of this.#subscriptions) {
      if (subscription.hasRoom) subscription.push(value);
      else if (this.whenFull === "drop-oldest") subscription.replaceOldest(value);
      else {
        this.#subscriptions.delete(subscription);
        subscription.fail();
      }
    }
  }

  #letSendersIn(): void {
    for (let sender = this.#senders.peek(); sender !== undefined; sender = this.#senders.peek()) {
      if (!this.#haveRoom()) return;
      this.#senders.grant();
      this.#deliver(sender.request);
    }
  }
}
