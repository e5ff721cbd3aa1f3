import { closeDescriptor, NativeChild, nativeStatus, processUsage, socketPair } from "../../../ffi/mod.ts";
import type { Child, ChildHandler, Children, ChildRequest, ChildUsage } from "./child.ts";
import { GUARD_PROGRAM, guardArguments, type GuardedSocket } from "./guard.ts";
import type { ExitStatus } from "./process_event.ts";
import { CONTROL_VARIABLE } from "./worker_variables.ts";
import { WorkerMessages } from "./worker_message.ts";

const FIRST_DESCRIPTOR = 3;
/** Variables of socket activation that this process may have been given itself. */
const ACTIVATION_VARIABLES = ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"];

/** Processes by the native library: they end with this one, and have their sockets from the start. */
export class NativeChildren implements Children {
  readonly handsSocketsDown = true;
  readonly #directory: string;
  readonly #guard: NativeGuard | undefined;
  #count = 0;

  /** Whether this process can have any. */
  static get available(): boolean {
    return nativeStatus().available;
  }

  /** `directory` is for the sockets of children; `sockets` are removed with it by who survives this process. */
  constructor(directory: string, sockets: readonly GuardedSocket[]) {
    this.#directory = directory;
    this.#guard = startGuard(directory, sockets);
  }

  start(request: ChildRequest, handler: ChildHandler): Child {
    const { sockets, program, args, env, cwd = "" } = request;
    const notifyPath = `${this.#directory}/${++this.#count}.notify`;
    const { descriptors } = sockets;
    const variables: Record<string, string> = {
      ...env,
      NOTIFY_SOCKET: notifyPath,
      [CONTROL_VARIABLE]: `fd:${FIRST_DESCRIPTOR + descriptors.length}`,
    };
    if (descriptors.length > 0) {
      variables.LISTEN_FDS = String(descriptors.length);
      variables.LISTEN_FDNAMES = sockets.sockets.map(({ name }) => name).join(":");
    }
    const child = NativeChild.spawn({
      program,
      args: [request.program, ...args],
      variables: [
        ...ACTIVATION_VARIABLES.filter((name) => !(name in variables)),
        ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
      ],
      clearEnvironment: request.clearEnv,
      directory: cwd,
      notifyPath,
      descriptors,
      setListenPid: descriptors.length > 0,
      pipes: request.output === "pipe",
      control: true,
      survives: false,
      guardDescriptor: this.#guard?.descriptor ?? -1,
    }, {
      onNotify: (text) => handler.onNotify(text),
      onExit: (code, signal) => {
        removeQuietly(notifyPath);
        child.control?.destroy();
        handler.onExit({ code, signal } satisfies ExitStatus);
      },
    });
    for (const stream of ["stdout", "stderr"] as const) {
      const socket = child[stream];
      socket?.on("data", (bytes: Uint8Array) => handler.onOutput(stream, bytes));
      socket?.on("close", () => handler.onOutputEnd(stream));
      socket?.on("error", () => {});
    }
    const messages = new WorkerMessages((message) => handler.onMessage(message));
    child.control?.on("data", (bytes: Uint8Array) => messages.add(bytes));
    // It may end at any moment, which is told otherwise.
    child.control?.on("error", () => {});
    return {
      pid: child.pid,
      // Nothing is relayed to one that has the sockets themselves.
      relayPath: () => "",
      kill: (signal) => child.kill(signal),
      pauseOutput() {
        child.stdout?.pause();
        child.stderr?.pause();
      },
      resumeOutput() {
        child.stdout?.resume();
        child.stderr?.resume();
      },
    };
  }

  usage(pid: number): ChildUsage | undefined {
    return processUsage(pid);
  }

  async close(): Promise<void> {
    if (this.#guard === undefined) return;
    this.#guard.child.kill("SIGKILL");
    await this.#guard.ended;
    closeDescriptor(this.#guard.descriptor);
  }
}

/** Who survives this process. */
interface NativeGuard {
  readonly child: NativeChild;
  readonly ended: Promise<void>;
  /** A socket to it. */
  readonly descriptor: number;
}

/** `undefined` where there is no shell. */
function startGuard(directory: string, sockets: readonly GuardedSocket[]): NativeGuard | undefined {
  const [ours, theirs] = socketPair();
  const { promise: ended, resolve: onExit } = Promise.withResolvers<void>();
  try {
    const child = NativeChild.spawn({
      program: GUARD_PROGRAM,
      args: [GUARD_PROGRAM, ...guardArguments(3, directory, sockets)],
      variables: ["PATH=/usr/bin:/bin"],
      clearEnvironment: true,
      directory: "/",
      notifyPath: "",
      descriptors: [theirs],
      setListenPid: false,
      pipes: false,
      control: false,
      survives: true,
      guardDescriptor: -1,
    }, { onNotify() {}, onExit: () => onExit() });
    return { child, ended, descriptor: ours };
  } catch (error) {
    closeDescriptor(ours);
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  } finally {
    closeDescriptor(theirs);
  }
}

function removeQuietly(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Another process cleaned up first.
  }
}
