import { assert } from "../mod.ts";
import {
  type ErrorClasses,
  fromPortable,
  portable,
  type PortableThrown,
  toPortable,
  ValueReader,
} from "../value/mod.ts";
import { CallTable } from "./call_table.ts";
import { callOf, FRAME, FRAME_HEADER_BYTES, kindAndCountOf, taskOf } from "./frame.ts";
import { FrameParts } from "./frame_parts.ts";
import type { FrameSender } from "./frame_sender.ts";

/** Characters of the message that stands in for an error that cannot be sent. */
const SHORT_MESSAGE_LENGTH_MAX = 500;

/** Who waits for the answer of a call. One of the two is called, once, and does not throw. */
export interface AnswerListener {
  /** The task has returned `value`. */
  onAnswer(value: unknown): void;
  /** It has thrown, or will not answer. */
  onFailure(reason: unknown): void;
}

/** Takes the place of a caller that gave its call up: the number is free when the result has come. */
const NOBODY: AnswerListener = { onAnswer() {}, onFailure() {} };

/** What ends a task without a waiter, such as an `AbortController`. */
export interface Cancellable {
  abort(reason: unknown): void;
}

/** Whose a {@linkcode CallConnection} is. */
export interface ConnectionOwner {
  /** Classes of errors that both sides know. */
  readonly errorClasses: ErrorClasses;
  /** Runs a task with the `count` values that `reader` gives, and answers: by `answer()` or `answerThrown()`, once. */
  run(connection: CallConnection, call: number, task: number, count: number, reader: ValueReader): void;
  /** A call of this side has ended. */
  onCallEnded(): void;
  /** A call of the other side was answered. */
  onAnswered(): void;
  /** A frame that is about no call: `count` values in `reader`, and how long it is. */
  onFrame(kind: number, count: number, reader: ValueReader, byteLength: number): void;
  /** The answer of a call cannot be read; unless this ends the connection, the call rejects with `error`. */
  onUnreadable(error: unknown): void;
}

/** Calls between two sides, both ways, over one {@linkcode FrameSender} and the messages that come in. */
export class CallConnection {
  /** What goes out. */
  readonly sender: FrameSender;
  readonly #owner: ConnectionOwner;
  readonly #reader = new ValueReader();
  readonly #parts = new FrameParts();
  readonly #calls = new CallTable<AnswerListener>();
  /** Calls of this side that a signal ends: what stops following it. */
  readonly #unfollows = new Map<number, () => void>();
  /** What ends the other side's calls, by its numbers of them. */
  readonly #cancels = new Map<number, Cancellable>();
  #runningCount = 0;
  #answeredCount = 0;

  constructor(sender: FrameSender, owner: ConnectionOwner) {
    this.sender = sender;
    this.#owner = owner;
  }

  /** Calls of this side that were not answered. */
  get callCount(): number {
    return this.#calls.count;
  }

  /** Calls of the other side that are being worked on. */
  get runningCount(): number {
    return this.#runningCount;
  }

  /** Calls of the other side that were answered. */
  get answeredCount(): number {
    return this.#answeredCount;
  }

  /**
   * Calls a task of the other side with values as `portable()` gives them; returns the number of the call. When `signal` aborts the call fails at
   * once with its reason, and the other side is told.
   *
   * @throws what {@linkcode FrameSender.send} throws
   */
  call(task: number, values: readonly unknown[], listener: AnswerListener, signal?: AbortSignal): number {
    const call = this.#calls.add(listener);
    try {
      this.sender.send(FRAME.call, call, task, values);
    } catch (error) {
      this.#calls.take(call);
      throw error;
    }
    if (signal !== undefined) this.#follow(call, listener, signal);
    return call;
  }

  /** Tells the other side that nobody waits for a call any more. The listener still hears of the answer, which frees its number. */
  cancel(call: number, reason: unknown): void {
    if (this.#calls.has(call)) this.#sendThrown(FRAME.cancel, call, reason);
  }

  /** Fails the calls of this side, which get no result any more. Returns the number of calls that still had a waiter. */
  failCalls(reasonOf: (listener: AnswerListener) => unknown): number {
    for (const unfollow of this.#unfollows.values()) unfollow();
    this.#unfollows.clear();
    let count = 0;
    for (const listener of this.#calls.takeAll()) {
      if (listener !== NOBODY) {
        count++;
        listener.onFailure(reasonOf(listener));
      }
      this.#owner.onCallEnded();
    }
    return count;
  }

  /**
   * Takes a message that came in: `byteLength` bytes at byte `at` of `view`.
   *
   * @throws {Error} when it is damaged
   */
  receive(view: DataView, at: number, byteLength: number): void {
    const head = kindAndCountOf(view, at);
    const call = callOf(view, at);
    this.#reader.begin(view, at + FRAME_HEADER_BYTES);
    switch (head & 0xffff) {
      case FRAME.call:
        this.#runningCount++;
        this.#owner.run(this, call, taskOf(view, at), head >>> 16, this.#reader);
        return;
      case FRAME.result:
        this.#settle(call, true);
        return;
      case FRAME.error:
        this.#settle(call, false);
        return;
      case FRAME.cancel:
        this.#cancels.get(call)?.abort(this.#readThrown());
        return;
      case FRAME.part: {
        const frame = this.#parts.take(view, at, byteLength);
        if (frame !== undefined) this.receive(frame, 0, frame.byteLength);
        return;
      }
      default:
        this.#owner.onFrame(head & 0xffff, head >>> 16, this.#reader, byteLength);
    }
  }

  /** The signal of a call of the other side that has not been answered, which aborts when nobody waits for it any more. */
  signalOf(call: number): AbortSignal {
    let controller = this.#cancels.get(call);
    if (!(controller instanceof AbortController)) this.#cancels.set(call, controller = new AbortController());
    return (controller as AbortController).signal;
  }

  /** Tells the tasks that run for the other side that nobody waits for them any more. */
  cancelRunning(reason: unknown): void {
    for (const cancellable of this.#cancels.values()) cancellable.abort(reason);
  }

  /**
   * Answers a call with what its task, named `name`, has returned: at once, or when that is settled; `cancellable` is aborted when nobody waits for
   * it until then.
   */
  answer(call: number, name: unknown, result: unknown, cancellable?: Cancellable): void {
    if (!isThenable(result)) return this.#answerNow(call, name, result);
    if (cancellable !== undefined) this.#cancels.set(call, cancellable);
    this.#answerLater(call, name, result);
  }

  /** Answers a call with what its task has thrown. */
  answerThrown(call: number, thrown: unknown): void {
    this.#sendThrown(FRAME.error, call, thrown);
    this.#answered(call);
  }

  async #answerLater(call: number, name: unknown, result: PromiseLike<unknown>): Promise<void> {
    let value: unknown;
    try {
      value = await result;
    } catch (error) {
      this.answerThrown(call, error);
      return;
    }
    this.#answerNow(call, name, value);
  }

  #answerNow(call: number, name: unknown, value: unknown): void {
    try {
      this.sender.send(FRAME.result, call, 0, [portable(value)]);
    } catch (error) {
      this.answerThrown(call, unsendable(name, error));
      return;
    }
    this.#answered(call);
  }

  #answered(call: number): void {
    this.#cancels.delete(call);
    this.#runningCount--;
    this.#answeredCount++;
    assert(this.#runningCount >= 0, `calls: call ${call} was answered twice`);
    this.#owner.onAnswered();
  }

  /** Sends something thrown, or in short why it cannot be sent: the caller has to get something. */
  #sendThrown(kind: number, call: number, thrown: unknown): void {
    const { errorClasses } = this.#owner;
    try {
      this.sender.send(kind, call, 0, [portable(toPortable(thrown, errorClasses))]);
    } catch (error) {
      this.sender.send(kind, call, 0, [portable(shortened(toPortable(error, errorClasses)))]);
    }
  }

  #settle(call: number, succeeded: boolean): void {
    if (!this.#calls.has(call)) return;
    let value: unknown;
    try {
      value = succeeded ? this.#reader.read() : this.#readThrown();
    } catch (error) {
      succeeded = false;
      value = error;
      this.#owner.onUnreadable(error);
    }
    const listener = this.#calls.take(call);
    if (listener === undefined) return;
    if (this.#unfollows.size > 0) this.#unfollow(call);
    if (succeeded) listener.onAnswer(value);
    else listener.onFailure(value);
    this.#owner.onCallEnded();
  }

  #follow(call: number, listener: AnswerListener, signal: AbortSignal): void {
    const onAbort = () => {
      this.#unfollows.delete(call);
      this.#calls.replace(call, NOBODY);
      listener.onFailure(signal.reason);
      this.cancel(call, signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#unfollows.set(call, () => signal.removeEventListener("abort", onAbort));
  }

  #unfollow(call: number): void {
    this.#unfollows.get(call)?.();
    this.#unfollows.delete(call);
  }

  #readThrown(): unknown {
    return fromPortable(this.#reader.read() as PortableThrown, this.#owner.errorClasses);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "then") === "function";
}

/** Why a result did not go out. What cannot travel, what is too long and what finds no room keep their classes. */
function unsendable(name: unknown, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const verb = error instanceof TypeError ? " is" : error instanceof RangeError ? " has" : ":";
  error.message = `call ${name}: the result${verb} ${error.message}`;
  return error;
}

/** An error that certainly has room, in place of one that has not. */
function shortened(thrown: PortableThrown): PortableThrown {
  if ("value" in thrown) return thrown;
  const message = `what was thrown cannot be sent: ${thrown.message}`.slice(0, SHORT_MESSAGE_LENGTH_MAX);
  return { ...thrown, message, stack: undefined, cause: undefined };
}
