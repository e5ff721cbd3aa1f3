import type { WaitOptions } from "../base/mod.ts";
import type { SharedMemory, SharedMemoryInfo } from "../memory/mod.ts";
import type { HandOver } from "./_boxes.ts";
import { compress } from "./_compression.ts";
import { QueueCore } from "./_core.ts";
import { Delivery } from "./delivery.ts";
import { DeadLetters } from "./dead_letters.ts";
import { SharedQueueFullError } from "./errors.ts";
import { FLAG, QUEUE_PARTICIPANTS_MAX } from "./layout.ts";
import { idOf, type Message } from "./message.ts";
import {
  createQueue,
  listQueues,
  openQueue,
  type QueuePlace,
  removeAbandonedQueues,
  unlinkQueue,
} from "./_open_queue.ts";
import { bytesOf, type Payload, requirePayloads } from "./payload.ts";
import type { QueueMemory } from "./_queue_memory.ts";
import type {
  QueueConnectOptions,
  QueueCreateOptions,
  QueueFilter,
  RequestHandler,
  RequestOptions,
  RespondOptions,
} from "./queue_options.ts";
import { isRequest, PendingRequest } from "./_request.ts";
import { respondTo } from "./_respond.ts";
import { Envelopes, type SendOptions, type TrySendOptions, type WhenFull } from "./send_options.ts";
import { BATCH_MAX } from "./_fast_path.ts";
import { type Envelope, NO_SLOT } from "./_sender.ts";
import { prometheusText, type QueueStatus, StatusMaker } from "./status.ts";

const NO_OPTIONS = {};

/** What a mailbox needs of its queue. */
export interface QueueInternals {
  readonly core: QueueCore;
  readonly directory: string | undefined;
  /** Sends a message with a box. */
  send(payload: Payload, options: SendOptions, box: HandOver): Promise<bigint>;
}

/** The inside of a queue; for this folder. */
export let internalsOf: (queue: SharedQueue) => QueueInternals;

/**
 * A named queue between processes, many to many, which survives the death of any process at any instant.
 *
 * A message that was sent is delivered at least once, and exactly once as long as nobody dies or gives it back. Needs the native
 * library, and `--allow-ffi`.
 *
 * ```ts
 * import { SharedQueue } from "@millrace/millrace/queue";
 *
 * const name = `example-${Deno.pid}`;
 * using queue = SharedQueue.create(name, { capacity: 64, messageBytesMax: 1024 });
 * try {
 *   await queue.send("hello");
 *   // In another process:
 *   using same = SharedQueue.connect(name);
 *   using delivery = await same.reserve();
 *   console.log(delivery.message.text()); // hello
 *   delivery.ack();
 * } finally {
 *   SharedQueue.unlink(name);
 * }
 * ```
 */
export class SharedQueue implements Disposable, AsyncIterable<Message> {
  /** Its name. */
  readonly name: string;
  /** Messages that it can hold. */
  readonly capacity: number;
  /** The longest message in bytes, after compression. */
  readonly messageBytesMax: number;
  /** Priorities that it has. */
  readonly priorities: number;
  /** Partitions that it has; 0: none. */
  readonly partitions: number;
  /** Messages that were delivered too often. */
  readonly deadLetters: DeadLetters;
  readonly #region: SharedMemory;
  readonly #core: QueueCore;
  readonly #envelopes: Envelopes;
  readonly #status: StatusMaker;
  readonly #compressAboveBytes: number;
  readonly #internals: QueueInternals;

  static {
    internalsOf = (queue) => queue.#internals;
  }

  /**
   * Makes a queue that must not exist yet, and opens it. Its memory is taken from the system at once. What a creator that died on the
   * way has left is replaced.
   *
   * @throws {RangeError} when the name or an option is out of range
   * @throws {Deno.errors.AlreadyExists} when there is something of that name
   * @throws {Error} with the code `ENOSPC` when the system has not that much memory; nothing is left behind then
   * @throws {Deno.errors.NotSupported} without the native library
   */
  static create(name: string, options: QueueCreateOptions = {}): SharedQueue {
    checkCompression("create", options);
    const { region, memory } = createQueue(name, options, options, options.mode);
    try {
      return new SharedQueue(name, region, memory, options);
    } catch (error) {
      region.close();
      unlinkQueue(name, options);
      throw error;
    }
  }

  /**
   * Opens a queue that is there.
   *
   * @throws {RangeError} when the name or an option is out of range
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.PermissionDenied} when this process may not read and write it
   * @throws {Deno.errors.InvalidData} when it is no queue, half-made, damaged, or of another version; says which
   * @throws {Deno.errors.Busy} when it has {@linkcode QUEUE_PARTICIPANTS_MAX} openers
   * @throws {Deno.errors.NotSupported} without the native library
   */
  static connect(name: string, options: QueueConnectOptions = {}): SharedQueue {
    checkCompression("connect to", options);
    const { region, memory } = openQueue(name, options);
    try {
      return new SharedQueue(name, region, memory, options);
    } catch (error) {
      region.close();
      throw error;
    }
  }

  /** The queues that this process may open, by name. */
  static list(options: QueueFilter = {}): SharedMemoryInfo[] {
    return listQueues(options.prefix ?? "", options);
  }

  /**
   * Takes a queue's name away: nobody can open it any more, and a new one can have the name. Who has it open keeps it.
   *
   * @throws {RangeError} for what is no name
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.InvalidData} when what has that name is no queue; it is left as it is. A damaged queue is taken away, as long as it
   * still begins as one.
   * @throws {Deno.errors.PermissionDenied} when this process may not open it, and so not look what it is
   */
  static unlink(name: string, options: QueuePlace = {}): void {
    unlinkQueue(name, options);
  }

  /** Takes the names of queues away that no living process has open, with the messages in them, and returns the names. */
  static removeAbandoned(options: QueueFilter = {}): string[] {
    return removeAbandonedQueues(options.prefix ?? "", options);
  }

  private constructor(name: string, region: SharedMemory, memory: QueueMemory, options: QueueConnectOptions) {
    this.name = name;
    this.#region = region;
    this.#core = openCore(name, memory);
    this.#envelopes = new Envelopes(memory.constants);
    this.#status = new StatusMaker(this.#core);
    this.#compressAboveBytes = options.compressAboveBytes ?? Infinity;
    this.capacity = memory.capacity;
    this.messageBytesMax = memory.constants.messageBytesMax;
    this.priorities = memory.constants.priorities;
    this.partitions = memory.constants.partitions;
    this.deadLetters = new DeadLetters(this.#core);
    this.#internals = {
      core: this.#core,
      directory: region.directory,
      send: async (payload, options, box) => {
        const [data, envelope] = this.#encode(bytesOf(payload), { ...this.#envelopes.of(options, 0), box });
        return await this.#send("send", data, envelope, options, () => this.#lastId);
      },
    };
  }

  /**
   * Sends a copy of `payload`; false when the queue is full. Once it has returned true, the message outlives its sender.
   *
   * @throws {RangeError} when it is longer than `messageBytesMax`, or an option is out of range
   */
  trySend(payload: Payload, options: TrySendOptions = NO_OPTIONS): boolean {
    if (options.whenFull !== undefined) checkWhenFull("send", options.whenFull);
    const envelope = this.#envelopes.of(options, 0);
    return this.#trySend(bytesOf(payload), envelope, options.whenFull) !== NO_SLOT;
  }

  /**
   * Sends a copy of `payload`, which is taken at once, and resolves to the message's id. Once it has, the message outlives its sender.
   *
   * @throws {RangeError} when it is longer than `messageBytesMax`, or an option is out of range
   * @throws {SharedQueueFullError} when the queue is full, and `whenFull` is `"fail"`
   */
  async send(payload: Payload, options: SendOptions = NO_OPTIONS): Promise<bigint> {
    options.signal?.throwIfAborted();
    const [data, envelope] = this.#encode(bytesOf(payload), this.#envelopes.of(options, 0));
    return await this.#send("send", data, envelope, options, () => this.#lastId);
  }

  /**
   * Sends copies of the first of `payloads`, as many as there is room for, in fewer steps than one by one; returns how many.
   *
   * @throws {RangeError} when one is longer than `messageBytesMax`, or an option is out of range; none is sent then
   */
  trySendMany(payloads: readonly Payload[], options: TrySendOptions = NO_OPTIONS): number {
    if (options.whenFull !== undefined) checkWhenFull("send", options.whenFull);
    this.#throwIfClosed("send to");
    requirePayloads(payloads);
    const messages = payloads.map((payload) =>
      this.#encode(bytesOf(payload), this.#envelopes.of(options, 0))
    );
    let sent = 0;
    while (sent < messages.length) {
      const more = this.#trySendBatch(messages, sent);
      sent += more;
      if (more > 0) continue;
      const [data, envelope] = messages[sent];
      if (this.#trySendEncoded(data, envelope, options.whenFull) === NO_SLOT) break;
      sent++;
    }
    return sent;
  }

  /**
   * Sends copies of all of `payloads`, in order, and resolves to their ids. They are asked for some at a time. When it rejects, those before the
   * one that failed were sent.
   *
   * @throws {RangeError} when one is longer than `messageBytesMax`, or an option is out of range
   * @throws {SharedQueueFullError} when the queue is full, and `whenFull` is `"fail"`
   */
  async sendMany(payloads: Iterable<Payload>, options: SendOptions = NO_OPTIONS): Promise<bigint[]> {
    requirePayloads(payloads);
    const ids: bigint[] = [];
    let messages: (readonly [Uint8Array, Envelope])[] = [];
    const sendAll = async (): Promise<void> => {
      options.signal?.throwIfAborted();
      this.#throwIfClosed("send to");
      for (let from = 0; from < messages.length;) {
        const sent = this.#trySendBatch(messages, from);
        const last = this.#lastId;
        for (let before = sent - 1; before >= 0; before--) ids.push(last - BigInt(before));
        from += sent;
        if (sent > 0) continue;
        const [data, envelope] = messages[from++];
        const sending = this.#send("send", data, envelope, options, () => this.#lastId);
        for (let next = from; next < messages.length; next++) {
          messages[next] = [copyOf(messages[next][0]), messages[next][1]];
        }
        ids.push(await sending);
      }
      messages = [];
    };
    // What makes payloads one by one may use the same bytes for each.
    const own = Array.isArray(payloads) ? (data: Uint8Array) => data : copyOf;
    let isSending = false;
    try {
      for (const payload of payloads) {
        messages.push(this.#encode(own(bytesOf(payload)), this.#envelopes.of(options, 0)));
        if (messages.length < BATCH_MAX) continue;
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

  /**
   * The next message, acknowledged; `undefined` when there is none.
   *
   * @throws {Deno.errors.InvalidData} when it is damaged; it is gone then
   */
  tryReceive(): Message | undefined {
    this.#throwIfClosed("receive from");
    return this.#core.receive();
  }

  /**
   * The next message, acknowledged; waits for it.
   *
   * @throws {Deno.errors.InvalidData} when it is damaged; it is gone then
   */
  async receive(options: WaitOptions = NO_OPTIONS): Promise<Message> {
    this.#throwIfClosed("receive from");
    return await this.#core.items.wait(
      "receive from the queue",
      "messages",
      () => this.tryReceive(),
      options,
    );
  }

  /**
   * The next message, acknowledged; waits for it and holds up the thread meanwhile, which wakes a little sooner: for a worker that does
   * nothing else. `undefined` when `timeoutMs` was over first.
   *
   * @throws {Deno.errors.InvalidData} when it is damaged; it is gone then
   */
  receiveSync(options: Pick<WaitOptions, "timeoutMs"> = NO_OPTIONS): Message | undefined {
    this.#throwIfClosed("receive from");
    return this.#core.items.waitSync("receive from the queue", () => this.tryReceive(), options.timeoutMs);
  }

  /**
   * The next messages, acknowledged, `countMax` of them at most; waits for the first, and takes what else is there. Damaged ones behind
   * the first are left out; `status()` counts them.
   *
   * @throws {Deno.errors.InvalidData} when the first is damaged; it is gone then
   * @throws {RangeError} when `countMax` is no whole number from 1
   */
  async receiveMany(countMax: number, options: WaitOptions = NO_OPTIONS): Promise<Message[]> {
    checkCountMax(countMax);
    const messages = [await this.receive(options)];
    // Closed meanwhile: the first is acknowledged, and not to be lost.
    if (!this.#core.closed) this.#core.receiveMany(messages, countMax);
    return messages;
  }

  /** The next messages, acknowledged, as many as there are, `countMax` at most. */
  tryReceiveMany(countMax: number): Message[] {
    this.#throwIfClosed("receive from");
    checkCountMax(countMax);
    const messages: Message[] = [];
    this.#core.receiveMany(messages, countMax);
    return messages;
  }

  /** The next message, to be acknowledged or given back; `undefined` when there is none. */
  tryReserve(): Delivery | undefined {
    this.#throwIfClosed("reserve from");
    const reserved = this.#core.reserve();
    if (reserved === undefined) return undefined;
    const { slot, message } = reserved;
    this.#core.keepHouse();
    return new Delivery(this.#core, slot, message, isRequest(this.#core, slot));
  }

  /** The next message, to be acknowledged or given back; waits for it. */
  async reserve(options: WaitOptions = NO_OPTIONS): Promise<Delivery> {
    this.#throwIfClosed("reserve from");
    return await this.#core.items.wait(
      "reserve from the queue",
      "messages",
      () => this.tryReserve(),
      options,
    );
  }

  /**
   * Sends a request, and resolves to the reply of the consumer that gets it. The request takes one place in the queue until the reply is
   * here; with a `timeoutMs`, nobody handles it after that time. When its consumer dies, another gets it.
   *
   * @throws {SharedQueueReplyError} when the handler failed, or somebody took the request and did not reply, or died while replying
   * @throws {SharedQueueFullError} when the queue is full, and `whenFull` is `"fail"`
   */
  async request(payload: Payload, options: RequestOptions = NO_OPTIONS): Promise<Uint8Array<ArrayBuffer>> {
    const { signal, timeoutMs = Infinity } = options;
    const sinceMs = performance.now();
    signal?.throwIfAborted();
    const envelope = this.#envelopes.of(
      { ...options, expiresAfterMs: timeoutMs > 0 ? timeoutMs : undefined },
      FLAG.request,
    );
    const [data, sent] = this.#encode(bytesOf(payload), envelope);
    const { state } = this.#core;
    // The generation as it was sent: by now the slot may be another message's.
    const then = (slot: number) =>
      new PendingRequest(this.#core, slot, state.previousGeneration(sent.lane), sent.expiresMs);
    const pending = await this.#send("request", data, sent, options, then);
    return await pending.reply({ ...(signal === undefined ? {} : { signal }), timeoutMs, sinceMs });
  }

  /**
   * Handles requests until its signal aborts, or the queue is closed. Messages that are no requests are handled as well, and acknowledged;
   * requests that nobody waits for any more are not.
   *
   * The handler's signal aborts with that of the call. A request whose handler throws is answered with the error's message. When it
   * throws for a message that is no request, that is given back, and the call rejects with the error.
   */
  async respond(handler: RequestHandler, options: RespondOptions = NO_OPTIONS): Promise<void> {
    this.#throwIfClosed("respond to requests of");
    await respondTo(this, handler, options);
  }

  /** Takes every message away that no consumer has, dead letters among them; returns how many. */
  purge(): number {
    this.#throwIfClosed("purge");
    return this.#core.purge();
  }

  /** What is in the queue, and what has happened to it. */
  status(): QueueStatus {
    this.#throwIfClosed("look at");
    return this.#status.make();
  }

  /** The status as text that Prometheus reads. */
  metrics(): string {
    return prometheusText(this.name, this.status());
  }

  /**
   * Messages, each acknowledged when the next is asked for; without end, until the queue is closed. The message at which the loop is left,
   * by `break` or by an error, is given back: which of the two it was cannot be told.
   */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    while (!this.#core.closed) {
      using delivery = await this.reserve();
      yield delivery.message;
      delivery.ack();
    }
  }

  /** A stream of messages, each acknowledged when it is read; cancelling it leaves the queue open. */
  readable(): ReadableStream<Message> {
    const ending = new AbortController();
    let pulling: Promise<void> | undefined;
    const pull = async (controller: ReadableStreamDefaultController<Message>): Promise<void> => {
      try {
        using delivery = await this.reserve({ signal: ending.signal });
        // Throws where the stream was cancelled meanwhile: the message is given back.
        controller.enqueue(delivery.message);
        delivery.ack();
      } catch (error) {
        if (!ending.signal.aborted) throw error;
      }
    };
    return new ReadableStream<Message>({
      pull: (controller) => pulling = pull(controller),
      cancel: async (reason) => {
        ending.abort(reason);
        await pulling;
      },
    }, { highWaterMark: 0 });
  }

  /** A stream that sends what is written to it, and waits while the queue is full; closing it leaves the queue open. */
  writable(options: Omit<SendOptions, "signal"> = NO_OPTIONS): WritableStream<Payload> {
    return new WritableStream<Payload>({
      write: async (payload, { signal }) => void await this.send(payload, { ...options, signal }),
    });
  }

  /** Resolves when a queue in a directory is on disk as it is now; at once for one in the system's memory. */
  async sync(): Promise<void> {
    this.#throwIfClosed("sync");
    await this.#region.sync();
  }

  /** Leaves the queue: what this opener has reserved is given back, and calls that wait reject. Closing twice does nothing. */
  close(): void {
    if (this.#core.closed) return;
    this.#core.close();
    this.#region.close();
  }

  /** The same as {@linkcode SharedQueue.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  get #lastId(): bigint {
    const { session, sequence } = this.#core.state;
    return idOf(session, sequence);
  }

  #trySend(data: Uint8Array, envelope: Envelope, whenFull: WhenFull = "fail"): number {
    this.#throwIfClosed("send to");
    const [bytes, sent] = this.#encode(data, envelope);
    return this.#trySendEncoded(bytes, sent, whenFull);
  }

  #trySendEncoded(data: Uint8Array, envelope: Envelope, whenFull: WhenFull = "fail"): number {
    let slot = this.#core.trySend(data, envelope);
    if (slot !== NO_SLOT || !(this.#core.findRoom() || whenFull === "drop-oldest")) return slot;
    slot = this.#core.trySend(data, envelope);
    while (slot === NO_SLOT && whenFull === "drop-oldest" && this.#core.dropOldest()) {
      slot = this.#core.trySend(data, envelope);
    }
    return slot;
  }

  /** Sends those of `messages` from index `from` on that have the same envelope and room; how many, with ids one behind the other. */
  #trySendBatch(messages: readonly (readonly [Uint8Array, Envelope])[], from: number): number {
    const [, envelope] = messages[from];
    let end = from;
    while (end < messages.length && end - from < BATCH_MAX && messages[end][1] === envelope) end++;
    const batch = messages.slice(from, end).map(([data]) => data);
    return this.#core.trySendMany(batch, envelope);
  }

  async #send<T>(
    operation: string,
    data: Uint8Array,
    envelope: Envelope,
    options: SendOptions,
    then: (slot: number) => T,
  ): Promise<T> {
    const { whenFull = "wait" } = options;
    checkWhenFull(operation, whenFull);
    this.#throwIfClosed("send to");
    if (whenFull === "wait") {
      let [bytes, isSent] = [data, false];
      const attempt = (): T | undefined => {
        const slot = this.#trySendEncoded(bytes, envelope);
        if (slot === NO_SLOT) return undefined;
        isSent = true;
        return then(slot);
      };
      const waiting = this.#core.room.wait(`${operation} to the queue`, "room", attempt, options);
      // The caller may change its payload as soon as it has called.
      if (!isSent) bytes = copyOf(data);
      return await waiting;
    }
    const slot = this.#trySendEncoded(data, envelope, whenFull);
    if (slot === NO_SLOT) throw new SharedQueueFullError(`${operation} to the queue`, this.capacity);
    return then(slot);
  }

  /** What goes into the slot. */
  #encode(data: Uint8Array, envelope: Envelope): readonly [Uint8Array, Envelope] {
    if (data.length > this.#compressAboveBytes) {
      const compressed = compress(data);
      if (compressed !== undefined && compressed.length <= this.messageBytesMax) {
        return [compressed, { ...envelope, flags: envelope.flags | FLAG.compressed }];
      }
    }
    if (data.length > this.messageBytesMax) {
      throw new RangeError(
        `send to the queue: the message has ${data.length} bytes, expected at most ${this.messageBytesMax}`,
      );
    }
    return [data, envelope];
  }

  #throwIfClosed(action: string): void {
    if (this.#core.closed) throw new Deno.errors.BadResource(`${action} queue ${this.name}: it is closed`);
  }
}

function copyOf(data: Uint8Array): Uint8Array {
  return new Uint8Array(data);
}

function openCore(name: string, memory: QueueMemory): QueueCore {
  try {
    return new QueueCore(memory);
  } catch (error) {
    if (!(error instanceof Deno.errors.Busy)) throw error;
    throw new Deno.errors.Busy(`open queue ${name}: it has ${QUEUE_PARTICIPANTS_MAX} openers already`, {
      cause: error,
    });
  }
}

function checkWhenFull(operation: string, whenFull: WhenFull): void {
  if (whenFull === "wait" || whenFull === "fail" || whenFull === "drop-oldest") return;
  throw new TypeError(
    `${operation} to the queue: whenFull is "${whenFull}", expected "wait", "fail" or "drop-oldest"`,
  );
}

function checkCountMax(countMax: number): void {
  if (Number.isInteger(countMax) && countMax >= 1) return;
  throw new RangeError(`receive from the queue: countMax is ${countMax}, expected 1 or more`);
}

function checkCompression(action: string, { compressAboveBytes = Infinity }: QueueConnectOptions): void {
  if (compressAboveBytes >= 0) return;
  throw new RangeError(`${action} queue: compressAboveBytes is ${compressAboveBytes}, expected 0 or more`);
}
