import { join } from "node:path";
import { constants as osConstants, tmpdir } from "node:os";
import { messageOf, printError } from "./terminal.ts";

/** Where Linux has shared memory by name. */
const SHARED_MEMORY = "/dev/shm";
/** Milliseconds that processes of an interrupted run have to end by themselves. */
const ENDING_MS_MAX = 3000;

/** Signals that end a run early. */
type EndingSignal = "SIGINT" | "SIGTERM";

/**
 * What one run of the suite has on this machine: an id that the names of its shared memory carry (`testName()` of the tests), a directory for
 * all its temporary files, and a group for each `deno test`, so that nothing of it is left, however it ends.
 */
export class TestRun implements AsyncDisposable {
  /** Stands in every name of shared memory that a test makes. */
  readonly id: string = crypto.randomUUID().slice(0, 8);
  /** For reports, and the temporary files of the tests; a short path, because sockets lie below it. */
  readonly directory: string = join(tmpdir(), `millrace-${this.id}`);
  readonly #running = new Set<Deno.ChildProcess>();
  #interruptedBy: EndingSignal | undefined;
  #ending: Promise<void> | undefined;

  constructor() {
    Deno.mkdirSync(this.directory, { mode: 0o700 });
  }

  /** The exit code that says by which signal it was ended early. */
  get interruptedCode(): number | undefined {
    return this.#interruptedBy === undefined ? undefined : 128 + osConstants.signals[this.#interruptedBy];
  }

  /** What the tests find in their environment. */
  get environment(): Record<string, string> {
    return { MILLRACE_TEST_RUN: this.id, TMPDIR: this.directory };
  }

  /** Ends early at Ctrl-C or SIGTERM; at a second one without waiting for anybody. */
  endOnSignals(): void {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.addSignalListener(signal, () => void this.interrupt(signal));
    }
  }

  /** Ends what runs: by `signal` at first, so that it can clean up. Called again, at once. */
  interrupt(signal: EndingSignal): Promise<void> {
    if (this.#interruptedBy !== undefined) this.#signalAll("SIGKILL");
    this.#interruptedBy ??= signal;
    return this.#ending ??= this.#end(signal);
  }

  /** Runs a program in a group of processes of its own, to its end; `onText` has what it writes, which otherwise goes where ours goes. */
  async run(
    [program, ...args]: readonly string[],
    options: { directory: string; environment: Record<string, string>; onText?: (text: string) => void },
  ): Promise<Deno.CommandStatus> {
    const out = options.onText === undefined ? "inherit" : "piped";
    const child = new Deno.Command(program, {
      args,
      cwd: options.directory,
      env: { ...options.environment, ...this.environment },
      stdin: "null",
      stdout: out,
      stderr: out,
      detached: true,
    }).spawn();
    this.#running.add(child);
    const { onText } = options;
    try {
      if (onText === undefined) return await child.status;
      // A process that outlives the tests may hold the pipes open.
      const reading = Promise.all([child.stdout, child.stderr].map((stream) => readText(stream, onText)));
      const status = await child.status;
      await Promise.race([reading, pause(ENDING_MS_MAX)]);
      return status;
    } finally {
      this.#running.delete(child);
    }
  }

  /** Names of this run's shared memory that is still there. */
  async leftNames(): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const { name } of Deno.readDir(SHARED_MEMORY)) {
        if (name.includes(`test-${this.id}-`)) names.push(name);
      }
    } catch (error) {
      // Another system.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return names;
  }

  /** Takes away what is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ending;
    for (const name of await this.leftNames()) await remove(join(SHARED_MEMORY, name));
    await remove(this.directory);
  }

  async #end(signal: EndingSignal): Promise<void> {
    const groups = [...this.#running].map(({ pid }) => pid);
    signalGroups(groups, signal);
    const endMs = performance.now() + ENDING_MS_MAX;
    while (groups.some(hasProcesses) && performance.now() < endMs) await pause(50);
    signalGroups(groups, "SIGKILL");
    while (groups.some(hasProcesses) && performance.now() < endMs + ENDING_MS_MAX) await pause(50);
  }

  #signalAll(signal: Deno.Signal): void {
    signalGroups([...this.#running].map(({ pid }) => pid), signal);
  }
}

function signalGroups(groups: readonly number[], signal: Deno.Signal): void {
  for (const group of groups) {
    try {
      Deno.kill(-group, signal);
    } catch {
      // All of them have ended.
    }
  }
}

/** Whether a process of that group is left; one that nobody has waited for yet counts. */
function hasProcesses(group: number): boolean {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${name}/stat`);
      const [state, , processGroup] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (Number(processGroup) === group && state !== "Z") return true;
    } catch {
      // It has ended meanwhile.
    }
  }
  return false;
}

async function readText(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onText: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) onText(text);
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) printError(`not removed: ${path}: ${messageOf(error)}`);
  }
}
