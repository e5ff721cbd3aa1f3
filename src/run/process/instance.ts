import { stripVTControlCharacters } from "node:util";
import { assert } from "../../base/mod.ts";
import type { Timer, Timers } from "../../base/timer/mod.ts";
import type { Child, ChildHandler, Children, ChildUsage } from "./child.ts";
import type { HeldSockets } from "./held_sockets.ts";
import type { LineSink, OutputStream } from "./line_sink.ts";
import { OutputLines } from "./output_lines.ts";
import { probeHttp } from "./probe.ts";
import { describeExit, type ExitStatus, type ProcessEvent } from "./process_event.ts";
import type { ResolvedProcess } from "./read_specs.ts";
import type { WorkerMessage } from "./worker_message.ts";
import {
  INSTANCE_VARIABLE,
  INSTANCES_VARIABLE,
  NAME_VARIABLE,
  WATCHDOG_VARIABLE,
} from "./worker_variables.ts";

/**
 * What a process is at.
 *
 * - `starting`: it runs, and is not ready yet. - `ready`: it works. - `draining`: it was replaced, and finishes. - `stopping`: it was
 *   told to end. - `ended`: it has.
 */
export type InstanceState = "starting" | "ready" | "draining" | "stopping" | "ended";

/** A process never returns to an earlier state. */
const ORDER: readonly InstanceState[] = ["starting", "ready", "draining", "stopping", "ended"];

/** What an instance needs of its supervisor. */
export interface InstanceContext {
  readonly spec: ResolvedProcess;
  /** Path of the program. */
  readonly program: string;
  readonly children: Children;
  readonly sockets: HeldSockets;
  readonly timers: Timers;
  readonly sink: LineSink;
  emit(event: ProcessEvent): void;
}

/** Why an instance did not become ready. */
export class NotReadyError extends Error {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "NotReadyError";
}

/** Milliseconds after SIGKILL in which a process is gone; one that hangs in the kernel may not be, and nobody waits for it. */
const KILL_MS_MAX = 10_000;
/** What such a one is said to have ended with. */
const ABANDONED: ExitStatus = { code: 137, signal: "SIGKILL" };
/** Time in milliseconds that the last words of a process may take to arrive after its end. */
const LAST_WORDS_MS = 100;
const LAST_WORDS_CHARACTERS_MAX = 500;

/** One process, from its start to its end. */
export class Instance {
  readonly index: number;
  readonly pid: number;
  readonly startedMs: number;
  /** When it became ready. */
  readyMs: number | undefined;
  /** Whether it was stopped because it hung or did not become ready: an end that nobody wanted. */
  unwanted = false;
  /** Resolves when it is ready, rejects with a {@linkcode NotReadyError} when it will not be. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended. */
  readonly ended: Promise<ExitStatus>;
  readonly #context: InstanceContext;
  readonly #child: Child;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<ExitStatus>();
  readonly #outputEnded = Promise.withResolvers<void>();
  readonly #lines: Readonly<Record<OutputStream, OutputLines>>;
  readonly #timers = new Set<Timer>();
  #state: InstanceState = "starting";
  #usesWorkerMain = false;
  #heartbeats = 0;
  #openStreams = 2;
  #lastWords = "";
  #killed = false;
  #pauses = 0;

  /**
   * Starts it.
   *
   * @throws {Deno.errors.NotFound | Deno.errors.PermissionDenied} and others
   */
  constructor(index: number, context: InstanceContext) {
    const { spec, children, sockets, program, timers } = context;
    this.index = index;
    this.#context = context;
    this.#lines = {
      stdout: new OutputLines((line) => this.#onLine("stdout", line)),
      stderr: new OutputLines((line) => this.#onLine("stderr", line)),
    };
    this.ready = this.#ready.promise;
    this.ended = this.#ended.promise;
    // Waiters get the error; without one it is no unhandled rejection.
    this.ready.catch(() => {});
    const fill = (text: string) => fillIn(text, spec.name, index);
    const variables = Object.entries(spec.env).map(([name, value]) => [name, fill(value)]);
    const output = spec.output.kind === "inherit" ? "inherit" : "pipe";
    this.startedMs = timers.nowMs();
    this.#child = children.start({
      program,
      args: spec.args.map(fill),
      env: {
        ...Object.fromEntries(variables),
        ...watchdogVariables(spec),
        [NAME_VARIABLE]: spec.name,
        [INSTANCE_VARIABLE]: String(index),
        [INSTANCES_VARIABLE]: String(spec.instances),
      },
      clearEnv: spec.clearEnv,
      cwd: spec.cwd === undefined ? undefined : fill(spec.cwd),
      output,
      sockets,
    }, this.#handler());
    this.pid = this.#child.pid;
    if (output === "inherit") this.#outputEnded.resolve();
    this.#emit({ type: "started" });
    this.#awaitReadiness();
  }

  get state(): InstanceState {
    return this.#state;
  }

  get usage(): ChildUsage | undefined {
    return this.#state === "ended" ? undefined : this.#context.children.usage(this.pid);
  }

  /** What it last wrote to standard error, for errors. */
  get lastWords(): string {
    return this.#lastWords;
  }

  /** Asks it to finish what it has begun; then it is told to end, then killed, each when the time before is over. */
  retire(): Promise<ExitStatus> {
    if (this.#state === "ended" || this.#state === "stopping" || this.#state === "draining") {
      return this.ended;
    }
    const { spec, sockets } = this.#context;
    const signal = spec.drainSignal ?? (this.#usesWorkerMain ? "SIGUSR2" : spec.stopSignal);
    sockets.unroute(this.#child);
    // One that is not ready yet has nothing to finish, and may not listen to the signal either.
    if (this.#state === "starting") return this.stop("it was replaced");
    this.#enter("draining");
    this.#emit({ type: "draining" });
    this.#child.kill(signal);
    // A process that was stopped hears nothing else.
    this.#child.kill("SIGCONT");
    this.#after(spec.drainTimeoutMs, () => this.stop(`it did not finish within ${spec.drainTimeoutMs} ms`));
    return this.ended;
  }

  /** Tells it to end, and kills it when that takes too long. */
  stop(_reason: string): Promise<ExitStatus> {
    if (this.#state === "ended" || this.#state === "stopping") return this.ended;
    const { spec, sockets } = this.#context;
    sockets.unroute(this.#child);
    this.#enter("stopping");
    this.#child.kill(spec.stopSignal);
    this.#child.kill("SIGCONT");
    this.#after(spec.stopTimeoutMs, () => this.kill(`it did not end within ${spec.stopTimeoutMs} ms`));
    return this.ended;
  }

  /** Kills it. */
  kill(reason: string): Promise<ExitStatus> {
    if (this.#state === "ended") return this.ended;
    if (this.#state !== "stopping") this.#enter("stopping");
    this.#context.sockets.unroute(this.#child);
    if (this.#child.kill("SIGKILL") && !this.#killed) this.#emit({ type: "killed", reason });
    if (this.#killed) return this.ended;
    this.#killed = true;
    this.#after(KILL_MS_MAX, () => {
      this.#emit({
        type: "killed",
        reason: `it is not gone ${KILL_MS_MAX} ms after that, and is left to the system`,
      });
      this.#onExit(ABANDONED);
    });
    return this.ended;
  }

  #handler(): ChildHandler {
    return {
      onOutput: (stream, bytes) => this.#lines[stream].add(bytes),
      onOutputEnd: (stream) => {
        this.#lines[stream].end();
        this.#openStreams--;
        assert(this.#openStreams >= 0, `instance ${this.index}: an output ended twice`);
        if (this.#openStreams === 0) this.#outputEnded.resolve();
      },
      onNotify: (text) => this.#onNotify(text),
      onMessage: (message) => this.#onMessage(message),
      onExit: (status) => this.#onExit(status),
    };
  }

  #onLine(stream: OutputStream, line: Uint8Array): void {
    const { spec, sink } = this.#context;
    const text = new TextDecoder().decode(line);
    if (stream === "stderr") this.#listen(stripVTControlCharacters(text));
    if (this.#state === "starting" && spec.ready.kind === "line" && spec.ready.pattern.test(text)) {
      this.#becomeReady();
    }
    const full = sink.write(stream, line);
    if (full === undefined || this.#pauses > 0) return;
    this.#pauses++;
    this.#child.pauseOutput();
    full.then(() => {
      this.#pauses--;
      this.#child.resumeOutput();
    });
  }

  #listen(line: string): void {
    if (line.trim() === "" || this.#lastWords !== "" && !tells(line)) return;
    this.#lastWords = line.slice(0, LAST_WORDS_CHARACTERS_MAX);
  }

  /** What sd_notify(3) knows; the rest is passed over. */
  #onNotify(text: string): void {
    for (const assignment of text.split("\n")) {
      if (assignment === "READY=1") this.#onMessage({ type: "ready" });
      else if (assignment === "WATCHDOG=1") this.#onMessage({ type: "heartbeat" });
      else if (assignment === "STOPPING=1") this.#onMessage({ type: "stopping" });
    }
  }

  #onMessage(message: WorkerMessage): void {
    switch (message.type) {
      case "hello":
        this.#usesWorkerMain = true;
        return;
      case "ready":
        this.#heartbeats++;
        if (this.#context.spec.ready.kind === "message") this.#becomeReady();
        return;
      case "heartbeat":
        this.#heartbeats++;
        return;
      case "stopping":
        // It takes no more, by its own decision.
        this.#context.sockets.unroute(this.#child);
        return;
    }
  }

  #awaitReadiness(): void {
    const { ready } = this.#context.spec;
    if (ready.kind === "started") {
      this.#after(ready.afterMs, () => this.#becomeReady());
      return;
    }
    const what = ready.kind === "line" ? `a line that ${ready.pattern} matches` : READY_SIGNS[ready.kind];
    this.#after(ready.timeoutMs, () => {
      this.#fail(`it is not ready after ${ready.timeoutMs} ms, expected ${what}`);
      this.kill("it did not become ready");
    });
    if (ready.kind === "http") {
      this.#probeReadiness(fillIn(ready.url, this.#context.spec.name, this.index), ready);
    }
  }

  async #probeReadiness(url: string, ready: { intervalMs: number; timeoutMs: number }): Promise<void> {
    try {
      while (this.#state === "starting") {
        if (await probeHttp(url, ready.timeoutMs)) return this.#becomeReady();
        await new Promise<void>((resolve) => this.#after(ready.intervalMs, resolve));
      }
    } catch (error) {
      this.#fail(`probe ${url}: ${error instanceof Error ? error.message : error}`);
      this.kill("it cannot be probed");
    }
  }

  #becomeReady(): void {
    if (this.#state !== "starting") return;
    this.#enter("ready");
    this.readyMs = this.#context.timers.nowMs();
    this.#context.sockets.route(this.#child);
    this.#emit({ type: "ready" });
    this.#ready.resolve();
    this.#watchHealth();
  }

  /** Looks at each interval whether it has shown that it works. */
  #watchHealth(): void {
    const { health, name } = this.#context.spec;
    if (health === undefined) return;
    let failures = 0;
    const judge = (healthy: boolean): void => {
      if (this.#state !== "ready") return;
      failures = healthy ? 0 : failures + 1;
      if (failures >= health.failuresMax) {
        const what = health.kind === "heartbeat" ? "heartbeats" : "answers";
        this.#hang(`${failures} ${what} in a row did not come, one each ${health.intervalMs} ms`);
      } else this.#after(health.intervalMs, look);
    };
    let seen = this.#heartbeats;
    const look = (): void => {
      if (health.kind === "heartbeat") {
        judge(this.#heartbeats !== seen);
        seen = this.#heartbeats;
        return;
      }
      probeHttp(fillIn(health.url, name, this.index), health.timeoutMs).then(judge, () => judge(false));
    };
    this.#after(health.intervalMs, look);
  }

  #hang(reason: string): void {
    this.#emit({ type: "unhealthy", reason });
    this.unwanted = true;
    this.stop(reason);
  }

  #fail(reason: string): void {
    this.unwanted = true;
    this.#ready.reject(new NotReadyError(reason));
  }

  #onExit(status: ExitStatus): void {
    const before = this.#state;
    // Whom nobody waits for any more may end later all the same.
    if (before === "ended") return;
    this.#enter("ended");
    this.#context.sockets.unroute(this.#child);
    this.#emit({
      type: "exited",
      status,
      expected: (before === "draining" || before === "stopping") && !this.unwanted,
      ranMs: this.#context.timers.nowMs() - this.startedMs,
    });
    this.#ended.resolve(status);
    if (before === "starting" || before === "stopping") this.#failWithLastWords(status);
  }

  /** What a process complained of before it ended is on its way still, perhaps. */
  async #failWithLastWords(status: ExitStatus): Promise<void> {
    await Promise.race([
      this.#outputEnded.promise,
      new Promise<void>((resolve) => this.#context.timers.schedule(LAST_WORDS_MS, resolve)),
    ]);
    const words = this.#lastWords === "" ? "" : `; its last words: ${this.#lastWords}`;
    this.#fail(`it ended ${describeExit(status)} before it was ready${words}`);
  }

  #enter(state: InstanceState): void {
    assert(
      ORDER.indexOf(state) > ORDER.indexOf(this.#state),
      `instance ${this.index}: it is ${this.#state}, and would become ${state}`,
    );
    this.#state = state;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  /** Runs `action` after `delayMs`, unless the state is another by then. */
  #after(delayMs: number, action: () => void): void {
    const timer = this.#context.timers.schedule(delayMs, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
  }

  #emit(event: OwnEvent): void {
    const { spec, emit } = this.#context;
    emit({ ...event, name: spec.name, instance: this.index, pid: this.pid } as ProcessEvent);
  }
}

type OwnEvent =
  | { type: "started" | "ready" | "draining" }
  | { type: "unhealthy" | "killed"; reason: string }
  | { type: "exited"; status: ExitStatus; expected: boolean; ranMs: number };

const READY_SIGNS = {
  message: "the message that it is: workerMain() or READY=1 to NOTIFY_SOCKET",
  http: "an answer with a status below 400",
} as const;

/** `{instance}` and `{name}` stand for what they say. */
export function fillIn(text: string, name: string, index: number): string {
  return text.replaceAll("{instance}", String(index)).replaceAll("{name}", name);
}

function watchdogVariables({ health }: ResolvedProcess): Record<string, string> {
  return health?.kind === "heartbeat"
    ? { [WATCHDOG_VARIABLE]: String(Math.round(health.intervalMs * 1000)) }
    : {};
}

/** Whether a line says what was wrong: of what Deno, Node and Rust write, what was thrown, and not where, nor by which version. */
function tells(line: string): boolean {
  return !/^(\s|stack backtrace:|note: |Node\.js v\d)/i.test(line);
}
