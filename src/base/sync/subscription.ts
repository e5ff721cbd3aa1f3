import { type Abortable, endable } from "../mod.ts";
import { type ReceiveResult, ValueQueue, type WaitedResult } from "./value_queue.ts";
import { BroadcastLaggedError, ChannelClosedError } from "./errors.ts";

/**
 * One reader of a {@linkcode Broadcast}: every value sent from the moment it was made on. Disposing it ends it
 * and drops what it holds. Leaving a loop over it disposes it, because a forgotten subscription would block the
 * senders.
 */
export interface Subscription<T> extends AsyncIterable<T>, Disposable {
  /** Values held. */
  readonly length: number;
  /** Values sent that this subscription lost before they were received. */
  readonly missedCount: number;
  /** Whether no more values come; there may still be some to receive. */
  readonly closed: boolean;
  /**
   * Receives the next value if there is one.
   *
   * @throws {BroadcastLaggedError} when all held values are received and the next one was missed, where
   * `whenFull` is `"fail"`
   */
  tryReceive(): ReceiveResult<T>;
  /**
   * Receives the next value, or waits for one. A value that is itself a promise is awaited.
   *
   * @throws {ChannelClosedError} (as a rejection) when no more values come and nothing is left
   * @throws {BroadcastLaggedError} (as a rejection) as {@linkcode Subscription.tryReceive} does
   */
  receive(options?: Abortable): Promise<T>;
  /** Values to iterate over until no more come; leaving the loop, or an aborted signal, disposes. */
  values(options?: Abortable): AsyncGenerator<T, void, undefined>;
}

/** The reader's end of a broadcast, with the methods that `Broadcast` calls besides those of `Subscription`. */
export class BroadcastSubscription<T> implements Subscription<T> {
  #missedCount = 0;
  #lagged = false;
  readonly #values: ValueQueue<T>;
  readonly #onDisposed: () => void;

  /**
   * @param onTaken called after a held value was taken
   * @param onDisposed called when the reader ends the subscription
   */
  constructor(capacity: number, onTaken: () => void, onDisposed: () => void) {
    this.#values = new ValueQueue<T>("Subscription", capacity, {}, onTaken);
    this.#onDisposed = onDisposed;
  }

  get length(): number {
    return this.#values.length;
  }

  get missedCount(): number {
    return this.#missedCount;
  }

  get closed(): boolean {
    return this.#values.closed;
  }

  get hasRoom(): boolean {
    return this.#values.hasRoom;
  }

  push(value: T): void {
    this.#values.push(value);
  }

  replaceOldest(value: T): void {
    this.#missedCount++;
    this.#values.dropOldest();
    this.#values.push(value);
  }

  /** Ends it after what it holds, because the next value was missed. */
  fail(): void {
    this.#missedCount++;
    this.#lagged = true;
    this.#values.close();
  }

  /** Ends it after what it holds. */
  end(): void {
    this.#values.close();
  }

  tryReceive(): ReceiveResult<T> {
    const result = this.#values.tryTake();
    if (result.state === "closed") this.#throwIfLagged("Subscription.tryReceive");
    return result;
  }

  async receive(options: Abortable = {}): Promise<T> {
    const result = await this.#next("Subscription.receive", options.signal);
    if (result.state === "ok") return result.value;
    this.#throwIfLagged("Subscription.receive");
    throw new ChannelClosedError("Subscription.receive", "subscription");
  }

  values(options: Abortable = {}): AsyncGenerator<T, void, undefined> {
    return endable(this.#receiveAll(options.signal), () => this[Symbol.dispose]());
  }

  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.values();
  }

  [Symbol.dispose](): void {
    this.#lagged = false;
    this.#values.clear();
    this.#values.close();
    this.#onDisposed();
  }

  async *#receiveAll(signal: AbortSignal | undefined): AsyncGenerator<T, void, undefined> {
    using _ = this;
    const next = () => this.#next("Subscription.values", signal);
    for (let result = await next(); result.state === "ok"; result = await next()) yield result.value;
    this.#throwIfLagged("Subscription.values");
  }

  #next(operation: string, signal: AbortSignal | undefined): Promise<WaitedResult<T>> {
    return new Promise((resolve, reject) => this.#values.take(operation, signal, resolve, reject));
  }

  #throwIfLagged(operation: string): void {
    if (this.#lagged) throw new BroadcastLaggedError(operation, this.#values.capacity);
  }
}
