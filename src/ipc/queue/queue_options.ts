import type { Abortable } from "../../base/mod.ts";
import type { Message } from "./message.ts";
import type { Payload, RegionAccess, RegionPlace } from "../sharing/mod.ts";
import type { SendOptions } from "./send_options.ts";

/** What a queue is that is made without saying so. */
export const QUEUE_DEFAULTS = { capacity: 1024, messageBytesMax: 4096 } as const;

/** Options of {@linkcode SharedQueue.create} and {@linkcode SharedQueue.open} that say what the queue is. */
export interface QueueShape {
  /**
   * Messages that it holds, those that consumers have included: 1 to {@linkcode QUEUE_CAPACITY_MAX}.
   *
   * @default {1024, of QUEUE_DEFAULTS}
   */
  capacity?: number;
  /**
   * The longest message in bytes, after compression: 1 to {@linkcode QUEUE_MESSAGE_BYTES_MAX}. All memory is taken at once:
   * `capacity` times this, rounded up to 64, and 64.
   *
   * @default {4096, of QUEUE_DEFAULTS}
   */
  messageBytesMax?: number;
  /**
   * Priorities, of which 0 is the most urgent: 1 to {@linkcode QUEUE_PRIORITIES_MAX}. What is less urgent waits for as long as
   * there is anything more urgent.
   *
   * @default {1}
   */
  priorities?: number;
  /**
   * Partitions, 1 to {@linkcode QUEUE_PARTITIONS_MAX}, or 0 for none; not together with priorities. Messages with the same key go to
   * the same partition, of which one consumer at a time has one message at a time: so they are worked off in order.
   *
   * @default {0}
   */
  partitions?: number;
  /**
   * Times that a message is delivered before it goes to the dead letters, 1 to {@linkcode QUEUE_DELIVERY_COUNT_MAX}.
   *
   * @default {Infinity}
   */
  deliveryCountMax?: number;
  /**
   * Dead letters that are kept, in slots of the queue, from 0, and fewer than its capacity; the oldest gives way to one more.
   *
   * @default {a quarter of the capacity, rounded down}
   */
  deadLetterCountMax?: number;
}

/** Options of {@linkcode SharedQueue.connect}, and what those of {@linkcode SharedQueue.create} add to the shape of the queue. */
export interface QueueConnectOptions extends RegionPlace {
  /**
   * Messages of more bytes are compressed when this opener sends them, where that makes them smaller.
   *
   * @default {Infinity}
   */
  compressAboveBytes?: number;
}

/** Options of {@linkcode SharedQueue.create} and {@linkcode SharedQueue.open}. */
export interface QueueCreateOptions extends QueueShape, QueueConnectOptions, RegionAccess {}

/** Options of {@linkcode SharedQueue.request}. */
export interface RequestOptions extends Omit<SendOptions, "expiresAfterMs"> {}

/** Answers a request: what it returns is the reply, what it throws rejects the request. */
export type RequestHandler = (message: Message, signal: AbortSignal) => Payload | Promise<Payload>;

/** Options of {@linkcode SharedQueue.respond}. */
export interface RespondOptions extends Abortable {
  /**
   * Requests that are handled at once, from 1.
   *
   * @default {1}
   */
  concurrency?: number;
}

/** Works off a message, whose `byteLength` bytes begin at `at` in `bytes` and are there until it returns. */
export type InPlaceHandler = (
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  byteLength: number,
  redeliveryCount: number,
) => void;
