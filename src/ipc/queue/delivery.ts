import type { QueueCore } from "./core.ts";
import type { Message } from "./message.ts";
import type { Payload } from "../sharing/mod.ts";
import { reply } from "./request.ts";

/** The slot of a delivery, and whose it is; for this folder. */
export let placeOf: (delivery: Delivery) => { readonly core: QueueCore; readonly slot: number };

/**
 * A message that is this consumer's until it is acknowledged or given back. It goes to another consumer when this one's process
 * dies, or closes the queue.
 *
 * Disposing it gives it back, unless that was decided before: so an error on the way does.
 */
export class Delivery implements Disposable {
  /** What was received. */
  readonly message: Message;
  /** Whether its sender waits for a reply. */
  readonly isRequest: boolean;
  readonly #core: QueueCore;
  readonly #slot: number;
  #settled = false;

  static {
    placeOf = (delivery) => ({ core: delivery.#core, slot: delivery.#slot });
  }

  /** For the message in `slot`, which `core` has reserved. */
  constructor(core: QueueCore, slot: number, message: Message, isRequest: boolean) {
    this.#core = core;
    this.#slot = slot;
    this.message = message;
    this.isRequest = isRequest;
  }

  /** Whether it was acknowledged, given back or replied to, or the queue was closed, which gives it back. */
  get settled(): boolean {
    return this.#settled || this.#core.closed;
  }

  /** Acknowledges the message: it is done with, and will not be delivered again. False when it was settled before. */
  ack(): boolean {
    if (this.settled) return false;
    this.#settled = true;
    this.#core.ack(this.#slot);
    return true;
  }

  /** Gives the message back, to be delivered again, behind those that wait already. False when it was settled before. */
  nack(): boolean {
    if (this.settled) return false;
    this.#settled = true;
    this.#core.giveBack(this.#slot);
    return true;
  }

  /**
   * Answers a request, and acknowledges it. False when it was settled before, or the reply has no waiter any more.
   *
   * @throws {TypeError} when the message is no request
   * @throws {RangeError} when the reply is longer than `messageBytesMax` of the queue
   */
  reply(payload: Payload): boolean {
    if (!this.isRequest) throw new TypeError("reply: the message is no request");
    if (this.settled) return false;
    const replied = reply(this.#core, this.#slot, payload);
    this.#settled = true;
    return replied;
  }

  /** Answers a request with an error: its sender's call rejects with `message`. As {@linkcode Delivery.reply} otherwise. */
  fail(message: string): boolean {
    if (!this.isRequest) throw new TypeError("fail: the message is no request");
    if (this.settled) return false;
    const replied = reply(this.#core, this.#slot, message, true);
    this.#settled = true;
    return replied;
  }

  /** Gives the message back, unless it is settled. */
  [Symbol.dispose](): void {
    this.nack();
  }
}
