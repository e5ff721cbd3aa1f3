import type { WaitOptions } from "../../base/mod.ts";
import type { SharedMemory, SharedMemoryInfo } from "../memory/mod.ts";
import type { HandOver } from "./boxes.ts";
import { QueueCore } from "./core.ts";
import { BATCH_MAX } from "./fast_path.ts";
import { Delivery } from "./delivery.ts";
import { DeadLetters } from "./dead_letters.ts";
import type { Message } from "./message.ts";
import type { OpenedRegion, Payload, RegionFilter, RegionPlace } from "../sharing/mod.ts";
import { QUEUE_KIND, type QueueConstants } from "./layout.ts";
import { queueConstantsOf } from "./queue_constants.ts";
import { QueueMemory } from "./queue_memory.ts";
import type {
  InPlaceHandler,
  QueueConnectOptions,
  QueueCreateOptions,
  RequestHandler,
  RequestOptions,
  RespondOptions,
} from "./queue_options.ts";
import { isRequest } from "./request.ts";
import { respondTo } from "./respond.ts";
import type { SendOptions, SendSyncOptions, TrySendOptions } from "./send_options.ts";
import { Sending } from "./sending.ts";
import { queueMetrics, type QueueStatus, StatusMaker } from "./status.ts";
import { removeAbandonedQueues, unlinkQueue } from "./unlinking.ts";

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
 * A message that was sent is delivered at least once, and exactly once as long as no consumer dies or gives it back. Needs the native
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
  readonly #sending: Sending;
  readonly #status: StatusMaker;
  readonly #internals: QueueInternals;
  /** What errors of calls that wait begin with. */
  readonly #receiving: string;
  readonly #reserving: string;

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
    const constants = queueConstantsOf(options, options.directory !== undefined);
    return QUEUE_KIND.create(name, constants, options, (opened) => new SharedQueue(name, opened, options));
  }

  /**
   * Opens an existing queue.
   *
   * @throws {RangeError} when the name or an option is out of range
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.PermissionDenied} when this process may not read and write it
   * @throws {Deno.errors.InvalidData} when it is no queue, damaged, or of another version; says which
   * @throws {Deno.errors.Busy} when it has {@linkcode QUEUE_PARTICIPANTS_MAX} openers
   * @throws {Deno.errors.NotSupported} without the native library
   */
  static connect(name: string, options: QueueConnectOptions = {}): SharedQueue {
    checkCompression("connect to", options);
    return QUEUE_KIND.connect(name, options, (opened) => new SharedQueue(name, opened, options));
  }

  /**
   * Opens a queue, and makes it where there is none. Throws what the two do, and:
   *
   * @throws {Deno.errors.AlreadyExists} when it exists with another `capacity`, say, than was asked for; says which option
   */
  static open(name: string, options: QueueCreateOptions = {}): SharedQueue {
    checkCompression("open", options);
    const constants = queueConstantsOf(options, options.directory !== undefined);
    return QUEUE_KIND.open(name, constants, options, (opened) => new SharedQueue(name, opened, options));
  }

  /** The queues that this process may open, by name. */
  static list(options: RegionFilter = {}): SharedMemoryInfo[] {
    return QUEUE_KIND.list(options);
  }

  /**
   * Removes the name of a queue, and that of its mailbox: it cannot be opened any more, and a new one can take the name. Participants that have it open keep it. What a
   * process that died in the middle of this has left of it, it takes away as well.
   *
   * @throws {RangeError} for what is no name
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.InvalidData} when what has that name is no queue; it is left as it is. A damaged queue is taken away, as long as it
   * still begins as one.
   * @throws {Deno.errors.PermissionDenied} when this process may not open it, and so not look what it is
   */
  static unlink(name: string, options: RegionPlace = {}): void {
    unlinkQueue(name, options);
  }

  /**
   * Takes the names of queues away that no living process has open, with the messages in them, and returns the names; and those of mailboxes that
   * such a queue has left behind.
   */
  static removeAbandoned(options: RegionFilter = {}): string[] {
    return removeAbandonedQueues(options);
  }

  private constructor(
    name: string,
    { region, constants }: OpenedRegion<keyof QueueConstants>,
    options: QueueConnectOptions,
  ) {
    const memory = new QueueMemory(region, constants, `queue ${name}`);
    this.name = name;
    this.#receiving = `receive from queue ${name}`;
    this.#reserving = `reserve from queue ${name}`;
    this.#region = region;
    this.#core = new QueueCore(memory);
    this.#sending = new Sending(this.#core, options);
    this.#status = new StatusMaker(this.#core);
    this.capacity = memory.capacity;
    this.messageBytesMax = memory.constants.messageBytesMax;
    this.priorities = memory.constants.priorities;
    this.partitions = memory.constants.partitions;
    this.deadLetters = new DeadLetters(this.#core);
    this.#internals = {
      core: this.#core,
      directory: region.directory,
      send: (payload, options, box) => this.#sending.send(payload, options, box),
    };
  }

  /**
   * Sends a copy of `payload`; false when the queue is full. Once it has returned true, the message outlives its sender.
   *
   * @throws {RangeError} when it is longer than `messageBytesMax`, or an option is out of range
   */
  trySend(payload: Payload, options: TrySendOptions = NO_OPTIONS): boolean {
    return this.#sending.trySend(payload, options);
  }

  /**
   * Sends a copy of `payload`, which is taken at once, and resolves to the message's id. Once it has, the message outlives its sender.
   *
   * @throws {RangeError} when it is longer than `messageBytesMax`, or an option is out of range
   * @throws {SharedQueueFullError} when the queue is full, and `whenFull` is `"fail"`
   */
  async send(payload: Payload, options: SendOptions = NO_OPTIONS): Promise<bigint> {
    return await this.#sending.send(payload, options);
  }

  /**
   * The same as {@linkcode SharedQueue.send}, holding up the thread while the queue is full: for a worker that does nothing else. The message's
   * id, or `undefined` when `timeoutMs` was over first. A worker that is terminated meanwhile goes on until this has returned.
   *
   * @throws {RangeError} when it is longer than `messageBytesMax`, or an option is out of range
   */
  sendSync(payload: Payload, options: SendSyncOptions = NO_OPTIONS): bigint | undefined {
    return this.#sending.sendSync(payload, options);
  }

  /**
   * Sends copies of the first of `payloads`, as many as there is room for, in fewer steps than one by one; returns how many.
   *
   * @throws {RangeError} when one is longer than `messageBytesMax`, or an option is out of range; none is sent then
   */
  trySendMany(payloads: readonly Payload[], options: TrySendOptions = NO_OPTIONS): number {
    return this.#sending.trySendMany(payloads, options);
  }

  /**
   * Sends copies of all of `payloads`, in order, and resolves to their ids. They are asked for some at a time. When it rejects, those before the
   * one that failed were sent.
   *
   * @throws {RangeError} when one is longer than `messageBytesMax`, or an option is out of range
   * @throws {SharedQueueFullError} when the queue is full, and `whenFull` is `"fail"`
   */
  async sendMany(payloads: Iterable<Payload>, options: SendOptions = NO_OPTIONS): Promise<bigint[]> {
    return await this.#sending.sendMany(payloads, options);
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
      this.#receiving,
      "messages",
      () => this.tryReceive(),
      options,
    );
  }

  /**
   * The next message, acknowledged; waits for it and holds up the thread meanwhile, which wakes a little sooner: for a worker that does
   * nothing else. `undefined` when `timeoutMs` was over first. A worker that is terminated meanwhile goes on until this has returned.
   *
   * @throws {Deno.errors.InvalidData} when it is damaged; it is gone then
   */
  receiveSync(options: Pick<WaitOptions, "timeoutMs"> = NO_OPTIONS): Message | undefined {
    this.#throwIfClosed("receive from");
    return this.#core.items.waitSync(this.#receiving, () => this.tryReceive(), options.timeoutMs);
  }

  /**
   * The next messages, acknowledged, `countMax` of them at most; waits for the first, and takes what else is there. Damaged ones behind
   * the first are left out; `status()` counts them.
   *
   * @throws {Deno.errors.InvalidData} when the first is damaged; it is gone then
   * @throws {RangeError} when `countMax` is no whole number from 1
   */
  async receiveMany(countMax: number, options: WaitOptions = NO_OPTIONS): Promise<Message[]> {
    this.#checkCountMax(countMax);
    const messages = [await this.receive(options)];
    // Closed meanwhile: the first is acknowledged, and not to be lost.
    if (!this.#core.closed) this.#core.receiveMany(messages, countMax);
    return messages;
  }

  /**
   * The next messages, acknowledged, as many as there are, `countMax` at most. Damaged ones are left out; `status()` counts them.
   *
   * @throws {RangeError} when `countMax` is no whole number from 1
   */
  tryReceiveMany(countMax: number): Message[] {
    this.#throwIfClosed("receive from");
    this.#checkCountMax(countMax);
    const messages: Message[] = [];
    this.#core.receiveMany(messages, countMax);
    return messages;
  }

  /**
   * Has `onMessage` work off messages, `countMax` at most, and returns how many: without a copy of each, several times as fast as
   * {@linkcode SharedQueue.tryReceiveMany} for short ones. The `byteLength` bytes of a message begin at `at` in `bytes`, where they may only be
   * read, and only until `onMessage` returns. Damaged ones are left out; `status()` counts them.
   *
   * Up to 64 messages are reserved at once, and acknowledged together: who dies meanwhile has those that it has worked off delivered again, and
   * those that it has not come to as if nobody had had them. When `onMessage` throws, its message is given back, those before it are
   * acknowledged, and the error goes on to the caller; when it closes the queue, likewise.
   *
   * ```ts
   * import { SharedQueue } from "@millrace/millrace/queue";
   *
   * const name = `example-${Deno.pid}`;
   * using queue = SharedQueue.create(name, { capacity: 64, messageBytesMax: 64 });
   * try {
   *   queue.trySendMany([new Uint8Array([1]), new Uint8Array([2, 3])]);
   *   let sum = 0;
   *   queue.drainInPlace((bytes, at, byteLength) => {
   *     for (let index = at; index < at + byteLength; index++) sum += bytes[index];
   *   });
   *   console.log(sum); // 6
   * } finally {
   *   SharedQueue.unlink(name);
   * }
   * ```
   *
   * @throws {RangeError} when `countMax` is no whole number from 1
   */
  drainInPlace(onMessage: InPlaceHandler, countMax: number = BATCH_MAX): number {
    this.#throwIfClosed("receive from");
    this.#checkCountMax(countMax);
    return this.#core.drainInPlace(onMessage, countMax);
  }

  /**
   * The next message, to be acknowledged or given back; `undefined` when there is none.
   *
   * @throws {Deno.errors.InvalidData} when it is damaged; it is gone then
   */
  tryReserve(): Delivery | undefined {
    this.#throwIfClosed("reserve from");
    const reserved = this.#core.reserve();
    if (reserved === undefined) return undefined;
    const { slot, message } = reserved;
    this.#core.maintain();
    return new Delivery(this.#core, slot, message, isRequest(this.#core, slot));
  }

  /**
   * The next message, to be acknowledged or given back; waits for it.
   *
   * @throws {Deno.errors.InvalidData} when it is damaged; it is gone then
   */
  async reserve(options: WaitOptions = NO_OPTIONS): Promise<Delivery> {
    this.#throwIfClosed("reserve from");
    return await this.#core.items.wait(
      this.#reserving,
      "messages",
      () => this.tryReserve(),
      options,
    );
  }

  /**
   * Sends a request, and resolves to the reply of the consumer that gets it. The request takes one place in the queue until the reply is
   * here; with a `timeoutMs`, no consumer handles it after that time. When its consumer dies, another gets it.
   *
   * @throws {SharedQueueReplyError} when the handler failed, or a consumer took the request and did not reply, or died while replying
   * @throws {SharedQueueFullError} when the queue is full, and `whenFull` is `"fail"`
   */
  async request(payload: Payload, options: RequestOptions = NO_OPTIONS): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#sending.request(payload, options);
  }

  /**
   * Handles requests until its signal aborts, or the queue is closed. Messages that are no requests are handled as well, and acknowledged;
   * requests without a waiter are not.
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

  /** The status as text that Prometheus reads, ready messages by priority or partition; its rates count from the last look of this opener. */
  metrics(): string {
    const lane = this.#core.memory.constants.partitions > 0 ? "partition" : "priority";
    return queueMetrics(this.name, this.status(), lane);
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

  #checkCountMax(countMax: number): void {
    if (Number.isInteger(countMax) && countMax >= 1) return;
    throw new RangeError(`receive from queue ${this.name}: countMax is ${countMax}, expected 1 or more`);
  }

  #throwIfClosed(action: string): void {
    if (this.#core.closed) throw new Deno.errors.BadResource(`${action} queue ${this.name}: it is closed`);
  }
}

function checkCompression(action: string, { compressAboveBytes = Infinity }: QueueConnectOptions): void {
  if (compressAboveBytes >= 0) return;
  throw new RangeError(`${action} queue: compressAboveBytes is ${compressAboveBytes}, expected 0 or more`);
}
