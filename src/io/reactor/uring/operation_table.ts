import { type CompletionSink, errno, type Uring, uringLayout } from "../../../../ffi/mod.ts";
import { assert, Deque } from "../../../base/mod.ts";
import type { OperationState } from "../operation.ts";

/** One kind of request to the kernel. Its subclass writes the submission entry and handles the completion. */
export abstract class UringOperation {
  /** Changed by {@linkcode OperationTable} only. */
  state: OperationState = "idle";
  /** Its place in the table while not idle; the kernel returns it as user data. */
  id = 0;
  /** Whether it keeps the process alive while under way. Change it through the table. */
  referenced = true;

  /** Whether its results are descriptors: it accepts or opens. Constant for one operation. */
  get givesDescriptor(): boolean {
    return false;
  }

  /** Writes the submission entry; false when the ring has no room. */
  abstract prepare(ring: Uring, id: number): boolean;
  /** A completion came: the result or -errno, and the completion's flags. The state has already changed. */
  abstract complete(result: number, flags: number): void;
}

/** Asks the kernel to cancel another operation; waits like any other when the ring is full. */
class Cancellation {
  readonly target: UringOperation;
  readonly targetId: number;
  constructor(target: UringOperation) {
    this.target = target;
    this.targetId = target.id;
  }
}

/** Entries of the table; id 0 is for requests whose completion is ignored. */
const OPERATIONS_MAX = 1 << 24;

/** Every operation under way, by id, and those that the submission ring had no room for. */
export class OperationTable implements CompletionSink {
  readonly #ring: Uring;
  readonly #operations: (UringOperation | undefined)[] = [undefined];
  readonly #freeIds: number[] = [];
  readonly #backlog = new Deque<UringOperation | Cancellation>();
  readonly #soon: (() => void)[] = [];
  #count = 0;
  #referencedCount = 0;
  #sendCount = 0;
  /** Called when there is a new request. */
  onWork: (() => void) | undefined;

  constructor(ring: Uring) {
    this.#ring = ring;
  }

  /** Operations under way. */
  get count(): number {
    return this.#count;
  }

  /** Operations under way that keep the process alive. */
  get referencedCount(): number {
    return this.#referencedCount + this.#soon.length;
  }

  /** Requests that wait for room in the submission ring. */
  get backlogLength(): number {
    return this.#backlog.length;
  }

  /** Sends started since the last call: their completions come with the next `enter`, before any that are waited for. */
  takeSendCount(): number {
    const count = this.#sendCount;
    this.#sendCount = 0;
    return count;
  }

  /** A send has been started. */
  countSend(): void {
    this.#sendCount++;
  }

  /** Whether `poll()` has something to do without the kernel. */
  get hasLocalWork(): boolean {
    return this.#soon.length > 0 || this.#backlog.length > 0;
  }

  /** Starts an idle operation. */
  submit(operation: UringOperation): void {
    assert(operation.state === "idle", "OperationTable.submit: the operation is under way");
    const id = this.#freeIds.pop() ?? this.#operations.length;
    assert(id < OPERATIONS_MAX, "OperationTable.submit: too many operations");
    this.#operations[id] = operation;
    operation.id = id;
    this.#count++;
    if (operation.referenced) this.#referencedCount++;
    if (this.#backlog.length === 0 && operation.prepare(this.#ring, id)) {
      operation.state = "in-flight";
    } else {
      operation.state = "queued";
      this.#backlog.pushBack(operation);
    }
    if (this.onWork !== undefined) this.onWork();
  }

  /** Cancels an operation, which completes once, as always. Does nothing to an idle or already cancelled one. */
  cancel(operation: UringOperation): void {
    switch (operation.state) {
      case "idle":
      case "cancelling":
      case "withdrawn":
        return;
      case "queued":
        operation.state = "withdrawn";
        this.soon(() => this.complete(operation.id, -errno.ECANCELED, 0));
        return;
      case "in-flight":
        operation.state = "cancelling";
        if (this.#backlog.length > 0 || !this.#prepareCancel(operation)) {
          this.#backlog.pushBack(new Cancellation(operation));
        }
        if (this.onWork !== undefined) this.onWork();
    }
  }

  #prepareCancel(operation: UringOperation): boolean {
    return this.#ring.prepareCancel(operation.id, operation.givesDescriptor);
  }

  /** Whether an operation keeps the process alive. */
  setReferenced(operation: UringOperation, referenced: boolean): void {
    if (operation.referenced === referenced) return;
    operation.referenced = referenced;
    if (operation.state === "idle") return;
    this.#referencedCount += referenced ? 1 : -1;
    // A sleeping owner has decided by the old count whether its sleep keeps the process alive.
    if (this.onWork !== undefined) this.onWork();
  }

  /** Runs `callback` in the next poll. */
  soon(callback: () => void): void {
    this.#soon.push(callback);
    if (this.onWork !== undefined) this.onWork();
  }

  /** Runs the deferred callbacks; returns how many. Those that they defer in turn wait for the next poll. */
  runSoon(): number {
    const count = this.#soon.length;
    if (count === 0) return 0;
    for (const callback of this.#soon.splice(0, count)) callback();
    return count;
  }

  /** Writes queued requests to the submission ring, as many as there is room for, in their order. */
  drainBacklog(): void {
    for (;;) {
      const next = this.#backlog.peek();
      if (next === undefined) return;
      if (next instanceof Cancellation) {
        const stillThere = this.#operations[next.targetId] === next.target &&
          next.target.state === "cancelling";
        if (stillThere && !this.#prepareCancel(next.target)) return;
      } else if (next.state === "queued") {
        if (!next.prepare(this.#ring, next.id)) return;
        next.state = "in-flight";
      }
      this.#backlog.popFront();
    }
  }

  /** Delivers one completion. */
  complete(id: number, result: number, flags: number): void {
    const operation = this.#operations[id];
    assert(operation !== undefined, "OperationTable.complete: no such operation");
    if ((flags & uringLayout.CQE_FLAG.more) === 0) {
      this.#operations[id] = undefined;
      this.#freeIds.push(id);
      operation.id = 0;
      operation.state = "idle";
      this.#count--;
      if (operation.referenced) this.#referencedCount--;
    }
    operation.complete(result, flags);
  }

  /** Every operation under way. */
  *all(): Generator<UringOperation> {
    for (const operation of this.#operations) if (operation !== undefined) yield operation;
  }
}
