import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import {
  type ProcessEvent,
  type ProcessSpec,
  supervise,
  type SuperviseOptions,
  type Supervisor,
} from "../../src/process/mod.ts";
import { withWatchdog } from "./watchdog.ts";

/** Real milliseconds that one test may take; workers take a second or more to start when the machine is busy. */
export const PROCESS_WATCHDOG_MS = 120_000;
const LOOK_MS = 10;

/** What a test of processes works with; what it started is gone when it ends. */
export class ProcessHarness {
  /** An empty directory. */
  readonly directory: string;
  readonly #supervisors: Supervisor[] = [];

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
    this.#supervisors.push(supervisor);
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

  /** Resolves when `condition` holds. */
  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    while (!await condition()) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }

  /** Resolves to the text of a file once that has `pattern` in it. */
  async untilFile(path: string, pattern: RegExp = /\n$/): Promise<string> {
    let text = "";
    await this.until(async () => {
      text = await Deno.readTextFile(path).catch(() => "");
      return pattern.test(text);
    });
    return text;
  }

  /** Names of what is in a directory. */
  async list(directory: string = this.directory): Promise<string[]> {
    return await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
  }

  async close(): Promise<void> {
    for (const supervisor of this.#supervisors) await supervisor.kill();
  }
}

/** Registers a test of processes. */
export function processTest(name: string, body: (harness: ProcessHarness) => Promise<void>): void {
  Deno.test(name, async () => {
    const directory = await Deno.makeTempDir({ prefix: "millrace_test_" });
    const harness = new ProcessHarness(directory);
    try {
      await withWatchdog(PROCESS_WATCHDOG_MS, () => body(harness), name);
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

/** Whether a process runs: one that has ended and was not waited for does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(") ") + 2));
  } catch {
    return false;
  }
}

/** The port of a socket that a supervisor listens on. */
export function portOf(supervisor: Supervisor, name: string, socket: string): number {
  const address = supervisor.addresses(name)[socket];
  assert.ok("port" in address);
  return address.port;
}
