import { Deque } from "../../base/mod.ts";
import { fromPortable, KnownErrorClasses, type PortableThrown, toPortable } from "../../base/value/mod.ts";
import * as taskErrors from "./errors.ts";
import { ProcessEndedError } from "./errors.ts";
import { callOf, FRAME, type Frame, frameOf, kindOf, valuesOf } from "./frames.ts";
import type { ChannelPeer } from "./handshake.ts";
import type { Link, LinkHandler } from "./link.ts";
import type { TaskArguments, TaskContext, TaskName, TaskResult } from "./task_types.ts";

/** Calls of one side that may wait for their answers at once. */
export const CHANNEL_CALLS_MAX = 65_536;
/** Messages that may wait to be read; with one more the channel is closed. */
export const CHANNEL_UNREAD_MAX = 65_536;
/** Bytes of messages that may wait to be read, besides one of any length; with more the channel is closed. */
export const CHANNEL_UNREAD_BYTES_MAX: number = 256 * 2 ** 20;

/** What the other side waits for. */
const OWED = { isOwed: true };

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

/** Who waits for a call. One of the two is called, once, and does not throw. */
export interface CallListener {
  /** Name of the task. */
  readonly name: string;
  /** It has given `value`. */
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
  readonly #link: Link;
  readonly #tasks: object | undefined;
  readonly #calls = new Map<number, CallListener>();
  readonly #running = new Map<number, RunningTask>();
  readonly #unread = new Deque<{ readonly message: Received; readonly byteLength: number }>();
  #unreadBytes = 0;
  readonly #closed = Promise.withResolvers<void>();
  #nextCall = 1;
  #wakeReader: (() => void) | undefined;
  #failure: Error | undefined;
  #ended = false;
  #isShutDown = false;
  /** Of those who wait until nothing runs any more. */
  #idle: PromiseWithResolvers<void> | undefined;
  #onFinishing: () => void = () => {};

  /** @internal */
  constructor(peer: ChannelPeer, link: Link, options: ChannelOptions = {}) {
    this.#tasks = options.tasks;
    this.peer = peer;
    this.#link = link;
    this.closed = this.#closed.promise;
    link.begin(
      {
        onFrame: (view, at, byteLength) => this.#onFrame(view, at, byteLength),
        onEnd: () => this.#end(),
      } satisfies LinkHandler,
    );
  }

  /** Whether it has ended. */
  get isClosed(): boolean {
    return this.#ended;
  }

  /** Calls of this side that wait for their answers. */
  get callCount(): number {
    return this.#calls.size;
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
    this.#throwIfEnded("post a message");
    this.#send("post a message", FRAME.message, 0, [message]);
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
      const onAbort = (): void => {
        this.cancel(call, signal?.reason);
        reject(signal?.reason);
      };
      const call = this.start(args, attempt, {
        name,
        onAnswer(value) {
          signal?.removeEventListener("abort", onAbort);
          resolve(value as TaskResult<Tasks[Name]>);
        },
        onFailure(reason) {
          signal?.removeEventListener("abort", onAbort);
          reject(reason);
        },
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /**
   * As `call()`, in steps: the listener hears of the answer also when the task was cancelled, as soon as the other process is done with it.
   * The number is what {@linkcode ProcessChannel.cancel} takes. @internal
   */
  start(args: readonly unknown[], attempt: number, listener: CallListener): number {
    const { name } = listener;
    const operation = `call ${name}`;
    if (this.#ended) throw new ProcessEndedError(`${operation}: the channel is closed`);
    if (this.#calls.size >= CHANNEL_CALLS_MAX) {
      throw new Deno.errors.Busy(`${operation}: ${CHANNEL_CALLS_MAX} calls wait already, expected fewer`);
    }
    const call = this.#newCall();
    this.#send(operation, FRAME.task, call, [name, attempt, ...args]);
    this.#calls.set(call, listener);
    return call;
  }

  /** Tells the other process that nobody waits for a call any more. @internal */
  cancel(call: number, reason: unknown): void {
    if (this.#calls.has(call)) this.#sendThrown(FRAME.cancel, call, reason);
  }

  /** Tells the other side that this one takes no task any more; those that it sends all the same are run. */
  finishing(): void {
    if (!this.#ended) this.#link.send(frameOf(FRAME.finishing, 0, []), OWED);
  }

  /** Calls `listener` when the other side takes no task any more. */
  onFinishing(listener: () => void): void {
    this.#onFinishing = listener;
  }

  /** Tells the other side that no task comes any more: it runs those that it has, and closes the channel. */
  shutdown(): void {
    if (!this.#ended) this.#link.send(frameOf(FRAME.shutdown, 0, []), OWED);
  }

  /** Resolves when the other side has said that no task comes any more, or has ended, and all that it has sent have run. */
  async drained(): Promise<void> {
    while (!this.#ended && !(this.#isShutDown && this.#running.size === 0)) {
      this.#idle ??= Promise.withResolvers<void>();
      await this.#idle.promise;
    }
  }

  /** The messages of the other side, until the channel ends. For one reader at a time. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Received> {
    for (;;) {
      for (let next = this.#unread.popFront(); next !== undefined; next = this.#unread.popFront()) {
        this.#unreadBytes -= next.byteLength;
        yield next.message;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return;
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
  }

  /** Sends what was sent so far, and ends the channel: calls that wait reject, and tasks that run for the other side are told to end. */
  async close(): Promise<void> {
    await this.#link.close();
    this.#end();
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #newCall(): number {
    while (this.#calls.has(this.#nextCall)) this.#nextCall = this.#nextCall % 0xffff_ffff + 1;
    const call = this.#nextCall;
    this.#nextCall = call % 0xffff_ffff + 1;
    return call;
  }

  #throwIfEnded(operation: string): void {
    if (this.#ended) throw new Deno.errors.BadResource(`${operation}: the channel is closed`);
  }

  #send(operation: string, kind: number, call: number, values: readonly unknown[]): void {
    try {
      this.#link.send(frameOf(kind, call, values));
    } catch (error) {
      throw of(operation, error);
    }
  }

  /** Sends something thrown, or why it cannot be sent: whoever waits is to hear something. */
  #sendThrown(kind: number, call: number, thrown: unknown): void {
    if (this.#ended) return;
    let frame: Frame;
    try {
      frame = frameOf(kind, call, [toPortable(thrown, CLASSES)]);
    } catch (error) {
      const instead = new Error(`what was thrown cannot be sent: ${messageOf(error)}`);
      frame = frameOf(kind, call, [toPortable(instead, CLASSES)]);
    }
    this.#link.send(frame, OWED);
  }

  #onFrame(view: DataView, at: number, byteLength: number): void {
    if (this.#ended) return;
    try {
      this.#take(kindOf(view, at), callOf(view, at), valuesOf(view, at), byteLength);
    } catch (error) {
      // Somebody has written to the memory, or the other side is of another version.
      this.#fail(
        new Deno.errors.InvalidData("channel: what the other process says is damaged", { cause: error }),
      );
    }
  }

  #take(kind: number, call: number, values: unknown[], byteLength: number): void {
    switch (kind) {
      case FRAME.message:
        return this.#receive(values[0] as Received, byteLength);
      case FRAME.task:
        return this.#run(call, values);
      case FRAME.response:
        return this.#taken(call)?.onAnswer(values[0]);
      case FRAME.error:
        return this.#onThrown(call, values[0]);
      case FRAME.cancel:
        return this.#running.get(call)?.cancel(fromPortable(values[0] as PortableThrown, CLASSES));
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

  #onThrown(call: number, thrown: unknown): void {
    if (!this.#calls.has(call)) return;
    // First: what is damaged throws, and the call ends with the channel.
    const reason = fromPortable(thrown as PortableThrown, CLASSES);
    this.#taken(call)?.onFailure(reason);
  }

  /** Who waits for a call, and does no more. */
  #taken(call: number): CallListener | undefined {
    const listener = this.#calls.get(call);
    this.#calls.delete(call);
    return listener;
  }

  #run(call: number, [name, attempt, ...args]: unknown[]): void {
    if (this.#running.size >= CHANNEL_CALLS_MAX) {
      // No channel of this package sends so many.
      this.#fail(new Deno.errors.Busy(`channel: ${CHANNEL_CALLS_MAX} tasks run for it already`));
      return;
    }
    const task = taskOf(this.#tasks, name);
    const running = new RunningTask(typeof attempt === "number" ? attempt : 0);
    try {
      if (task === undefined) throw new TypeError(`call ${name}: there is no such task`);
      const result: unknown = Reflect.apply(task, running, args);
      if (!isThenable(result)) return this.#answer(call, name, result);
      this.#running.set(call, running);
      void this.#answerLater(call, name, result);
    } catch (error) {
      this.#sendThrown(FRAME.error, call, error);
    }
  }

  async #answerLater(call: number, name: unknown, result: PromiseLike<unknown>): Promise<void> {
    try {
      this.#answer(call, name, await result);
    } catch (error) {
      this.#sendThrown(FRAME.error, call, error);
    }
    this.#running.delete(call);
    this.#tellIdle();
  }

  /** Has whoever waits in `drained()` look again. */
  #tellIdle(): void {
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  #answer(call: number, name: unknown, value: unknown): void {
    if (this.#ended) return;
    let frame: Frame;
    try {
      frame = frameOf(FRAME.response, call, [value]);
    } catch (error) {
      return this.#sendThrown(FRAME.error, call, of(`call ${name}: the result`, error));
    }
    this.#link.send(frame, OWED);
  }

  #fail(failure: Error): void {
    this.#failure = failure;
    this.#link.abort();
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { name, instance, pid } = this.peer;
    const who = name === undefined ? `process ${pid}` : `${name}/${instance} (process ${pid})`;
    for (const call of [...this.#calls.keys()]) {
      const listener = this.#taken(call);
      const why = `call ${listener?.name}: ${who} has ended, or closed the channel`;
      listener?.onFailure(new ProcessEndedError(why, { cause: this.#failure }));
    }
    for (const running of this.#running.values()) {
      running.cancel(new ProcessEndedError(`${who} has ended, or closed the channel`));
    }
    this.#tellIdle();
    this.#wakeReader?.();
    this.#closed.resolve();
  }
}

/** A task that runs for the other side. */
class RunningTask implements TaskContext {
  readonly attempt: number;
  #controller: AbortController | undefined;

  constructor(attempt: number) {
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal;
  }

  cancel(reason: unknown): void {
    (this.#controller ??= new AbortController()).abort(reason);
  }
}

/** `error` of an operation, which its message names. */
function of(operation: string, error: unknown): unknown {
  if (error instanceof Error) error.message = `${operation}: ${error.message}`;
  return error;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A function that `tasks` itself has under that name. */
function taskOf(tasks: object | undefined, name: unknown): ((...args: unknown[]) => unknown) | undefined {
  if (tasks === undefined || typeof name !== "string" || !Object.hasOwn(tasks, name)) return undefined;
  const task = (tasks as Record<string, unknown>)[name];
  return typeof task === "function" ? task as (...args: unknown[]) => unknown : undefined;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "then") === "function";
}
