import { assert } from "@std/assert";
import { fileURLToPath } from "node:url";
import {
  type ProcessEvent,
  type ProcessSpec,
  supervise,
  type SuperviseOptions,
  type Supervisor,
} from "../../src/run/process/mod.ts";
import { MasterProcess } from "./master_process.ts";
import { isRunning } from "./processes.ts";
import { withWatchdog } from "./watchdog.ts";

/** Real milliseconds that one test may take; workers take a second or more to start when the machine is busy. */
export const PROCESS_WATCHDOG_MS = 120_000;
const LOOK_MS = 10;
/** Real milliseconds that one condition may take to come true. */
export const UNTIL_MS_MAX = 60_000;
/** Events that are shown of a condition that did not come true. */
const SHOWN_EVENTS_MAX = 12;

/** What a test of processes works with; what it started is gone when it ends. */
export class ProcessHarness {
  /** An empty directory. */
  readonly directory: string;
  readonly #supervisors: { readonly supervisor: Supervisor; readonly events: ProcessEvent[] }[] = [];
  readonly #masters: MasterProcess[] = [];

  constructor(directory: string) {
    this.directory = directory;
  }

  /** A supervisor that is shut down when the test ends, and all its events. */
  async supervise(
    specs: readonly ProcessSpec[],
    options: SuperviseOptions = {},
  ): Promise<{ supervisor: Supervisor; events: ProcessEvent[]; lines: string[] }> {
    const lines: string[] = [];
    const events: ProcessEvent[] = [];
    const supervisor = await supervise(specs, { log: (line) => lines.push(line), ...options });
    this.#supervisors.push({ supervisor, events });
    (async () => {
      for await (const event of supervisor.events()) events.push(event);
    })();
    return { supervisor, events, lines };
  }

  /** A shell script as a process: one instance, ready when it has printed a line `ready`. */
  script(name: string, script: string, spec: Partial<ProcessSpec> = {}): ProcessSpec {
    return {
      name,
      command: "/bin/sh",
      args: ["-c", script],
      instances: 1,
      ready: { kind: "line", pattern: "^ready$" },
      output: { kind: "null" },
      ...spec,
    };
  }

  /** A supervisor in a process of its own, which is gone when the test ends. */
  master(
    specs: readonly ProcessSpec[],
    options: { controlPath?: string; permissions?: readonly string[] } = {},
  ): MasterProcess {
    const master = new MasterProcess(this.directory, specs, options);
    this.#masters.push(master);
    return master;
  }

  /** Resolves when `condition` holds; rejects after {@linkcode UNTIL_MS_MAX}, and says what was waited for, and what is. */
  async until(
    condition: () => boolean | Promise<boolean>,
    what: string = String(condition),
  ): Promise<void> {
    const endMs = performance.now() + UNTIL_MS_MAX;
    while (!await condition()) {
      if (performance.now() > endMs) {
        throw new Error(`${UNTIL_MS_MAX} ms have not been enough for: ${what}\n${this.#describe()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Resolves to the text of a file once that has `pattern` in it. */
  async untilFile(path: string, pattern: RegExp = /\n$/): Promise<string> {
    let text = "";
    await this.until(async () => {
      text = await Deno.readTextFile(path).catch(() => "");
      return pattern.test(text);
    }, `${pattern} in ${path}`);
    return text;
  }

  /** Names of what is in a directory. */
  async list(directory: string = this.directory): Promise<string[]> {
    return await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
  }

  async close(): Promise<void> {
    for (const { supervisor } of this.#supervisors) await supervisor.kill();
    for (const master of this.#masters) await master.close();
  }

  /** What has become of what was started. */
  #describe(): string {
    const own = this.#supervisors.map(({ supervisor, events }) => ({ status: supervisor.status(), events }));
    const others = this.#masters.map(({ pid, events }) => ({
      status: { pid, runs: isRunning(pid) },
      events,
    }));
    return [...own, ...others].map(({ status, events }) => {
      const last = events.slice(-SHOWN_EVENTS_MAX).map((event) => `  ${JSON.stringify(event)}\n`);
      return `${JSON.stringify(status)}, and the last of ${events.length} events:\n${last.join("")}`;
    }).join("\n");
  }
}

/** Registers a test of processes; real milliseconds that it may take are given when it is many that start. */
export function processTest(
  name: string,
  body: (harness: ProcessHarness) => Promise<void>,
  watchdogMs = PROCESS_WATCHDOG_MS,
): void {
  Deno.test(name, async () => {
    const directory = await Deno.makeTempDir({ prefix: "mr_" });
    const harness = new ProcessHarness(directory);
    try {
      await withWatchdog(watchdogMs, () => body(harness), name);
    } finally {
      await harness.close();
      await Deno.remove(directory, { recursive: true });
    }
  });
}

/** A program of this repository as a process. */
export function workerSpec(path: string | URL, spec: Partial<ProcessSpec> = {}): ProcessSpec {
  const file = path instanceof URL ? fileURLToPath(path) : path;
  return {
    name: "web",
    command: Deno.execPath(),
    args: ["run", "-A", "--no-check", "--no-lock", "--quiet", file],
    instances: 1,
    ready: { kind: "message", timeoutMs: 60_000 },
    stopTimeoutMs: 30_000,
    output: { kind: "inherit" },
    ...spec,
  };
}

/** The port of a socket that a supervisor listens on. */
export function portOf(supervisor: Supervisor, name: string, socket: string): number {
  const address = supervisor.addresses(name)[socket];
  assert("port" in address);
  return address.port;
}
