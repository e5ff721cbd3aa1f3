import type { WaitOptions } from "../../base/mod.ts";
import type { QueueCore } from "./core.ts";
import { Delivery } from "./delivery.ts";
import type { Message } from "./message.ts";
import { NO_MESSAGE } from "./receiver.ts";

/**
 * The dead letters of a queue: messages that were delivered `deliveryCountMax` times and never acknowledged. They stay in the queue's
 * slots, as many as `deadLetterCountMax`, until they are received or sent again.
 */
export class DeadLetters {
  readonly #core: QueueCore;

  /** Those of `core`. */
  constructor(core: QueueCore) {
    this.#core = core;
  }

  /** The oldest dead letter, acknowledged; `undefined` when there is none. */
  tryReceive(): Message | undefined {
    using delivery = this.tryReserve();
    delivery?.ack();
    return delivery?.message;
  }

  /** The oldest dead letter, acknowledged; waits for it. */
  async receive(options: WaitOptions = {}): Promise<Message> {
    return await this.#wait("receive", () => this.tryReceive(), options);
  }

  /** The oldest dead letter, to be acknowledged or given back; `undefined` when there is none. */
  tryReserve(): Delivery | undefined {
    this.#throwIfClosed();
    const slot = this.#core.take("dead letters");
    if (slot === NO_MESSAGE) return undefined;
    const delivery = new Delivery(this.#core, slot, this.#core.read(slot), false);
    this.#core.maintain();
    return delivery;
  }

  /** The oldest dead letter, to be acknowledged or given back; waits for it. */
  async reserve(options: WaitOptions = {}): Promise<Delivery> {
    return await this.#wait("reserve", () => this.tryReserve(), options);
  }

  /**
   * Puts dead letters back to where they were sent, `countMax` at most, as if they had not been delivered yet; returns how many.
   *
   * @throws {RangeError} when `countMax` is less than 0, or no number
   */
  redeliver(countMax: number = Infinity): number {
    this.#throwIfClosed();
    if (!(countMax >= 0)) {
      throw new RangeError(
        `redeliver dead letters of ${this.#core.memory.label}: countMax is ${countMax}, expected 0 or more`,
      );
    }
    let count = 0;
    while (count < countMax) {
      const slot = this.#core.take("dead letters");
      if (slot === NO_MESSAGE) break;
      this.#core.revive(slot);
      count++;
    }
    return count;
  }

  async #wait<T>(action: string, attempt: () => T | undefined, options: WaitOptions): Promise<T> {
    this.#throwIfClosed();
    const operation = `${action} a dead letter of ${this.#core.memory.label}`;
    return await this.#core.deadLetters.wait(operation, "dead letters", attempt, options);
  }

  #throwIfClosed(): void {
    if (this.#core.closed) {
      throw new Deno.errors.BadResource(`dead letters of ${this.#core.memory.label}: it is closed`);
    }
  }
}
