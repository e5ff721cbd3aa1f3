import { unpackMessagePack } from "../sharing/mod.ts";

/** What a message is made of. */
export interface MessageParts {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly session: number;
  readonly sequence: number;
  readonly timestampMs: number;
  readonly redeliveryCount: number;
  readonly priority: number;
  readonly partition: number | undefined;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** A message of a {@linkcode SharedQueue}, copied out of it. */
export class Message {
  /** Its bytes, for the receiver to keep. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** When it was sent, in milliseconds since 1970, by the clock of the machine; never goes back within one sender. */
  readonly timestampMs: number;
  /** How often it was delivered before: above 0 only after it was given back, or its consumer died. */
  readonly redeliveryCount: number;
  /** Its priority, 0 being the most urgent. */
  readonly priority: number;
  /** Its partition, where the queue has partitions. */
  readonly partition: number | undefined;
  readonly #session: number;
  readonly #sequence: number;

  /** Of what a queue has copied out. */
  constructor(parts: MessageParts) {
    this.data = parts.data;
    this.timestampMs = parts.timestampMs;
    this.redeliveryCount = parts.redeliveryCount;
    this.priority = parts.priority;
    this.partition = parts.partition;
    this.#session = parts.session;
    this.#sequence = parts.sequence;
  }

  /**
   * Differs from that of every other message of the queue, and stays the same when it is delivered again. Goes up within one sender.
   */
  get id(): bigint {
    return idOf(this.#session, this.#sequence);
  }

  /** Its bytes as UTF-8 text, a byte order mark included. */
  text(): string {
    return decoder.decode(this.data);
  }

  /**
   * Its bytes as JSON.
   *
   * @throws {SyntaxError} when they are none
   */
  json<T = unknown>(): T {
    return JSON.parse(this.text().replace(/^\ufeff/, "")) as T;
  }

  /**
   * Its bytes as MessagePack.
   *
   * @throws {Error} when they are none
   */
  messagePack<T = unknown>(): T {
    return unpackMessagePack(this.data) as T;
  }
}

/** The id of the message `sequence` of a session. */
export function idOf(session: number, sequence: number): bigint {
  return BigInt(session >>> 0) << 32n | BigInt(sequence >>> 0);
}
