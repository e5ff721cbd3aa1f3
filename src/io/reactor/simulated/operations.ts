import { errno } from "../../../../ffi/mod.ts";
import { assert, Deque } from "../../../base/mod.ts";
import type { OperationState } from "../operation.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimulatedFaults, SimulatedOperationKind } from "./simulated_faults.ts";

/** Least and most virtual milliseconds until the simulated kernel handles a request, or its cancellation. */
const KERNEL_MS_MIN = 0.001;
const KERNEL_MS_MAX = 0.1;

/** One request to the simulated kernel. It completes once, whatever happens. */
export abstract class SimulatedOperation {
  readonly kind: SimulatedOperationKind;
  /** Changed by {@linkcode Operations} only, like all below. */
  state: OperationState = "idle";
  referenced = true;
  /** Whether the kernel has begun to handle it. */
  begun = false;
  /** Whether the kernel has a result, which may not be delivered yet. */
  decided = false;
  result = 0;
  /** Whether reads and writes take less than they could. */
  short = false;
  /** Numbers the starts of one operation. */
  startCount = 0;

  constructor(kind: SimulatedOperationKind) {
    this.kind = kind;
  }

  /** The kernel tries: a result goes to {@linkcode Operations.decide}; without one, it tries again after the next change. */
  abstract attempt(): void;
  /** The result is delivered: a count, or -errno. The state is `idle` already. */
  abstract complete(result: number): void;

  /** A fault strikes before the first attempt: its effects beyond this operation. */
  strike(_errno: number): void {}
}

/** Every operation of one driver that is under way. */
export class Operations {
  readonly #scheduler: Scheduler;
  readonly #faults: SimulatedFaults;
  readonly #underWay = new Set<SimulatedOperation>();
  readonly #ready = new Deque<SimulatedOperation | (() => void)>();
  #referencedCount = 0;
  #soonCount = 0;
  /** Called when there is a new request. */
  onWork: (() => void) | undefined;

  constructor(scheduler: Scheduler, faults: SimulatedFaults) {
    this.#scheduler = scheduler;
    this.#faults = faults;
  }

  /** Operations under way. */
  get count(): number {
    return this.#underWay.size + this.#soonCount;
  }

  /** Operations under way that keep the process alive. */
  get referencedCount(): number {
    return this.#referencedCount + this.#soonCount;
  }

  /** Whether `deliver()` has something to do. */
  get isReady(): boolean {
    return this.#ready.length > 0;
  }

  /** Starts an idle operation. */
  start(operation: SimulatedOperation): void {
    assert(operation.state === "idle", "Operations.start: the operation is under way");
    operation.state = "in-flight";
    operation.begun = false;
    operation.decided = false;
    this.#underWay.add(operation);
    if (operation.referenced) this.#referencedCount++;
    const fault = this.#faults.draw(operation.kind, this.#scheduler);
    operation.short = fault === "short";
    const startCount = ++operation.startCount;
    if (fault !== "never") {
      const lateMs = fault === "delay" ? this.#scheduler.between(0, this.#faults.settings.delayMsMax) : 0;
      this.#scheduler.after(this.#kernelMs() + lateMs, () => {
        if (operation.startCount !== startCount || operation.state === "idle" || operation.decided) return;
        if (typeof fault === "object") {
          operation.strike(fault.errno);
          this.decide(operation, -fault.errno);
          return;
        }
        operation.begun = true;
        operation.attempt();
      });
    }
    this.noteWork();
  }

  /** Something has changed: has the kernel try again, unless it has not begun or has a result. */
  retry(operation: SimulatedOperation): void {
    if (operation.begun && !operation.decided && operation.state !== "idle") operation.attempt();
  }

  /** The kernel has a result. A second one for the same start is ignored. */
  decide(operation: SimulatedOperation, result: number): void {
    if (operation.decided || operation.state === "idle") return;
    operation.decided = true;
    operation.result = result;
    this.#ready.pushBack(operation);
    this.#scheduler.noteActivity();
  }

  /** Cancels an operation, which completes once, as always, and perhaps with its result. */
  cancel(operation: SimulatedOperation): void {
    if (operation.state !== "in-flight") return;
    operation.state = "cancelling";
    const { startCount } = operation;
    this.#scheduler.after(this.#kernelMs(), () => {
      if (operation.startCount === startCount) this.decide(operation, -errno.ECANCELED);
    });
    this.noteWork();
  }

  /** Whether an operation keeps the process alive. */
  setReferenced(operation: SimulatedOperation, referenced: boolean): void {
    if (operation.referenced === referenced) return;
    operation.referenced = referenced;
    if (operation.state === "idle") return;
    this.#referencedCount += referenced ? 1 : -1;
    this.noteWork();
  }

  /** Runs `callback` in the next `deliver()`. */
  soon(callback: () => void): void {
    this.#soonCount++;
    this.#ready.pushBack(callback);
    this.noteWork();
  }

  /** Has the owner of the loop poll. */
  noteWork(): void {
    this.#scheduler.noteActivity();
    this.onWork?.();
  }

  /** Delivers the results so far; returns how many. Those that they lead to wait for the next call. */
  deliver(): number {
    const count = this.#ready.length;
    for (let index = 0; index < count; index++) {
      const next = this.#ready.popFront();
      // A callback may deliver the rest itself, by closing the driver.
      if (next === undefined) return index;
      if (typeof next === "function") {
        this.#soonCount--;
        next();
      } else {
        this.#forget(next);
        next.complete(next.result);
      }
    }
    if (count > 0) this.#scheduler.noteActivity();
    return count;
  }

  /** Ends everything at once and delivers it. */
  endAll(): void {
    while (this.count > 0) {
      for (const operation of this.#underWay) this.decide(operation, -errno.ECANCELED);
      this.deliver();
    }
  }

  /** Forgets everything: nothing completes any more. */
  abandonAll(): void {
    this.#ready.clear();
    this.#soonCount = 0;
    for (const operation of this.#underWay) this.#forget(operation);
  }

  #forget(operation: SimulatedOperation): void {
    this.#underWay.delete(operation);
    if (operation.referenced) this.#referencedCount--;
    operation.state = "idle";
  }

  #kernelMs(): number {
    return this.#scheduler.between(KERNEL_MS_MIN, KERNEL_MS_MAX);
  }
}
