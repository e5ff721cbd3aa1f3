import { RELAY_VARIABLE } from "../../io/reactor/mod.ts";
import type { Child, ChildHandler, Children, ChildRequest, ChildUsage } from "./child.ts";
import { GUARD_PROGRAM, guardArguments, type GuardedSocket } from "./guard.ts";
import { CONTROL_VARIABLE } from "./worker_variables.ts";
import { WorkerMessages } from "./worker_message.ts";

/** Ticks of a second in /proc; the same on every Linux that Deno runs on. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;
/** Where in /proc/PID/stat, behind the program's name, processor time and memory stand. */
const FIELD_USER_TICKS = 11;
const FIELD_RESIDENT_PAGES = 21;

/** Processes by Deno alone. Their connections are passed on, and a shell ends them when this process is killed. */
export class PortableChildren implements Children {
  readonly handsSocketsDown = false;
  readonly #directory: string;
  readonly #control: Deno.UnixListener;
  readonly #controlPath: string;
  readonly #handlers = new Map<string, ChildHandler>();
  readonly #guard: PortableGuard | undefined;
  #count = 0;

  /** `directory` is for the sockets of children; `sockets` are removed with it by who survives this process. */
  constructor(directory: string, sockets: readonly GuardedSocket[]) {
    this.#directory = directory;
    this.#controlPath = `${directory}/workers.sock`;
    this.#control = Deno.listen({ transport: "unix", path: this.#controlPath });
    this.#guard = startGuard(directory, sockets);
    this.#acceptWorkers();
  }

  start(request: ChildRequest, handler: ChildHandler): Child {
    const { program, args, env, clearEnv, cwd, sockets } = request;
    const number = ++this.#count;
    const token = crypto.randomUUID();
    const relayPath = (name: string) => `${this.#directory}/${number}-${name}`;
    const relays = sockets.sockets.map((
      { name, address },
    ) => [name, { relayPath: relayPath(name), address }]);
    const stdio = request.output === "pipe" ? "piped" : "inherit";
    this.#handlers.set(token, handler);
    let process: Deno.ChildProcess;
    try {
      process = new Deno.Command(program, {
        args: [...args],
        cwd,
        clearEnv,
        env: {
          ...env,
          [CONTROL_VARIABLE]: `unix:${this.#controlPath}#${token}`,
          [RELAY_VARIABLE]: JSON.stringify(Object.fromEntries(relays)),
        },
        stdin: "null",
        stdout: stdio,
        stderr: stdio,
        detached: true,
      }).spawn();
    } catch (error) {
      this.#handlers.delete(token);
      throw error;
    }
    const { pid } = process;
    this.#tellGuard(`+ ${pid}\n`);
    const gate = new Gate();
    if (stdio === "piped") {
      readAll(process.stdout, "stdout", handler, gate);
      readAll(process.stderr, "stderr", handler, gate);
    }
    let ended = false;
    process.status.then(({ code, signal }) => {
      ended = true;
      killGroup(pid);
      this.#tellGuard(`- ${pid}\n`);
      this.#handlers.delete(token);
      for (const { name } of sockets.sockets) removeAll(this.#directory, `${number}-${name}.`);
      handler.onExit({ code, signal });
    });
    return {
      pid,
      relayPath,
      kill(signal) {
        if (ended) return false;
        try {
          process.kill(signal);
          return true;
        } catch {
          // It has ended, which is about to be told.
          return false;
        }
      },
      pauseOutput: () => gate.close(),
      resumeOutput: () => gate.open(),
    };
  }

  usage(pid: number): ChildUsage | undefined {
    try {
      const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
      const fields = stat.slice(stat.lastIndexOf(") ") + 2).split(" ").map(Number);
      const ticks = fields[FIELD_USER_TICKS] + fields[FIELD_USER_TICKS + 1];
      return {
        memoryBytes: fields[FIELD_RESIDENT_PAGES] * PAGE_BYTES,
        cpuMs: ticks * 1000 / TICKS_PER_SECOND,
      };
    } catch {
      // It has ended, or Deno does not let this program read there: that takes all permissions.
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#control.close();
    if (this.#guard === undefined) return;
    const { process, writer } = this.#guard;
    process.ref();
    try {
      process.kill("SIGKILL");
    } catch {
      // It was ended from outside.
    }
    await process.status;
    await writer.close().catch(() => {});
  }

  #tellGuard(line: string): void {
    this.#guard?.writer.write(new TextEncoder().encode(line)).catch(() => {});
  }

  async #acceptWorkers(): Promise<void> {
    for await (const conn of this.#control) this.#serveWorker(conn);
  }

  /** The first message says by its token which instance it comes from. */
  async #serveWorker(conn: Deno.UnixConn): Promise<void> {
    let handler: ChildHandler | undefined;
    const messages = new WorkerMessages((message) => {
      if (handler === undefined && message.type === "hello" && message.token !== undefined) {
        handler = this.#handlers.get(message.token);
        // Once: whatever the worker starts has the variable too.
        this.#handlers.delete(message.token);
      }
      handler?.onMessage(message);
    });
    try {
      for await (const bytes of conn.readable) messages.add(bytes);
    } catch {
      // The worker has ended, which is told otherwise.
    }
  }
}

/** Holds readers up while it is closed. */
class Gate {
  #opened: Promise<void> | undefined;
  #open: (() => void) | undefined;

  close(): void {
    this.#opened ??= new Promise((resolve) => this.#open = resolve);
  }

  open(): void {
    this.#open?.();
    this.#opened = this.#open = undefined;
  }

  get passed(): Promise<void> | undefined {
    return this.#opened;
  }
}

async function readAll(
  stream: ReadableStream<Uint8Array>,
  name: "stdout" | "stderr",
  handler: ChildHandler,
  gate: Gate,
): Promise<void> {
  try {
    for await (const bytes of stream) {
      handler.onOutput(name, bytes);
      if (gate.passed !== undefined) await gate.passed;
    }
  } catch {
    // The same as its end.
  }
  handler.onOutputEnd(name);
}

/** Who survives this process. */
interface PortableGuard {
  readonly process: Deno.ChildProcess;
  readonly writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
}

/** `undefined` where there is no shell. */
function startGuard(directory: string, sockets: readonly GuardedSocket[]): PortableGuard | undefined {
  try {
    const process = new Deno.Command(GUARD_PROGRAM, {
      args: guardArguments(0, directory, sockets),
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin" },
      stdin: "piped",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    process.unref();
    return { process, writer: process.stdin.getWriter() };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function killGroup(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}

function removeAll(directory: string, prefix: string): void {
  try {
    for (const { name } of Deno.readDirSync(directory)) {
      if (name.startsWith(prefix)) Deno.removeSync(`${directory}/${name}`);
    }
  } catch {
    // Another process cleaned up first.
  }
}
