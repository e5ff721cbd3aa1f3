import type { ExitStatus } from "./process_event.ts";
import type { HeldSockets } from "./held_sockets.ts";
import type { RelayTarget } from "./relayed_socket.ts";
import type { WorkerMessage } from "./worker_message.ts";

/** Which program an instance runs, and with what. */
export interface ChildRequest {
  /** Path of the program. */
  readonly program: string;
  /** Its arguments, without its name. */
  readonly args: readonly string[];
  /** Variables beside those of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Gives it none of this process's variables. */
  readonly clearEnv: boolean;
  /** Where it runs. */
  readonly cwd: string | undefined;
  /** Whether what it writes comes here, or goes where this process's output goes. */
  readonly output: "pipe" | "inherit";
  /** What it is to have of listening sockets. */
  readonly sockets: HeldSockets;
}

/** Takes what a child does. */
export interface ChildHandler {
  /** It has written something; valid during the call. */
  onOutput(stream: "stdout" | "stderr", bytes: Uint8Array): void;
  /** It will write nothing more. */
  onOutputEnd(stream: "stdout" | "stderr"): void;
  /** It has sent a message by sd_notify(3). */
  onNotify(text: string): void;
  /** Its `workerMain()` has sent a message. */
  onMessage(message: WorkerMessage): void;
  /** It has ended; nothing of its process group is left. */
  onExit(status: ExitStatus): void;
}

/** A process that runs. */
export interface Child extends RelayTarget {
  /** Its number. */
  readonly pid: number;
  /** Sends a signal; false when it has ended. */
  kill(signal: Deno.Signal): boolean;
  /** Lets what it writes wait, so that it is held up. */
  pauseOutput(): void;
  /** Goes on after a pause. */
  resumeOutput(): void;
}

/** Memory and processor time of a process. */
export interface ChildUsage {
  /** Bytes of memory in use. */
  readonly memoryBytes: number;
  /** Milliseconds of processor time taken so far. */
  readonly cpuMs: number;
}

/** Starts processes, by the native library or by Deno. */
export interface Children {
  /** Whether sockets are handed down; otherwise their connections are passed on. */
  readonly handsSocketsDown: boolean;
  /**
   * Starts a program.
   *
   * @throws {Deno.errors.NotFound | Deno.errors.PermissionDenied} and others
   */
  start(request: ChildRequest, handler: ChildHandler): Child;
  /** What a process takes; `undefined` when there is none, or that is unknown. */
  usage(pid: number): ChildUsage | undefined;
  /** Frees what was held, when all have ended; resolves when nobody survives this process any more. */
  close(): Promise<void>;
}
