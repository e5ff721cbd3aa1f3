import { endable, SeededRandom } from "../../base/mod.ts";
import type { Address } from "../../io/reactor/mod.ts";
import { Broadcast, ChannelClosedError, type Subscription } from "../../base/sync/mod.ts";
import { defaultTimers, type Timers } from "../../base/timer/mod.ts";
import type { Children } from "./child.ts";
import type { HeldSockets } from "./held_sockets.ts";
import type { InstanceContext } from "./instance.ts";
import { FileSink, type LineSink, nullSink, ownOutput, PrefixedSink } from "./line_sink.ts";
import { describeEvent, type ExitStatus, type ProcessEvent } from "./process_event.ts";
import type { ResolvedProcess } from "./read_specs.ts";
import { Slot, type SlotState } from "./slot.ts";
import { watchFiles } from "./watch_files.ts";

/** Events that a reader of {@linkcode Supervisor.events} may be behind; then it misses the oldest. */
export const EVENTS_MAX = 1024;

/** Milliseconds that what processes have written last gets to go out when nothing runs any more. */
const LAST_LINES_MS_MAX = 5000;

/** What an instance is at. */
export interface InstanceStatus {
  /** The name of its specification. */
  readonly name: string;
  /** The instance, from 0. */
  readonly instance: number;
  /** What it is at. */
  readonly state: SlotState;
  /** Its process; `undefined` when none runs. */
  readonly pid: number | undefined;
  /** How long that runs, in milliseconds. */
  readonly uptimeMs: number | undefined;
  /** How often it was started again after it had ended by itself. */
  readonly restartCount: number;
  /** Bytes of memory in use; `undefined` if that is unknown. */
  readonly memoryBytes: number | undefined;
  /** Milliseconds of processor time that the process has taken. */
  readonly cpuMs: number | undefined;
  /** How a process here ended last; `undefined`: none has. */
  readonly lastExit: ExitStatus | undefined;
}

/** How a supervisor has ended. */
export interface SupervisorEnd {
  /** Instances that were given up, as `name/instance`. */
  readonly gaveUp: readonly string[];
}

/** A reload that did not replace everything. What was not replaced still runs. */
export class ReloadError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "ReloadError";
  /** What was to be reloaded. */
  readonly process: string;

  /** `reason` says which instance, and why. */
  constructor(process: string, reason: string, options?: ErrorOptions) {
    super(`reload ${process}: ${reason}; what was not replaced still runs`, options);
    this.process = process;
  }
}

/** What a {@linkcode Supervisor} is made of. */
export interface SupervisorParts {
  readonly children: Children;
  readonly processes: readonly ResolvedParts[];
  /** Called with what is worth a line; `loud` when an operator has to act. */
  readonly log: (line: string, loud: boolean) => void;
  /** Frees what was made for all of them. */
  readonly release: () => Promise<void>;
}

/** One process of a supervisor. */
export interface ResolvedParts {
  readonly spec: ResolvedProcess;
  readonly program: string;
  readonly sockets: HeldSockets;
}

/** One specification, with its instances. */
interface Process extends ResolvedParts {
  readonly slots: readonly Slot[];
  readonly sinks: readonly LineSink[];
  /** The reload under way, and the one that is to follow. */
  reloading: Promise<void> | undefined;
  next: Promise<void> | undefined;
  /** Asked to stop since the last reload began. */
  stopped: boolean;
  /** How often it was. */
  stopCount: number;
}

/**
 * Processes that run, are started again when they end, and are replaced without a gap; what {@linkcode supervise} gives.
 *
 * ```ts
 * import { supervise } from "@millrace/millrace/process";
 *
 * await using supervisor = await supervise([{ name: "nap", command: "sleep", args: ["60"], instances: 2 }]);
 * await supervisor.ready();
 * console.log(supervisor.status().map(({ name, instance, state }) => `${name}/${instance} ${state}`));
 * ```
 */
export class Supervisor implements AsyncDisposable {
  /** Resolves when nothing runs any more, because it was shut down, or because all have ended for good. */
  readonly finished: Promise<SupervisorEnd>;
  /** Resolves when nothing runs any more, before what the supervisor itself holds is freed. @internal */
  readonly allEnded: Promise<void>;
  readonly #allEnded = Promise.withResolvers<void>();
  readonly #parts: SupervisorParts;
  readonly #processes: readonly Process[];
  readonly #timers: Timers = defaultTimers();
  readonly #events = new Broadcast<ProcessEvent>(EVENTS_MAX, { whenFull: "drop-oldest" });
  readonly #finished = Promise.withResolvers<SupervisorEnd>();
  readonly #gaveUp = new Set<string>();
  readonly #watchers: { close(): void }[] = [];
  readonly #starting: ReturnType<typeof setTimeout>;
  #stopping: Promise<void> | undefined;
  #ended = false;

  /** @internal */
  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.finished = this.#finished.promise;
    this.allEnded = this.#allEnded.promise;
    const output = ownOutput();
    const random = new SeededRandom(crypto.getRandomValues(new Uint32Array(1))[0]);
    this.#processes = parts.processes.map((process) => this.#prepare(process, output, random));
    // Not at once: its creator may subscribe by then, and misses no event.
    this.#starting = setTimeout(() => this.#start(), 0);
  }

  /** Names of the processes. */
  get names(): readonly string[] {
    return this.#processes.map(({ spec }) => spec.name);
  }

  /** Sockets that are listened on, by process, with the ports that the system chose. */
  addresses(name: string): Readonly<Record<string, Address>> {
    const { sockets } = this.#find(name);
    return Object.fromEntries(sockets.sockets.map(({ name, address }) => [name, address]));
  }

  /** What every instance is at. */
  status(): InstanceStatus[] {
    return this.#processes.flatMap(({ spec, slots }) =>
      slots.map((slot) => {
        const { current, state, restartCount, lastExit } = slot;
        const running = current !== undefined && current.state !== "ended" ? current : undefined;
        const usage = running?.usage;
        return {
          name: spec.name,
          instance: slot.index,
          state,
          pid: running?.pid,
          uptimeMs: running === undefined ? undefined : this.#timers.nowMs() - running.startedMs,
          restartCount,
          memoryBytes: usage?.memoryBytes,
          cpuMs: usage?.cpuMs,
          lastExit,
        };
      })
    );
  }

  /**
   * What happens from now on, until nothing runs any more. A reader that is more than {@linkcode EVENTS_MAX} events behind misses the
   * oldest, and gets an event that says how many.
   */
  events(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<ProcessEvent> {
    const subscription = this.#events.subscribe();
    return endable(eventsOf(subscription, options), () => subscription[Symbol.dispose]());
  }

  /**
   * Resolves when every instance is ready.
   *
   * @throws {Error} (as a rejection) when one is given up, or the supervisor ends
   */
  async ready(options: { signal?: AbortSignal } = {}): Promise<void> {
    const events = this.events(options);
    try {
      for (;;) {
        const states = this.status();
        const lost = states.find(({ state }) =>
          state === "gave-up" || state === "done" || state === "stopped"
        );
        if (lost !== undefined) {
          throw new Error(`${lost.name}/${lost.instance} will not be ready: it is ${lost.state}`);
        }
        if (states.every(({ state }) => state === "ready")) return;
        if ((await events.next()).done) throw new Error("wait until all are ready: the supervisor has ended");
      }
    } finally {
      await events.return?.();
    }
  }

  /**
   * Replaces all instances of a process, `reloadParallel` at a time: each new one is ready before the one it replaces is asked to
   * finish. Calls while one is under way share the next.
   *
   * @throws {ReloadError} (as a rejection) when a new one does not become ready; what was not replaced still runs
   * @throws {TypeError} (as a rejection) when there is no such process
   */
  async reload(name: string): Promise<void> {
    const process = this.#find(name);
    if (process.reloading === undefined) {
      process.reloading = this.#reload(process).finally(() => process.reloading = undefined);
      return await process.reloading;
    }
    const { stopCount } = process;
    process.next ??= process.reloading.catch(() => {}).then(() => {
      process.next = undefined;
      // A stop that came after it takes it back.
      if (process.stopCount !== stopCount) throw new ReloadError(name, "it is told to stop");
      return this.reload(name);
    });
    return await process.next;
  }

  /** Replaces all instances of all processes, one process after the other. */
  async reloadAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const name of this.names) await this.reload(name).catch((error) => failures.push(error));
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) {
      throw new AggregateError(
        failures,
        failures.map((error) => (error as Error).message).join("; "),
      );
    }
  }

  /**
   * Ends all instances of a process, which stay so until a {@linkcode Supervisor.reload}; its sockets stay open.
   *
   * @throws {TypeError} (as a rejection) when there is no such process
   */
  async stop(name: string): Promise<void> {
    await this.#stop(this.#find(name));
  }

  /** Ends all processes, the last first, frees the sockets, and resolves when nothing runs any more. */
  shutdown(): Promise<void> {
    return this.#stopping ??= this.#shutDown();
  }

  /** Kills everything at once; resolves when nothing runs any more. */
  async kill(): Promise<void> {
    const stopping = this.shutdown();
    const slots = this.#processes.flatMap(({ slots }) => slots);
    await Promise.all(slots.map((slot) => slot.kill("everything is stopped at once")));
    await stopping;
  }

  /** Kills one process, by its number, as one that hangs; nothing happens when it is none of this supervisor's. @internal */
  killProcess(pid: number, reason: string): void {
    for (const { slots } of this.#processes) {
      for (const slot of slots) slot.killProcess(pid, reason);
    }
  }

  /** Does what {@linkcode Supervisor.shutdown} does. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  #prepare(
    parts: ResolvedParts,
    output: ReturnType<typeof ownOutput>,
    random: SeededRandom,
  ): Process {
    const { spec } = parts;
    const indexes = Array.from({ length: spec.instances }, (_, index) => index);
    const sinks = indexes.map((index) => this.#sinkOf(spec, index, output));
    const slots = indexes.map((index) => {
      const context: InstanceContext = {
        ...parts,
        children: this.#parts.children,
        timers: this.#timers,
        sink: sinks[index],
        emit: (event) => this.#emit(event),
      };
      return new Slot(index, context, random, () => this.#onSettled());
    });
    return { ...parts, slots, sinks, reloading: undefined, next: undefined, stopped: false, stopCount: 0 };
  }

  #start(): void {
    for (const { slots, stopped } of this.#processes) {
      if (!stopped) {
        for (const slot of slots) slot.start();
      }
    }
    for (const { spec: { name, watch } } of this.#processes) {
      if (watch === undefined) continue;
      // What fails is told by an event.
      const reload = (): void => void this.reload(name).catch(() => {});
      this.#watchers.push(watchFiles(watch.paths, watch.debounceMs, reload));
    }
  }

  async #reload(process: Process): Promise<void> {
    const { spec, slots } = process;
    const { name } = spec;
    process.stopped = false;
    this.#emit({ type: "reloading", name });
    for (let first = 0; first < slots.length; first += spec.reloadParallel) {
      if (this.#stopping !== undefined || process.stopped) throw new ReloadError(name, "it is told to stop");
      const group = slots.slice(first, first + spec.reloadParallel);
      const results = await Promise.allSettled(group.map((slot) => slot.replace()));
      results.forEach((result, index) => {
        if (result.status === "fulfilled") this.#gaveUp.delete(`${name}/${first + index}`);
      });
      const failed = results.findIndex(({ status }) => status === "rejected");
      if (failed < 0) continue;
      const { reason } = results[failed] as PromiseRejectedResult;
      const text = `${name}/${first + failed}: ${reason instanceof Error ? reason.message : reason}`;
      this.#emit({ type: "reload-failed", name, reason: text });
      throw new ReloadError(name, text, { cause: reason });
    }
    this.#emit({ type: "reloaded", name });
  }

  async #stop(process: Process): Promise<void> {
    const { slots } = process;
    process.stopped = true;
    process.stopCount++;
    await Promise.all(slots.map((slot) => slot.stop()));
  }

  async #shutDown(): Promise<void> {
    clearTimeout(this.#starting);
    for (const watcher of this.#watchers) watcher.close();
    for (const process of this.#processes.toReversed()) await this.#stop(process);
    this.#allEnded.resolve();
    await this.#finish();
  }

  #onSettled(): void {
    if (this.#stopping !== undefined) return;
    const alive = this.#processes.some(({ slots, reloading }) =>
      reloading !== undefined || slots.some((slot) => !slot.settled || slot.state === "stopped")
    );
    if (!alive) this.shutdown();
  }

  async #finish(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    for (const { sockets } of this.#processes) sockets.close();
    const written = Promise.all(this.#processes.flatMap(({ sinks }) => sinks.map((sink) => sink.close())));
    // Nobody may take what was written: a reader that stands still, a disk that hangs.
    const late = Promise.withResolvers<void>();
    const limit = this.#timers.schedule(LAST_LINES_MS_MAX, late.resolve);
    await Promise.race([written, late.promise]);
    limit.cancel();
    await this.#parts.release();
    // Last: what looks after the files and processes of one that is killed would take those of the next for its own.
    await this.#parts.children.close();
    this.#events.close();
    this.#finished.resolve({ gaveUp: [...this.#gaveUp] });
  }

  #emit(event: ProcessEvent): void {
    if (event.type === "gave-up") this.#gaveUp.add(`${event.name}/${event.instance}`);
    const loud = event.type === "gave-up" || event.type === "reload-failed";
    this.#parts.log(describeEvent(event), loud);
    if (!this.#events.closed) this.#events.trySend(event);
  }

  #sinkOf(spec: ResolvedProcess, index: number, output: ReturnType<typeof ownOutput>): LineSink {
    switch (spec.output.kind) {
      case "prefixed":
        return new PrefixedSink(`${spec.name}/${index}: `, output);
      case "files": {
        const path = `${spec.output.directory}/${spec.name}-${index}.log`;
        const onFailure = (error: unknown): void => {
          const reason = error instanceof Error ? error.message : String(error);
          this.#parts.log(`OUTPUT OF ${spec.name}/${index} IS LOST: write ${path}: ${reason}`, true);
        };
        return new FileSink(path, spec.output, onFailure);
      }
      case "inherit":
      case "null":
        return nullSink;
    }
  }

  #find(name: string): Process {
    const process = this.#processes.find(({ spec }) => spec.name === name);
    if (process !== undefined) return process;
    throw new TypeError(
      `there is no process ${JSON.stringify(name)}, expected one of ${this.names.join(", ")}`,
    );
  }
}

/** What a subscription receives, with how many it has missed before what came next. */
async function* eventsOf(
  subscription: Subscription<ProcessEvent>,
  options: { signal?: AbortSignal },
): AsyncIterableIterator<ProcessEvent> {
  let missedCount = 0;
  try {
    for (;;) {
      const event = await subscription.receive(options);
      const count = subscription.missedCount - missedCount;
      if (count > 0) {
        missedCount += count;
        yield { type: "missed", count };
      }
      yield event;
    }
  } catch (error) {
    if (!(error instanceof ChannelClosedError)) throw error;
  } finally {
    subscription[Symbol.dispose]();
  }
}
