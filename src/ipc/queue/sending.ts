import type { HandOver } from "./boxes.ts";
import { compress } from "./compression.ts";
import type { QueueCore } from "./core.ts";
import { SharedQueueFullError } from "./errors.ts";
import { BATCH_MAX } from "./fast_path.ts";
import { FLAG } from "./layout.ts";
import { idOf } from "./message.ts";
import { bytesOf, type Payload, requirePayloads } from "../sharing/mod.ts";
import type { QueueConnectOptions, RequestOptions } from "./queue_options.ts";
import { PendingRequest } from "./request.ts";
import {
  Envelopes,
  type SendOptions,
  type SendSyncOptions,
  type TrySendOptions,
  type WhenFull,
} from "./send_options.ts";
import { checkLength, type Envelope, NO_SLOT } from "./sender.ts";

/** A message as it goes into a slot. */
type Encoded = readonly [data: Uint8Array, envelope: Envelope];

/** Messages that are sent together, in their order. */
class EncodedBatch {
  readonly data: Uint8Array[] = [];
  readonly envelopes: Envelope[] = [];

  get length(): number {
    return this.data.length;
  }

  at(index: number): Encoded {
    return [this.data[index], this.envelopes[index]];
  }
}

/** The calls of one opener that send: from payloads and options to slots, and what a full queue means. */
export class Sending {
  readonly #core: QueueCore;
  /** What errors of its calls name the queue by. */
  readonly #toQueue: string;
  readonly #sending: string;
  readonly #envelopes: Envelopes;
  readonly #messageBytesMax: number;
  readonly #compressAboveBytes: number;

  constructor(core: QueueCore, { compressAboveBytes = Infinity }: QueueConnectOptions) {
    this.#core = core;
    this.#toQueue = ` to ${core.memory.label}`;
    this.#sending = `send${this.#toQueue}`;
    this.#envelopes = new Envelopes(core.memory);
    this.#messageBytesMax = core.memory.constants.messageBytesMax;
    this.#compressAboveBytes = compressAboveBytes;
  }

  /** See `SharedQueue.trySend()`. */
  trySend(payload: Payload, options: TrySendOptions): boolean {
    if (options.whenFull !== undefined) checkWhenFull(this.#sending, options.whenFull);
    const envelope = this.#envelopes.of(options, 0);
    const data = bytesOf(payload);
    this.#throwIfClosed();
    return this.#trySendEncoded(this.#encode(data, envelope), options.whenFull) !== NO_SLOT;
  }

  /** See `SharedQueue.send()`; with a box of the mailbox, where there is one. */
  async send(payload: Payload, options: SendOptions, box?: HandOver): Promise<bigint> {
    options.signal?.throwIfAborted();
    const envelope = this.#envelopes.of(options, 0);
    const encoded = this.#encode(bytesOf(payload), box === undefined ? envelope : { ...envelope, box });
    return await this.#send("send", encoded, options, () => this.#lastId);
  }

  /** See `SharedQueue.sendSync()`. */
  sendSync(payload: Payload, options: SendSyncOptions): bigint | undefined {
    const encoded = this.#encode(bytesOf(payload), this.#envelopes.of(options, 0));
    this.#throwIfClosed();
    const attempt = (): bigint | undefined =>
      this.#trySendEncoded(encoded) === NO_SLOT ? undefined : this.#lastId;
    return this.#core.room.waitSync(this.#sending, attempt, options.timeoutMs);
  }

  /** See `SharedQueue.trySendMany()`. */
  trySendMany(payloads: readonly Payload[], options: TrySendOptions): number {
    if (options.whenFull !== undefined) checkWhenFull(this.#sending, options.whenFull);
    this.#throwIfClosed();
    requirePayloads(payloads);
    const batch = new EncodedBatch();
    const envelope = this.#sharedEnvelope(options);
    for (const payload of payloads) this.#addTo(batch, bytesOf(payload), envelope, options);
    let sent = 0;
    while (sent < batch.length) {
      const more = this.#trySendBatch(batch, sent);
      sent += more;
      if (more > 0) continue;
      if (this.#trySendEncoded(batch.at(sent), options.whenFull) === NO_SLOT) break;
      sent++;
    }
    return sent;
  }

  /** See `SharedQueue.sendMany()`. */
  async sendMany(payloads: Iterable<Payload>, options: SendOptions): Promise<bigint[]> {
    requirePayloads(payloads);
    const ids: bigint[] = [];
    let batch = new EncodedBatch();
    // What makes payloads one by one may use the same bytes for each.
    const own = Array.isArray(payloads) ? (data: Uint8Array) => data : copyOf;
    const sendAll = async (): Promise<void> => {
      options.signal?.throwIfAborted();
      this.#throwIfClosed();
      let areOwn = own === copyOf;
      for (let from = 0; from < batch.length;) {
        const sent = this.#trySendBatch(batch, from);
        const last = this.#lastId;
        for (let before = sent - 1; before >= 0; before--) ids.push(last - BigInt(before));
        from += sent;
        if (sent > 0) continue;
        const sending = this.#send("send", batch.at(from++), options, () => this.#lastId);
        for (let next = from; next < batch.length && !areOwn; next++) {
          batch.data[next] = copyOf(batch.data[next]);
        }
        areOwn = true;
        ids.push(await sending);
      }
      batch = new EncodedBatch();
    };
    let isSending = false;
    // Time goes by from one payload to the next.
    const shared = options.expiresAfterMs === undefined ? this.#sharedEnvelope(options) : undefined;
    try {
      for (const payload of payloads) {
        this.#addTo(batch, own(bytesOf(payload)), shared, options);
        if (batch.length < BATCH_MAX) continue;
        isSending = true;
        await sendAll();
        isSending = false;
      }
    } catch (error) {
      if (!isSending) await sendAll();
      throw error;
    }
    await sendAll();
    return ids;
  }

  /** See `SharedQueue.request()`. */
  async request(payload: Payload, options: RequestOptions): Promise<Uint8Array<ArrayBuffer>> {
    const { signal, timeoutMs = Infinity } = options;
    const sinceMs = performance.now();
    signal?.throwIfAborted();
    const envelope = this.#envelopes.of(
      { ...options, expiresAfterMs: timeoutMs > 0 ? timeoutMs : undefined },
      FLAG.request,
    );
    const encoded = this.#encode(bytesOf(payload), envelope);
    const [, { lane, expiresMs }] = encoded;
    const { state } = this.#core;
    // The generation as it was sent: by now the slot may be another message's.
    const then = (slot: number) =>
      new PendingRequest(this.#core, slot, state.previousGeneration(lane), expiresMs);
    const pending = await this.#send("request", encoded, options, then);
    return await pending.reply({ signal, timeoutMs, sinceMs });
  }

  get #lastId(): bigint {
    const { session, sequence } = this.#core.state;
    return idOf(session, sequence);
  }

  #trySendEncoded([data, envelope]: Encoded, whenFull: WhenFull = "fail"): number {
    let slot = this.#core.trySend(data, envelope);
    if (slot !== NO_SLOT || !(this.#core.findRoom() || whenFull === "drop-oldest")) return slot;
    slot = this.#core.trySend(data, envelope);
    while (slot === NO_SLOT && whenFull === "drop-oldest" && this.#core.dropOldest()) {
      slot = this.#core.trySend(data, envelope);
    }
    return slot;
  }

  /** Sends those of `batch` from index `from` on that have the same envelope and room; how many, with ids one behind the other. */
  #trySendBatch({ data, envelopes }: EncodedBatch, from: number): number {
    const envelope = envelopes[from];
    let end = from + 1;
    while (end < data.length && end - from < BATCH_MAX && envelopes[end] === envelope) end++;
    return this.#core.trySendMany(data, from, end, envelope);
  }

  /** The envelope of all messages that are sent with the same options; `undefined` where each goes to another partition. */
  #sharedEnvelope(options: SendOptions): Envelope | undefined {
    return this.#core.memory.constants.partitions === 0 ? this.#envelopes.of(options, 0) : undefined;
  }

  #addTo(
    { data, envelopes }: EncodedBatch,
    bytes: Uint8Array,
    shared: Envelope | undefined,
    options: SendOptions,
  ): void {
    const envelope = shared ?? this.#envelopes.of(options, 0);
    const isPlain = bytes.length <= this.#compressAboveBytes && bytes.length <= this.#messageBytesMax;
    const encoded = isPlain ? undefined : this.#encode(bytes, envelope);
    data.push(encoded?.[0] ?? bytes);
    envelopes.push(encoded?.[1] ?? envelope);
  }

  async #send<T>(
    operation: string,
    encoded: Encoded,
    options: SendOptions,
    then: (slot: number) => T,
  ): Promise<T> {
    const { whenFull = "wait" } = options;
    checkWhenFull(`${operation}${this.#toQueue}`, whenFull);
    this.#throwIfClosed();
    if (whenFull === "wait") {
      let [[data, envelope], isSent] = [encoded, false];
      const attempt = (): T | undefined => {
        const slot = this.#trySendEncoded([data, envelope]);
        if (slot === NO_SLOT) return undefined;
        isSent = true;
        return then(slot);
      };
      const waiting = this.#core.room.wait(`${operation}${this.#toQueue}`, "room", attempt, options);
      // The caller may change its payload as soon as it has called.
      if (!isSent) data = copyOf(data);
      return await waiting;
    }
    const slot = this.#trySendEncoded(encoded, whenFull);
    if (slot === NO_SLOT) {
      throw new SharedQueueFullError(`${operation}${this.#toQueue}`, this.#core.memory.capacity);
    }
    return then(slot);
  }

  /** What goes into the slot. */
  #encode(data: Uint8Array, envelope: Envelope): Encoded {
    if (data.length > this.#compressAboveBytes) {
      const compressed = compress(data);
      if (compressed !== undefined && compressed.length <= this.#messageBytesMax) {
        return [compressed, { ...envelope, flags: envelope.flags | FLAG.compressed }];
      }
    }
    checkLength(this.#core.memory, data.length);
    return [data, envelope];
  }

  #throwIfClosed(): void {
    if (this.#core.closed) throw new Deno.errors.BadResource(`${this.#sending}: it is closed`);
  }
}

function copyOf(data: Uint8Array): Uint8Array {
  return new Uint8Array(data);
}

function checkWhenFull(operation: string, whenFull: WhenFull): void {
  if (whenFull === "wait" || whenFull === "fail" || whenFull === "drop-oldest") return;
  throw new TypeError(
    `${operation}: whenFull is "${whenFull}", expected "wait", "fail" or "drop-oldest"`,
  );
}
