import { fnv1a, type WaitOptions } from "../../base/mod.ts";
import type { QueueConstants } from "./layout.ts";
import { bytesOf, type Payload } from "../sharing/mod.ts";
import type { QueueMemory } from "./queue_memory.ts";
import type { Envelope } from "./sender.ts";

/** How a message is sent. */
export interface MessageOptions {
  /**
   * From 0, the most urgent, to `priorities` less 1 of the queue.
   *
   * @default {the least urgent}
   */
  priority?: number;
  /**
   * Messages of the same key are worked off in the order in which they are sent, one at a time. Only for a queue with partitions.
   *
   * @default {each message goes to the next partition}
   */
  key?: Payload;
  /**
   * Milliseconds after which it is not delivered any more, more than 0.
   *
   * @default {Infinity}
   */
  expiresAfterMs?: number;
}

/** What a full queue means for a call that sends. */
export type WhenFull = "wait" | "fail" | "drop-oldest";

/** Options of calls that send, and may wait. */
export interface SendOptions extends MessageOptions, WaitOptions {
  /**
   * `"wait"`: until there is room. `"fail"`: the call rejects with a {@linkcode SharedQueueFullError}. `"drop-oldest"`: the oldest message of
   * the lowest priority that no consumer has gives way.
   *
   * @default {"wait"}
   */
  whenFull?: WhenFull;
}

/** Options of a call that sends, and holds up its thread while it waits. */
export interface SendSyncOptions extends MessageOptions, Pick<WaitOptions, "timeoutMs"> {}

/** Options of calls that send and never wait. */
export interface TrySendOptions extends MessageOptions {
  /**
   * `"fail"`: the call says so. `"drop-oldest"`: the oldest message of the lowest priority that no consumer has gives way.
   *
   * @default {"fail"}
   */
  whenFull?: "fail" | "drop-oldest";
}

/** Makes envelopes of options, for one opener of a queue. */
export class Envelopes {
  readonly #constants: QueueConstants;
  readonly #label: string;
  /** Of messages without other options, by priority: messages that go together have the same one. */
  readonly #plain: readonly Envelope[];
  #nextPartition = 0;

  constructor({ constants, label }: QueueMemory) {
    this.#constants = constants;
    this.#label = label;
    this.#plain = Array.from(
      { length: constants.priorities },
      (_, lane) => ({ lane, flags: 0, expiresMs: 0 }),
    );
  }

  /** @throws {RangeError} when an option is out of range */
  of(options: MessageOptions, flags: number): Envelope {
    const { priority, key, expiresAfterMs } = options;
    const lane = this.#laneOf(priority, key);
    if (this.#constants.partitions === 0 && expiresAfterMs === undefined && flags === 0) {
      return this.#plain[lane];
    }
    return { lane, flags, expiresMs: this.#expiresMsOf(expiresAfterMs) };
  }

  #laneOf(priority: number | undefined, key: Payload | undefined): number {
    const { priorities, partitions } = this.#constants;
    if (partitions > 0) {
      if (priority !== undefined && priority !== 0) {
        throw new RangeError(
          `send to ${this.#label}: priority is ${priority}, expected none: it has partitions`,
        );
      }
      if (key !== undefined) return (fnv1a(bytesOf(key)) >>> 0) % partitions;
      this.#nextPartition = (this.#nextPartition + 1) % partitions;
      return this.#nextPartition;
    }
    if (key !== undefined) {
      throw new RangeError(`send to ${this.#label}: there is a key, expected none: it has no partitions`);
    }
    if (priority === undefined) return priorities - 1;
    if (Number.isInteger(priority) && priority >= 0 && priority < priorities) return priority;
    throw new RangeError(`send to ${this.#label}: priority is ${priority}, expected 0 to ${priorities - 1}`);
  }

  #expiresMsOf(expiresAfterMs: number = Infinity): number {
    if (!(expiresAfterMs > 0)) {
      throw new RangeError(
        `send to ${this.#label}: expiresAfterMs is ${expiresAfterMs}, expected more than 0`,
      );
    }
    return expiresAfterMs === Infinity ? 0 : Date.now() + expiresAfterMs;
  }
}
