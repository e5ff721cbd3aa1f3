import { assert, Deque } from "../../base/mod.ts";
import {
  CallConnection,
  type Cancellable,
  type ConnectionOwner,
  FRAME,
  FrameSender,
} from "../../base/calls/mod.ts";
import { KnownErrorClasses, portable, type ValueReader } from "../../base/value/mod.ts";
import * as taskErrors from "./errors.ts";
import { ProcessEndedError } from "./errors.ts";
import type { ChannelTransport } from "./channel_transport.ts";
import type { ChannelPeer } from "./handshake.ts";
import type { TaskArguments, TaskContext, TaskName, TaskResult } from "./task_types.ts";

/** Calls of one side that may wait for their answers at once. */
export const CHANNEL_CALLS_MAX = 65_536;
/** Bytes that may wait for the other process to read, besides one call or message of any length, before calls and messages are refused. */
export const CHANNEL_WAITING_BYTES_MAX: number = 64 * 2 ** 20;
/**
 * Bytes that may wait for the other process to read before answers are refused, whose calls reject with that. When {@linkcode CHANNEL_CALLS_MAX}
 * answers and tasks wait, the channel is closed.
 */
export const CHANNEL_ANSWERS_BYTES_MAX: number = 512 * 2 ** 20;
/** Milliseconds for which a channel that is closed waits for the other side to take what was sent. */
export const CLOSE_MS_MAX = 10_000;
/** Messages that may wait to be read; with one more the channel is closed. */
export const CHANNEL_UNREAD_MAX = 65_536;
/** Bytes of messages that may wait to be read, besides one of any length; with more the channel is closed. */
export const CHANNEL_UNREAD_BYTES_MAX: number = 256 * 2 ** 20;

const CLASSES = new KnownErrorClasses(taskErrors);

/** Options of a {@linkcode ProcessChannel}. */
export interface ChannelOptions {
  /**
   * Functions that the other process may call, each with a {@linkcode TaskContext} as `this`: a module, or an object that has them itself.
   *
   * @default {none}
   */
  tasks?: object;
}

/** Options of {@linkcode ProcessChannel.call}. */
export interface CallOptions {
  /** Gives the call up when it aborts: it rejects with the reason, and the signal of the task at the other end aborts. */
  signal?: AbortSignal;
  /**
   * What the task is told of how often it was begun before.
   *
   * @default {0}
   */
  attempt?: number;
}

/** Who waits for a call. One of its functions is called, once, and does not throw. */
export interface CallListener {
  /** Name of the task. */
  readonly name: string;
  /** The task has returned `value`. */
  onAnswer(value: unknown): void;
  /** It has thrown, or the channel has ended. */
  onFailure(reason: unknown): void;
}

/**
 * A channel between a process and one that it has started: messages of the program's own, and calls of tasks, both ways. `Sent` and `Received`
 * are the types of the messages; both are what structured cloning copies, up to 256 MiB.
 *
 * Through shared memory where both processes can, and a Unix socket otherwise.
 */
export class ProcessChannel<Sent = unknown, Received = unknown>
  implements AsyncIterable<Received>, AsyncDisposable {
  /** Who is at the other end. */
  readonly peer: ChannelPeer;
  /** Resolves when the channel has ended, from whichever end. */
  readonly closed: Promise<void>;
  readonly #transport: ChannelTransport;
  readonly #connection: CallConnection;
  readonly #tasks: object | undefined;
  readonly #unread = new Deque<{ readonly message: Received; readonly byteLength: number }>();
  #unreadBytes = 0;
  readonly #closed = Promise.withResolvers<void>();
  #wakeReader: (() => void) | undefined;
  #failure: Error | undefined;
  #ended = false;
  #isShutDown = false;
  /** What was said to the other side. */
  #isFinishing = false;
  #isShuttingDown = false;
  /** Of those who wait until nothing runs any more. */
  #idle: PromiseWithResolvers<void> | undefined;
  #onFinishing: () => void = () => {};

  /** @internal */
  constructor(peer: ChannelPeer, transport: ChannelTransport, options: ChannelOptions = {}) {
    this.#tasks = options.tasks;
    this.peer = peer;
    this.#transport = transport;
    this.closed = this.#closed.promise;
    const sender = new FrameSender(transport, requireRoom);
    this.#connection = new CallConnection(sender, this.#owner());
    transport.begin({
      onMessage: (view, at, byteLength) => this.#onMessage(view, at, byteLength),
      onRoom: () => void sender.resume(),
      onEnd: () => this.#end(),
    });
  }

  /** Whether it has ended. */
  get isClosed(): boolean {
    return this.#ended;
  }

  /** Calls of this side that wait for their answers. */
  get callCount(): number {
    return this.#connection.callCount;
  }

  /**
   * Sends a message. It does not wait, and says nothing of whether it was received; when the other process ends, it is lost.
   *
   * @throws {TypeError} when the message cannot travel
   * @throws {RangeError} when it takes more than 256 MiB
   * @throws {Deno.errors.Busy} when 64 MiB wait for the other process already
   * @throws {Deno.errors.BadResource} when the channel has ended
   */
  post(message: Sent): void {
    if (this.#ended) throw new Deno.errors.BadResource("post a message: the channel is closed");
    try {
      this.#connection.sender.send(FRAME.message, 0, 0, [portable(message)]);
    } catch (error) {
      throw of("post a message", error);
    }
  }

  /**
   * Has the other process run a task, and gives what that gives, or rejects with what it throws. Arguments and results are copies.
   *
   * @throws {ProcessEndedError} (as a rejection) when the other process ends, or closes the channel, before it has answered
   * @throws {TypeError} (as a rejection) when there is no such task, or a value cannot travel
   * @throws {Deno.errors.Busy} (as a rejection) when {@linkcode CHANNEL_CALLS_MAX} calls wait, or 64 MiB
   */
  call<Tasks, Name extends TaskName<Tasks> & string>(
    name: Name,
    args: TaskArguments<Tasks[Name]>,
    options: CallOptions = {},
  ): Promise<TaskResult<Tasks[Name]>> {
    const { signal, attempt = 0 } = options;
    return new Promise<TaskResult<Tasks[Name]>>((resolve, reject) => {
      signal?.throwIfAborted();
      const onAnswer = resolve as (value: unknown) => void;
      this.start(args, attempt, { name, onAnswer, onFailure: reject }, signal);
    });
  }

  /**
   * As `call()`, in steps: the listener hears of the answer also when the task was cancelled, as soon as the other process is done with it.
   * The number is what {@linkcode ProcessChannel.cancel} takes. @internal
   */
  start(args: readonly unknown[], attempt: number, listener: CallListener, signal?: AbortSignal): number {
    const { name } = listener;
    const operation = `call ${name}`;
    if (this.#ended) throw new ProcessEndedError(`${operation}: the channel is closed`);
    if (this.#connection.callCount >= CHANNEL_CALLS_MAX) {
      throw new Deno.errors.Busy(`${operation}: ${CHANNEL_CALLS_MAX} calls wait already, expected fewer`);
    }
    try {
      return this.#connection.call(0, [name, attempt, ...args].map(portable), listener, signal);
    } catch (error) {
      throw of(operation, error);
    }
  }

  /** Tells the other process that nobody waits for a call any more. @internal */
  cancel(call: number, reason: unknown): void {
    this.#connection.cancel(call, reason);
  }

  /** Tells the other side that this one takes no task any more; those that it sends all the same are run. */
  finishing(): void {
    if (this.#isFinishing) return;
    this.#isFinishing = true;
    this.#connection.sender.send(FRAME.finishing, 0, 0, []);
  }

  /** Calls `listener` when the other side takes no task any more. */
  onFinishing(listener: () => void): void {
    this.#onFinishing = listener;
  }

  /** Tells the other side that no task comes any more: it runs those that it has, and closes the channel. */
  shutdown(): void {
    if (this.#isShuttingDown) return;
    this.#isShuttingDown = true;
    this.#connection.sender.send(FRAME.shutdown, 0, 0, []);
  }

  /** Resolves when the other side has said that no task comes any more, or has ended, and all that it has sent have run. */
  async drained(): Promise<void> {
    while (!this.#ended && !(this.#isShutDown && this.#connection.runningCount === 0)) {
      this.#idle ??= Promise.withResolvers<void>();
      await this.#idle.promise;
    }
  }

  /** The messages of the other side, until the channel ends. For one reader at a time. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Received> {
    for (;;) {
      for (let next = this.#unread.popFront(); next !== undefined; next = this.#unread.popFront()) {
        this.#unreadBytes -= next.byteLength;
        assert(this.#unreadBytes >= 0, "channel: more bytes were read than came");
        yield next.message;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return;
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
  }

  /** Sends what was sent so far, and ends the channel: calls that wait reject, and tasks that run for the other side are told to end. */
  async close(): Promise<void> {
    const { sender } = this.#connection;
    await withinCloseTime(sender.drained().then(() => this.#transport.flushed()));
    this.#transport.close();
    this.#end();
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #owner(): ConnectionOwner {
    return {
      errorClasses: CLASSES,
      run: (_, call, _task, count, reader) => this.#run(call, count, reader),
      onCallEnded() {},
      onAnswered: () => this.#tellIdle(),
      onFrame: (kind, count, reader, byteLength) => this.#onFrame(kind, count, reader, byteLength),
      onUnreadable: (error) => this.#failDamaged(error),
    };
  }

  #onMessage(view: DataView, at: number, byteLength: number): void {
    if (this.#ended) return;
    try {
      this.#connection.receive(view, at, byteLength);
    } catch (error) {
      this.#failDamaged(error);
    }
  }

  #onFrame(kind: number, count: number, reader: ValueReader, byteLength: number): void {
    switch (kind) {
      case FRAME.message:
        return this.#receive((count > 0 ? reader.read() : undefined) as Received, byteLength);
      case FRAME.finishing:
        return this.#onFinishing();
      case FRAME.shutdown:
        this.#isShutDown = true;
        return this.#tellIdle();
    }
  }

  #receive(message: Received, byteLength: number): void {
    if (this.#unread.length >= CHANNEL_UNREAD_MAX || this.#unreadBytes > CHANNEL_UNREAD_BYTES_MAX) {
      const found = `${this.#unread.length} messages of ${this.#unreadBytes} bytes`;
      this.#fail(new Deno.errors.Busy(`channel: ${found} wait to be read already`));
      return;
    }
    this.#unreadBytes += byteLength;
    this.#unread.pushBack({ message, byteLength });
    this.#wakeReader?.();
  }

  #run(call: number, count: number, reader: ValueReader): void {
    const name = count > 0 ? reader.read() : undefined;
    const attempt = count > 1 ? reader.read() : undefined;
    const args: unknown[] = [];
    for (let index = 2; index < count; index++) args.push(reader.read());
    const connection = this.#connection;
    if (connection.runningCount + connection.sender.waitingAnswerCount > CHANNEL_CALLS_MAX) {
      // No channel of this package sends so many, whose answers it does not read.
      this.#fail(
        new Deno.errors.Busy(`channel: ${CHANNEL_CALLS_MAX} calls run, or wait to be answered, already`),
      );
      return;
    }
    try {
      const task = taskOf(this.#tasks, name);
      if (task === undefined) throw new TypeError(`call ${name}: there is no such task`);
      const running = new RunningTask(typeof attempt === "number" ? attempt : 0);
      connection.answer(call, name, Reflect.apply(task, running, args), running);
    } catch (error) {
      connection.answerThrown(call, error);
    }
  }

  /** Has the waiters in `drained()` check again. */
  #tellIdle(): void {
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #fail(failure: Error): void {
    if (this.#ended) return;
    this.#failure = failure;
    this.#transport.close();
    this.#end();
  }

  /** Somebody has written to the memory, or the other side is of another version. */
  #failDamaged(cause: unknown): void {
    this.#fail(new Deno.errors.InvalidData("channel: what the other process says is damaged", { cause }));
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { name, instance, pid } = this.peer;
    const who = name === undefined ? `process ${pid}` : `${name}/${instance} (process ${pid})`;
    this.#connection.sender.close();
    this.#connection.failCalls((listener) => {
      const why = `call ${(listener as CallListener).name}: ${who} has ended, or closed the channel`;
      return new ProcessEndedError(why, { cause: this.#failure });
    });
    this.#connection.cancelRunning(new ProcessEndedError(`${who} has ended, or closed the channel`));
    this.#tellIdle();
    this.#wakeReader?.();
    this.#closed.resolve();
  }
}

/** A task that runs for the other side. */
class RunningTask implements TaskContext, Cancellable {
  readonly attempt: number;
  #controller: AbortController | undefined;

  constructor(attempt: number) {
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal;
  }

  abort(reason: unknown): void {
    (this.#controller ??= new AbortController()).abort(reason);
  }
}

/** `error` of an operation, which its message names. */
function of(operation: string, error: unknown): unknown {
  if (error instanceof Error) error.message = `${operation}: ${error.message}`;
  return error;
}

/** A function that `tasks` itself has under that name. */
function taskOf(tasks: object | undefined, name: unknown): ((...args: unknown[]) => unknown) | undefined {
  if (tasks === undefined || typeof name !== "string" || !Object.hasOwn(tasks, name)) return undefined;
  const task = (tasks as Record<string, unknown>)[name];
  return typeof task === "function" ? task as (...args: unknown[]) => unknown : undefined;
}

/** Bounds what waits for a process that does not read. */
function requireRoom(kind: number, byteLength: number, waitingBytes: number): void {
  const isOwn = kind === FRAME.call || kind === FRAME.message;
  const isTooMuch = isOwn
    ? waitingBytes > CHANNEL_WAITING_BYTES_MAX
    : waitingBytes + byteLength > CHANNEL_ANSWERS_BYTES_MAX;
  if (isTooMuch) {
    throw new Deno.errors.Busy(`${waitingBytes} bytes wait for the other process already`);
  }
}

/** Resolves with `sent`, or when {@linkcode CLOSE_MS_MAX} are over. */
async function withinCloseTime(sent: Promise<void>): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, CLOSE_MS_MAX);
  await Promise.race([sent, over]);
  clearTimeout(timer);
}
