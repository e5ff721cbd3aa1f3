import { assert } from "../../base/mod.ts";
import { Calls } from "./calls.ts";
import type { FromWorker, ToWorker } from "./control_messages.ts";
import { type ErrorClasses, fromPortable, toPortable } from "../../base/value/mod.ts";
import { CoreError, type CoresClosedErrorOptions } from "./errors.ts";
import { EventDescriptors } from "./event_descriptors.ts";
import { createMesh, type MeshMemory } from "./mesh.ts";
import { pollEndpoint } from "./poll_loop.ts";
import { StallWatch } from "./stall_watch.ts";
import type { CheckedOptions } from "./group_options.ts";

/** One worker and how far it is. */
interface Member {
  readonly worker: Worker;
  /** Resolves when it has done its last command, or is dead. */
  step: PromiseWithResolvers<void>;
  busy: boolean;
  dead: boolean;
}

/** The workers of a group from their common start to their common end; a group that restarts has one after the other. */
export class Generation {
  /** Calls from this thread to the cores. */
  readonly calls: Calls;
  /** Resolves to the cause when a core dies. */
  readonly died: Promise<CoreError>;
  /** The driver of each core. */
  readonly drivers: string[] = [];
  readonly #options: CheckedOptions;
  readonly #mesh: MeshMemory;
  readonly #descriptors: EventDescriptors;
  readonly #members: Member[] = [];
  readonly #over = new AbortController();
  readonly #stalls: StallWatch;
  readonly #death = Promise.withResolvers<CoreError>();
  #serviceCount = 0;
  #servicesStarted = 0;
  #started = false;
  #failure: CoreError | undefined;

  /**
   * Starts all workers, and resolves when all are ready and at work.
   *
   * @throws {CoreError} when one is not; with the reason of `signal` when that aborts
   */
  static async start(options: CheckedOptions, signal: AbortSignal | undefined): Promise<Generation> {
    const generation = new Generation(options);
    try {
      await generation.#start(signal);
      return generation;
    } catch (error) {
      generation.terminate({ cause: error });
      throw error;
    }
  }

  private constructor(options: CheckedOptions) {
    const { count, ringCapacityBytes, driver } = options;
    this.#options = options;
    this.died = this.#death.promise;
    this.#mesh = createMesh(ringCapacityBytes, count + 1);
    this.calls = new Calls(this.#mesh, count);
    this.#descriptors = new EventDescriptors(driver === "deno" ? 0 : count);
    this.#stalls = new StallWatch(this.#mesh, options);
  }

  /**
   * Tells all cores to finish, and why; waits until they have, and ends them; those that need longer than `shutdownTimeoutMs` are
   * ended then. Calls reject with `closed` from then on. Resolves to whether all had finished.
   */
  async stop(reason: string, closed: CoresClosedErrorOptions = {}): Promise<boolean> {
    if (this.#over.signal.aborted) return false;
    const finished = await this.#within(this.#options.shutdownTimeoutMs, this.#stopAll(reason));
    this.#end(closed, finished && this.#members.every(({ dead }) => !dead));
    return finished;
  }

  /** What went wrong first, if anything did. */
  get failure(): CoreError | undefined {
    return this.#failure;
  }

  /** Ends all workers at once, wherever they are. */
  terminate(closed: CoresClosedErrorOptions = {}): void {
    this.#end(closed, false);
  }

  #end(closed: CoresClosedErrorOptions, orderly: boolean): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#stalls.close();
    this.calls.close(closed);
    for (const { worker } of this.#members) worker.terminate();
    this.#descriptors.close(this.#mesh, orderly);
  }

  async #start(signal: AbortSignal | undefined): Promise<void> {
    const { startTimeoutMs, count } = this.#options;
    for (let index = 0; index < count; index++) this.#members.push(this.#startMember(index));
    const { endpoint } = this.calls;
    pollEndpoint({ mesh: this.#mesh, endpoint, idle: "cooperate", signal: this.#over.signal })
      .catch((error) => this.#death.resolve(new CoreError(`the group's thread has failed: ${error}`, count)));
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const onAbort = () => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const died = this.died.then((error) => Promise.reject(error));
      const ready = this.#within(startTimeoutMs, this.#startAll());
      if (!await Promise.race([ready, died, aborted])) this.#throwLate();
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
    this.#started = true;
  }

  async #startAll(): Promise<void> {
    await this.#answers();
    for (let service = 0; service < this.#serviceCount; service++) {
      this.#servicesStarted++;
      await this.#tell({ type: "start service", service });
    }
    await this.#tell({ type: "run" });
  }

  async #stopAll(reason: string): Promise<void> {
    await this.#tell({ type: "stop", reason });
    // A core has done its part when it has answered, which is not when the answer, or the call itself, has arrived.
    await this.calls.quiet();
    for (let service = this.#servicesStarted - 1; service >= 0; service--) {
      await this.#tell({ type: "stop service", service });
    }
    await this.#tell({ type: "close" });
  }

  /** Whether `steps` were done in time. */
  async #within(timeoutMs: number, steps: Promise<void>): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), timeoutMs);
    const over = () => resolve(false);
    this.#over.signal.addEventListener("abort", over, { once: true });
    try {
      return await Promise.race([steps.then(() => true), late]);
    } finally {
      clearTimeout(timer);
      this.#over.signal.removeEventListener("abort", over);
    }
  }

  /** Tells every core that lives, and resolves when all have answered, or died. */
  async #tell(message: ToWorker): Promise<void> {
    for (const member of this.#members) {
      if (member.dead) continue;
      expectAnswer(member);
      member.worker.postMessage(message);
    }
    await this.#answers();
  }

  async #answers(): Promise<void> {
    await Promise.all(this.#members.map(({ step }) => step.promise));
  }

  #throwLate(): never {
    const index = Math.max(0, this.#members.findIndex(({ busy }) => busy));
    const { startTimeoutMs } = this.#options;
    throw new CoreError(`start core ${index}: it is not ready after ${startTimeoutMs} ms`, index);
  }

  #startMember(index: number): Member {
    const { count, module, idle, driver, cpus } = this.#options;
    const worker = new Worker(new URL("./worker_entry.ts", import.meta.url), {
      type: "module",
      name: `millrace core ${index}`,
    });
    const member: Member = { worker, step: Promise.withResolvers(), busy: true, dead: false };
    worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => {
      this.#onMessage(index, member, data);
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#bury(index, member, new Error(event.message));
    });
    const descriptor = this.#descriptors.at(index);
    const start = { index, count, module, mesh: this.#mesh, idle, driver, descriptor, cpu: cpus[index] };
    worker.postMessage({ type: "load", start } satisfies ToWorker);
    return member;
  }

  #onMessage(index: number, member: Member, message: FromWorker | undefined): void {
    if (member.dead) return;
    switch (message?.type) {
      case "loaded":
        this.drivers[index] = message.driver;
        this.#serviceCount = message.serviceCount;
        this.#stalls.setTaskNames(message.taskNames);
        break;
      case "done":
        if (message.error !== undefined) {
          const cause = fromPortable(message.error, this.#errorClasses);
          this.#failure ??= new CoreError(`stop core ${index}: ${textOf(cause)}`, index, { cause });
        }
        break;
      case "failed":
        this.#bury(index, member, fromPortable(message.error, this.#errorClasses));
        return;
      default:
        // Posted by the group's module, and meant for nobody.
        return;
    }
    member.busy = false;
    member.step.resolve();
  }

  /** Those of the group's module too, once this thread has loaded it. */
  get #errorClasses(): ErrorClasses {
    return this.calls.errorClasses;
  }

  /** A core is dead: everybody hears of it, and nobody waits for it any more. */
  #bury(index: number, member: Member, cause: unknown): void {
    if (member.dead) return;
    member.dead = true;
    member.worker.terminate();
    const what = this.#started ? `core ${index} has died` : `start core ${index}`;
    const error = new CoreError(`${what}: ${textOf(cause)}`, index, { cause });
    this.#failure ??= error;
    this.calls.lose(index, error);
    const lost: ToWorker = { type: "lost", core: index, error: toPortable(error, this.#errorClasses) };
    for (const { worker, dead } of this.#members) if (!dead) worker.postMessage(lost);
    member.step.resolve();
    this.#death.resolve(error);
  }
}

function expectAnswer(member: Member): void {
  assert(
    !member.busy && !member.dead,
    "cores: a worker is told something before it has done what it was told",
  );
  member.step = Promise.withResolvers();
  member.busy = true;
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
