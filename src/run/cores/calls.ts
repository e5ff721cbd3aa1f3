import { Endpoint } from "./endpoint.ts";
import {
  fromPortable,
  isPlain,
  portableArgument,
  type PortableThrown,
  ValueReader,
} from "../../base/value/mod.ts";
import { CoreBusyError, CoresClosedError, type CoresClosedErrorOptions } from "./errors.ts";
import { FRAME, FRAME_AT, FRAME_HEADER_BYTES, FrameParts, FrameSender } from "./frames.ts";
import type { MeshMemory } from "./mesh.ts";
import { Serving, type TaskTable } from "./serving.ts";

/** Calls under way from one participant, at most; what goes beyond is refused. */
export const CALLS_OUTSTANDING_MAX: number = 2 ** 20;
/** Arguments of one call, at most. */
export const ARGUMENTS_MAX = 255;

const NOTHING: readonly never[] = [];

/** A call that has not been answered. */
interface PendingCall {
  readonly peer: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  /** Set while an `AbortSignal` among the arguments may end it. */
  unfollow: (() => void) | undefined;
  /** Rejected already: the answer, which frees its number, is thrown away. */
  given: boolean;
}

/** Calls of one participant to all others, and theirs to it. */
export class Calls {
  /** The rings. */
  readonly endpoint: Endpoint;
  /** Calls of others. */
  readonly serving: Serving;
  readonly #sender: FrameSender;
  readonly #reader = new ValueReader();
  readonly #parts: FrameParts[] = [];
  readonly #pending: (PendingCall | undefined)[] = [];
  readonly #freeIds: number[] = [];
  /** Those that died, and of what. */
  readonly #lost = new Map<number, unknown>();
  #sentCount = 0;
  #outstandingCount = 0;
  /** Calls of this participant to itself that have not ended. */
  #hereCount = 0;
  #closed: CoresClosedErrorOptions | undefined;
  #lossTold = false;
  #quiet: PromiseWithResolvers<void> | undefined;

  /** Of participant `index`. */
  constructor(mesh: MeshMemory, index: number) {
    this.endpoint = new Endpoint(
      mesh,
      index,
      (from, view, at, byteLength) => this.#onFrame(from, view, at, byteLength),
    );
    this.#sender = new FrameSender(this.endpoint);
    this.serving = new Serving(this.endpoint, this.#sender, () => this.#checkQuiet());
  }

  /** Calls made so far. */
  get sentCount(): number {
    return this.#sentCount;
  }

  /** Calls that were not answered yet. */
  get outstandingCount(): number {
    return this.#outstandingCount;
  }

  /** Whether a call was rejected because a participant is no more, so that whoever made it knows. */
  get lossTold(): boolean {
    return this.#lossTold;
  }

  /** What others may ask for from now on. */
  serve(table: TaskTable): void {
    this.serving.table = table;
  }

  /** Asks `peer` to run task `task` with `args`, behind `head`, which is no caller's; `name` says in errors what. */
  call(
    peer: number,
    task: number,
    name: string,
    args: readonly unknown[],
    head: readonly (number | string)[] = NOTHING,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined || this.#lost.size > 0) this.#throwIfGone(peer, name);
      const plain = arePlain(args);
      const signal = plain ? undefined : findSignal(args, name);
      const values = plain ? args : toPortableArguments(args, name);
      // Behind the arguments, whose getters may have aborted it.
      signal?.throwIfAborted();
      const id = this.#freeIds.pop() ?? this.#nextId(peer, name);
      try {
        this.#sender.send(peer, FRAME.call, id, task, head === NOTHING ? values : [...head, ...values]);
      } catch (error) {
        this.#freeIds.push(id);
        throw error;
      }
      const pending: PendingCall = { peer, resolve, reject, unfollow: undefined, given: false };
      this.#pending[id] = pending;
      this.#outstandingCount++;
      this.#sentCount++;
      if (signal !== undefined) this.#follow(pending, id, signal);
    });
  }

  /**
   * Runs what this participant asks of itself with `args`: never in the caller's own turn, and ended by a signal among the arguments,
   * as on any other.
   */
  callHere<R>(name: string, args: readonly unknown[], work: () => R): Promise<Awaited<R>> {
    return new Promise((resolve, reject) => {
      const signal = arePlain(args) ? undefined : findSignal(args, name);
      signal?.throwIfAborted();
      const onAbort = () => reject(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#runHere(work).then(resolve, reject)
        .finally(() => signal?.removeEventListener("abort", onAbort));
    });
  }

  /** Resolves when no call is under way, in either direction or here. */
  quiet(): Promise<void> {
    this.#quiet ??= Promise.withResolvers<void>();
    const { promise } = this.#quiet;
    this.#checkQuiet();
    return promise;
  }

  /** Participant `peer` is no more: rejects the calls that it will not answer, and any later one, with `reason`. */
  lose(peer: number, reason: unknown): void {
    this.#lost.set(peer, reason);
    this.endpoint.lose(peer);
    this.#pending.forEach((pending, id) => {
      if (pending?.peer !== peer) return;
      if (!pending.given) this.#lossTold = true;
      this.#take(id)?.reject(reason);
    });
    this.serving.cancelAll(reason, peer);
    this.#checkQuiet();
  }

  /** Rejects what is under way, and what is asked for later, for the reason given; closes the rings. */
  close(reason: CoresClosedErrorOptions = {}): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    const error = new CoresClosedError("wait for the answer of a core", reason);
    this.#pending.forEach((_, id) => this.#take(id)?.reject(error));
    this.serving.cancelAll(error);
    this.endpoint.close();
    this.#quiet?.resolve();
  }

  async #runHere<R>(work: () => R): Promise<Awaited<R>> {
    this.#hereCount++;
    try {
      await null;
      return await work();
    } finally {
      this.#hereCount--;
      this.#checkQuiet();
    }
  }

  #throwIfGone(peer: number, name: string): void {
    if (this.#closed !== undefined) throw new CoresClosedError(`call ${name}`, this.#closed);
    if (!this.#lost.has(peer)) return;
    this.#lossTold = true;
    throw this.#lost.get(peer);
  }

  #nextId(peer: number, name: string): number {
    const id = this.#pending.length;
    if (id >= CALLS_OUTSTANDING_MAX) {
      throw new CoreBusyError(`call ${name}`, peer, `${id} calls are under way, which is the limit`);
    }
    // Taken even if the call comes to nothing: then it is one of those that are free.
    this.#pending.push(undefined);
    return id;
  }

  /** Takes a call out, whose number is free from then on. */
  #take(id: number): PendingCall | undefined {
    const pending = this.#pending[id];
    if (pending === undefined) return undefined;
    this.#pending[id] = undefined;
    this.#freeIds.push(id);
    this.#outstandingCount--;
    pending.unfollow?.();
    return pending;
  }

  #follow(pending: PendingCall, id: number, signal: AbortSignal): void {
    const onAbort = () => {
      pending.unfollow = undefined;
      pending.given = true;
      pending.reject(signal.reason);
      const { errorClasses } = this.serving.table;
      this.#sender.sendThrown(pending.peer, FRAME.cancel, id, signal.reason, errorClasses);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    pending.unfollow = () => signal.removeEventListener("abort", onAbort);
  }

  #onFrame(from: number, view: DataView, at: number, byteLength: number): void {
    const head = view.getInt32(at + FRAME_AT.frame, true);
    const call = view.getInt32(at + FRAME_AT.call, true);
    const task = view.getInt32(at + FRAME_AT.task, true);
    this.#reader.begin(view, at + FRAME_HEADER_BYTES);
    switch (head & 0xffff) {
      case FRAME.call:
        this.serving.run(from, call, task, head >>> 16, this.#reader);
        return;
      case FRAME.result:
        this.#settle(call, true);
        return;
      case FRAME.error:
        this.#settle(call, false);
        return;
      case FRAME.cancel:
        this.serving.cancel(from, call, this.#reader);
        return;
      case FRAME.part: {
        const frame = (this.#parts[from] ??= new FrameParts()).take(view, at, byteLength);
        if (frame !== undefined) this.#onFrame(from, frame, 0, frame.byteLength);
      }
    }
  }

  #settle(id: number, succeeded: boolean): void {
    const pending = this.#take(id);
    if (pending === undefined) return;
    if (!pending.given) {
      try {
        const value = this.#reader.read();
        if (succeeded) pending.resolve(value);
        else pending.reject(fromPortable(value as PortableThrown, this.serving.table.errorClasses));
      } catch (error) {
        pending.reject(error);
      }
    }
    this.#checkQuiet();
  }

  #checkQuiet(): void {
    const underWayCount = this.serving.runningCount + this.#outstandingCount + this.#hereCount;
    if (this.#quiet === undefined || underWayCount > 0) return;
    this.#quiet.resolve();
    this.#quiet = undefined;
  }
}

function arePlain(args: readonly unknown[]): boolean {
  for (const value of args) if (!isPlain(value)) return false;
  return args.length <= ARGUMENTS_MAX;
}

/**
 * The signal among the arguments.
 *
 * @throws {TypeError | RangeError} when there are too many of either
 */
function findSignal(args: readonly unknown[], name: string): AbortSignal | undefined {
  if (args.length > ARGUMENTS_MAX) {
    throw new RangeError(`call ${name}: ${args.length} arguments, at most ${ARGUMENTS_MAX} are allowed`);
  }
  const signals = new Set(args.filter((value) => value instanceof AbortSignal));
  if (signals.size > 1) {
    throw new TypeError(
      `call ${name}: ${signals.size} signals among the arguments, at most one can be followed`,
    );
  }
  const [signal] = signals;
  return signal;
}

/**
 * The arguments of a call as they are now, for one that is made later.
 *
 * @throws {TypeError} when one cannot travel
 */
export function keepArguments(args: readonly unknown[], name: string): unknown[] {
  return args.map((value, index) => {
    if (value instanceof AbortSignal) return value;
    const kept = toPortableArgument(value, index, name);
    return kept instanceof Uint8Array ? new Uint8Array(kept) : kept;
  });
}

function toPortableArguments(args: readonly unknown[], name: string): unknown[] {
  return args.map((value, index) => toPortableArgument(value, index, name));
}

function toPortableArgument(value: unknown, index: number, name: string): unknown {
  try {
    return portableArgument(value);
  } catch (error) {
    const { message, cause } = error as TypeError;
    throw new TypeError(`call ${name}: argument ${index + 1} is ${message}`, { cause });
  }
}
