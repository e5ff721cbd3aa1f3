import { assert, type SeededRandom } from "../../base/mod.ts";
import type { Timer } from "../../base/timer/mod.ts";
import { Instance, type InstanceContext, type InstanceState } from "./instance.ts";
import { describeExit, type ExitStatus } from "./process_event.ts";
import { RestartPolicy } from "./restart_policy.ts";

/**
 * What a place for an instance is at, beside the states of its process.
 *
 * - `waiting`: its process has ended, and is started again when a delay is over. - `gave-up`: it has ended too often. - `done`: it has
 *   ended, and was not to be started again. - `stopped`: it was told to.
 */
export type SlotState = InstanceState | "waiting" | "gave-up" | "done" | "stopped";

/** The place of one instance: one process after the other, and for the time of a reload two. */
export class Slot {
  readonly index: number;
  readonly #context: InstanceContext;
  readonly #policy: RestartPolicy;
  readonly #onSettled: () => void;
  #current: Instance | undefined;
  /** The one that is to take over, while it is not ready. */
  #successor: Instance | undefined;
  /** Instances that were replaced, or asked to stop, and have not ended. */
  readonly #leaving = new Set<Instance>();
  #idle: "waiting" | "gave-up" | "done" | "stopped" = "waiting";
  #timer: Timer | undefined;
  #restartCount = 0;
  #lastExit: ExitStatus | undefined;
  #stopping = false;

  /** An empty place. `onSettled` is called when nothing runs here any more, and nothing will by itself. */
  constructor(index: number, context: InstanceContext, random: SeededRandom, onSettled: () => void) {
    this.index = index;
    this.#context = context;
    this.#policy = new RestartPolicy(context.spec.restart, context.timers, random);
    this.#onSettled = onSettled;
  }

  get state(): SlotState {
    return this.#current?.state ?? [...this.#leaving].at(-1)?.state ?? this.#idle;
  }

  get current(): Instance | undefined {
    return this.#current ?? [...this.#leaving].at(-1);
  }

  get restartCount(): number {
    return this.#restartCount;
  }

  get lastExit(): ExitStatus | undefined {
    return this.#lastExit;
  }

  /** Whether nothing runs here, and nothing will by itself. */
  get settled(): boolean {
    return this.#current === undefined && this.#successor === undefined && this.#leaving.size === 0 &&
      this.#idle !== "waiting";
  }

  /** Starts the first process; one that cannot be started is dealt with like one that has ended at once. */
  start(): void {
    this.#stopping = false;
    this.#tryStart();
  }

  /**
   * Has a new process take over: it is started and ready before the one that is there is asked to finish. Resolves when that
   * has ended.
   *
   * @throws {Error} (as a rejection) when the new one cannot be started, or does not become ready; the old one goes on
   */
  async replace(): Promise<void> {
    this.#timer?.cancel();
    this.#policy.reset();
    this.#stopping = false;
    const before = this.#current;
    let successor: Instance;
    try {
      successor = this.#successor = this.#launch();
    } catch (error) {
      this.#withoutSuccessor();
      throw error;
    }
    try {
      await successor.ready;
    } catch (error) {
      this.#dropSuccessor(successor);
      throw error;
    }
    if (this.#successor !== successor) throw new Error("the supervisor stops it");
    this.#successor = undefined;
    this.#current = successor;
    // One that has died meanwhile has been dealt with.
    if (before !== undefined && before.state !== "ended") {
      this.#leaving.add(before);
      await before.retire();
    }
  }

  /** Asks everything here to end; resolves when it has. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#timer?.cancel();
    this.#idle = "stopped";
    const running = [this.#current, this.#successor, ...this.#leaving].filter((one) => one !== undefined);
    this.#current = this.#successor = undefined;
    for (const instance of running) this.#leaving.add(instance);
    await Promise.all(running.map((instance) => instance.stop("it was told to")));
    if (this.settled) this.#onSettled();
  }

  /** Kills everything here; resolves when it has ended. */
  async kill(reason: string): Promise<void> {
    const stopped = this.stop();
    for (const instance of this.#leaving) instance.kill(reason);
    await stopped;
  }

  /** Kills the process with that number, if it is one of this place, as one that hangs. */
  killProcess(pid: number, reason: string): void {
    const running = [this.#current, this.#successor, ...this.#leaving];
    const instance = running.find((one) => one?.pid === pid);
    if (instance === undefined) return;
    instance.unwanted = true;
    instance.kill(reason);
  }

  #launch(): Instance {
    const instance = new Instance(this.index, this.#context);
    instance.ended.then((status) => this.#onEnd(instance, status));
    return instance;
  }

  #tryStart(): void {
    assert(this.#current === undefined, `slot ${this.index}: a process is started beside one that runs`);
    try {
      const instance = this.#current = this.#launch();
      instance.ready.catch(({ message }: Error) => {
        // Who gives it up says why.
        if (!this.#stopping && this.#idle !== "gave-up") this.#emit({ type: "failed", reason: message });
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#emit({ type: "failed", reason });
      this.#decide(0, false, reason);
    }
  }

  #onEnd(instance: Instance, status: ExitStatus): void {
    this.#leaving.delete(instance);
    this.#lastExit = status;
    const wasCurrent = instance === this.#current;
    if (wasCurrent) this.#current = undefined;
    if (this.#stopping || !wasCurrent) {
      if (this.settled) this.#onSettled();
      return;
    }
    // A new one is on its way; when that fails, this end is dealt with.
    if (this.#successor !== undefined) return;
    const { readyMs, unwanted } = instance;
    // Who was never ready was never stable, however long it tried.
    const ranMs = readyMs === undefined ? 0 : this.#context.timers.nowMs() - readyMs;
    this.#decide(ranMs, status.code === 0 && !unwanted, this.#describe(instance, status));
  }

  #dropSuccessor(successor: Instance): void {
    if (this.#successor !== successor) return;
    this.#successor = undefined;
    if (successor.state !== "ended") this.#leaving.add(successor);
    this.#withoutSuccessor();
  }

  /** When there is no old one either, or it has ended meanwhile, nobody else looks after this place. */
  #withoutSuccessor(): void {
    if (this.#current === undefined && !this.#stopping) {
      this.#decide(0, false, "its successor did not become ready");
    }
  }

  #decide(ranMs: number, succeeded: boolean, reason: string): void {
    assert(
      this.#current === undefined,
      `slot ${this.index}: the end of a process is dealt with while it runs`,
    );
    const decision = this.#policy.decide(ranMs, succeeded);
    switch (decision.kind) {
      case "restart":
        this.#idle = "waiting";
        this.#emit({ type: "restarting", delayMs: decision.delayMs });
        this.#timer = this.#context.timers.schedule(decision.delayMs, () => {
          this.#restartCount++;
          this.#tryStart();
        });
        return;
      case "done":
        this.#idle = "done";
        break;
      case "give-up": {
        this.#idle = "gave-up";
        const { windowMs } = this.#context.spec.restart;
        const often = `${decision.restartCount} restarts within ${windowMs / 1000} s did not help`;
        this.#emit({ type: "gave-up", reason: `${often}; the last time ${reason}` });
        break;
      }
    }
    if (this.settled) this.#onSettled();
  }

  #describe(instance: Instance, status: ExitStatus): string {
    const words = instance.lastWords === "" ? "" : `; its last words: ${instance.lastWords}`;
    return `it ended ${describeExit(status)}${words}`;
  }

  #emit(
    event:
      | { type: "failed" | "gave-up"; reason: string }
      | { type: "restarting"; delayMs: number },
  ): void {
    this.#context.emit({ ...event, name: this.#context.spec.name, instance: this.index });
  }
}
