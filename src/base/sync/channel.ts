import type { Abortable } from "../mod.ts";
import { type ReceiveResult, ValueQueue, type WaitedResult } from "./value_queue.ts";
import { type WaitingOptions, WaitQueue } from "./wait_queue.ts";
import { ChannelClosedError } from "./errors.ts";

/**
 * Options of {@linkcode Channel}. `waitingMax` limits the senders and the receivers, each by themselves.
 */
export type ChannelOptions = WaitingOptions;

/**
 * The result of sending without waiting: `ok`, `full` when there may be room later, `closed` when no more values are
 * accepted.
 */
export type SendResult = "ok" | "full" | "closed";

/**
 * A bounded queue of values between tasks of one thread, with any number of senders and receivers. Each value
 * goes to one receiver, in the order sent; senders that wait for room and receivers that wait for a value are
 * served first come, first served.
 *
 * Disposing a channel closes it. Leaving a loop over it does not: others may receive from it too.
 *
 * @example
 * ```ts
 * import { Channel } from "@millrace/millrace/sync";
 *
 * const lines = new Channel<string>(16);
 * const consumer = (async () => {
 *   for await (const line of lines) console.log(line);
 * })();
 * await lines.send("waits while 16 lines are held");
 * lines.close();
 * await consumer;
 * ```
 */
export class Channel<T> implements AsyncIterable<T>, Disposable {
  readonly #values: ValueQueue<T>;
  readonly #senders: WaitQueue<T, void>;

  /**
   * Makes an empty channel.
   *
   * @param capacity values held at most, from 1 to {@linkcode CHANNEL_CAPACITY_MAX}
   * @throws {RangeError} when `capacity` or `waitingMax` is out of range
   */
  constructor(capacity: number, options: ChannelOptions = {}) {
    this.#values = new ValueQueue<T>("Channel", capacity, options, () => this.#letSenderIn());
    this.#senders = new WaitQueue("Channel", options);
  }

  /** Values held at most. */
  get capacity(): number {
    return this.#values.capacity;
  }

  /** Values held, without those of waiting senders. */
  get length(): number {
    return this.#values.length;
  }

  /** Whether {@linkcode Channel.close} was called; there may still be values to receive. */
  get closed(): boolean {
    return this.#values.closed;
  }

  /** Sends `value` if there is room. */
  trySend(value: T): SendResult {
    if (this.#values.closed) return "closed";
    if (!this.#values.hasRoom) return "full";
    this.#values.push(value);
    return "ok";
  }

  /**
   * Sends `value`, or waits for its turn and for room. Resolves when the channel has accepted the value, which is
   * before it is received; after a rejection it has not been accepted.
   *
   * @throws {ChannelClosedError} (as a rejection) when the channel is closed, or is while this waits
   * @throws {QueueFullError} (as a rejection) when it would have to wait and `waitingMax` senders do
   */
  send(value: T, options: Abortable = {}): Promise<void> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const result = this.trySend(value);
      if (result === "closed") throw new ChannelClosedError("Channel.send");
      if (result === "ok") resolve();
      else this.#senders.push("Channel.send", value, signal, { resolve, reject });
    });
  }

  /** Receives the next value if there is one. */
  tryReceive(): ReceiveResult<T> {
    return this.#values.tryTake();
  }

  /**
   * Receives the next value, or waits for its turn and for one. A value that is itself a promise is awaited:
   * send an object around it, or use {@linkcode Channel.tryReceive}.
   *
   * @throws {ChannelClosedError} (as a rejection) when the channel is closed and nothing is left in it
   * @throws {QueueFullError} (as a rejection) when it would have to wait and `waitingMax` receivers do
   */
  receive(options: Abortable = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#values.take("Channel.receive", options.signal, (result) => {
        if (result.state === "ok") resolve(result.value);
        else reject(new ChannelClosedError("Channel.receive"));
      }, reject);
    });
  }

  /**
   * Values to iterate over, until the channel is closed and empty. Several loops share the values. An aborted
   * signal makes the loop throw its reason.
   */
  async *values(options: Abortable = {}): AsyncGenerator<T, void, undefined> {
    const next = () =>
      new Promise<WaitedResult<T>>((resolve, reject) => {
        this.#values.take("Channel.values", options.signal, resolve, reject);
      });
    for (let result = await next(); result.state === "ok"; result = await next()) yield result.value;
  }

  /** The same as {@linkcode Channel.values}. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.values();
  }

  /**
   * Accepts no more values. Receivers get what is held, and then find the channel closed; waiting senders are
   * rejected. A second call does nothing.
   */
  close(): void {
    if (this.#values.closed) return;
    this.#values.close();
    this.#senders.rejectAll(new ChannelClosedError("Channel.send"));
  }

  /** The same as {@linkcode Channel.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** A sender waits only while the channel is full, so room for one value is room for one sender. */
  #letSenderIn(): void {
    const sender = this.#senders.peek();
    if (sender === undefined) return;
    this.#senders.grant();
    this.#values.push(sender.request);
  }
}
