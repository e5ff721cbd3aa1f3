import type { Abortable } from "../../base/mod.ts";
import type { Message } from "./message.ts";
import type { QueuePlace, QueueShape } from "./open_queue.ts";
import type { Payload } from "../sharing/mod.ts";
import type { SendOptions } from "./send_options.ts";

/** Options of {@linkcode SharedQueue.connect}, and what those of {@linkcode SharedQueue.create} add to the shape of the queue. */
export interface QueueConnectOptions extends QueuePlace {
  /**
   * Messages of more bytes are compressed when this opener sends them, where that makes them smaller.
   *
   * @default {Infinity}
   */
  compressAboveBytes?: number;
}

/** Options of {@linkcode SharedQueue.create}. */
export interface QueueCreateOptions extends QueueShape, QueueConnectOptions {
  /**
   * Who may open it, as permissions of a file.
   *
   * @default {0o600}
   */
  mode?: number;
}

/** Options of {@linkcode SharedQueue.list} and {@linkcode SharedQueue.removeAbandoned}. */
export interface QueueFilter extends QueuePlace {
  /**
   * What the names begin with.
   *
   * @default {""}
   */
  prefix?: string;
}

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
