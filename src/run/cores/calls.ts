import { assert } from "../../base/mod.ts";
import { CallConnection, type ConnectionOwner, FRAME_BYTES_MAX } from "../../base/calls/mod.ts";
import { type ErrorClasses, SIGNAL_PLACE, type ValueReader } from "../../base/value/mod.ts";
import { arePlain, findSignal, toPortableArguments } from "./call_arguments.ts";
import { Endpoint } from "./endpoint.ts";
import { CoreBusyError, CoresClosedError, type CoresClosedErrorOptions } from "./errors.ts";
import type { MeshMemory } from "./mesh.ts";
import { NO_TASKS, type TaskTable } from "./task_table.ts";

/** Calls under way from one participant, at most; what goes beyond is refused. */
export const CALLS_OUTSTANDING_MAX: number = 2 ** 20;
/** Bytes of the arguments or the result of one call, at most. */
export const CALL_BYTES_MAX: number = FRAME_BYTES_MAX;

const NOTHING: readonly never[] = [];

/** Calls of one participant to all others, and theirs to it. */
export class Calls implements ConnectionOwner {
  /** The rings. */
  readonly endpoint: Endpoint;
  /** By peer; none to itself. */
  readonly #connections: readonly (CallConnection | undefined)[];
  /** What others may ask for. */
  #table = NO_TASKS;
  /** Those that died, and of what. */
  readonly #lost = new Map<number, unknown>();
  #sentCount = 0;
  #outstandingCount = 0;
  /** Calls of this participant to itself that have not ended. */
  #hereCount = 0;
  #closed: CoresClosedErrorOptions | undefined;
  #lossReported = false;
  #quiet: PromiseWithResolvers<void> | undefined;

  /** Of participant `index`. */
  constructor(mesh: MeshMemory, index: number) {
    this.endpoint = new Endpoint(
      mesh,
      index,
      (from, view, at, byteLength) => this.#connections[from]?.receive(view, at, byteLength),
    );
    this.#connections = this.endpoint.senders.map((sender) => sender && new CallConnection(sender, this));
  }

  /** Calls made so far. */
  get sentCount(): number {
    return this.#sentCount;
  }

  /** Calls that were not answered yet. */
  get outstandingCount(): number {
    return this.#outstandingCount;
  }

  /** Calls of others that are being worked on. */
  get runningCount(): number {
    return this.#connections.reduce((sum, connection) => sum + (connection?.runningCount ?? 0), 0);
  }

  /** Calls of others that were answered. */
  get answeredCount(): number {
    return this.#connections.reduce((sum, connection) => sum + (connection?.answeredCount ?? 0), 0);
  }

  /** Whether a call was rejected because a participant is no more, so that its caller knows. */
  get lossReported(): boolean {
    return this.#lossReported;
  }

  /** Classes of errors that all participants know. */
  get errorClasses(): ErrorClasses {
    return this.#table.errorClasses;
  }

  /** What others may ask for from now on. */
  serve(table: TaskTable): void {
    this.#table = table;
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
      const sent = plain ? args : toPortableArguments(args, name);
      const values = head === NOTHING ? sent : [...head, ...sent];
      // Behind the arguments, whose getters may have aborted it.
      signal?.throwIfAborted();
      if (this.#outstandingCount >= CALLS_OUTSTANDING_MAX) this.#refuse(peer, name);
      const connection = this.#connections[peer];
      assert(connection !== undefined, `calls: participant ${peer} is called, which is this one or none`);
      try {
        connection.call(task, values, { onAnswer: resolve, onFailure: reject }, signal);
      } catch (error) {
        if (error instanceof RangeError) error.message = `call ${name}: ${error.message}`;
        throw error;
      }
      this.#outstandingCount++;
      this.#sentCount++;
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
    const connection = this.#connections[peer];
    assert(connection !== undefined, `calls: participant ${peer} is lost, which is this one or none`);
    connection.sender.close();
    if (connection.failCalls(() => reason) > 0) this.#lossReported = true;
    connection.cancelRunning(reason);
    this.#checkQuiet();
  }

  /** Rejects what is under way, and what is asked for later, for the reason given; closes the rings. */
  close(reason: CoresClosedErrorOptions = {}): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    const error = new CoresClosedError("wait for the answer of a core", reason);
    for (const connection of this.#connections) {
      connection?.failCalls(() => error);
      connection?.cancelRunning(error);
    }
    assert(
      this.#outstandingCount === 0,
      `calls: ${this.#outstandingCount} are under way after all were ended`,
    );
    this.endpoint.close();
    this.#quiet?.resolve();
  }

  /** Runs task `task` for another participant, and answers when it is done. */
  run(connection: CallConnection, call: number, task: number, count: number, reader: ValueReader): void {
    const { tasks, names } = this.#table;
    this.endpoint.running(task);
    try {
      const work = tasks[task];
      if (work === undefined) {
        throw new Error(`run task ${task}: this core has none of that number; has its module other exports?`);
      }
      const result = count === 1
        ? work(argument(connection, call, reader))
        : work(...allArguments(connection, call, count, reader));
      connection.answer(call, names[task], result);
    } catch (error) {
      connection.answerThrown(call, error);
    }
    this.endpoint.running(-1);
  }

  onCallEnded(): void {
    this.#outstandingCount--;
    this.#checkQuiet();
  }

  onAnswered(): void {
    this.#checkQuiet();
  }

  onFrame(kind: number): void {
    assert(false, `calls: a core has sent a frame of kind ${kind}`);
  }

  onUnreadable(): void {
    // The call rejects with it; V8 cannot make everything again that it has serialised.
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
    this.#lossReported = true;
    throw this.#lost.get(peer);
  }

  #refuse(peer: number, name: string): never {
    throw new CoreBusyError(
      `call ${name}`,
      peer,
      `${this.#outstandingCount} calls are under way, which is the limit`,
    );
  }

  #checkQuiet(): void {
    if (this.#quiet === undefined) return;
    if (this.runningCount + this.#outstandingCount + this.#hereCount > 0) return;
    this.#quiet.resolve();
    this.#quiet = undefined;
  }
}

function argument(connection: CallConnection, call: number, reader: ValueReader): unknown {
  const value = reader.read();
  return value === SIGNAL_PLACE ? connection.signalOf(call) : value;
}

function allArguments(
  connection: CallConnection,
  call: number,
  count: number,
  reader: ValueReader,
): unknown[] {
  const args: unknown[] = [];
  for (let index = 0; index < count; index++) args.push(argument(connection, call, reader));
  return args;
}
