/** Processes that this one starts, and listening sockets that it was started with. */
import { constants } from "node:os";
import { Socket } from "node:net";
import { check, systemError } from "./errno.ts";
import { CHILD_FRAME, SPAWN_FLAG, SPAWN_REQUEST, SPAWN_STEP } from "./layouts.ts";
import { native } from "./library.ts";
import { closeDescriptor } from "./memory.ts";

/** What {@linkcode NativeChild.spawn} starts, and how. */
export interface NativeSpawnRequest {
  /** Path of the program. */
  readonly program: string;
  /** Its arguments, its own name first. */
  readonly args: readonly string[];
  /** Variables as `NAME=value`; `NAME` alone removes one. */
  readonly variables: readonly string[];
  /** Begin without variables, not with those of this process. */
  readonly clearEnvironment: boolean;
  /** Its working directory; `""` for that of this process. */
  readonly directory: string;
  /** Path of the socket for its `sd_notify()` messages; `""` for none. */
  readonly notifyPath: string;
  /** Descriptors that it gets at 3, 4 and so on. */
  readonly descriptors: readonly number[];
  /** Whether `LISTEN_PID` is set to the child's process id. */
  readonly setListenPid: boolean;
  /** Whether its output comes here through pipes, not to the output of this process. */
  readonly pipes: boolean;
  /** Whether it gets a socket to this process, after its descriptors. */
  readonly control: boolean;
  /** Whether it outlives this thread. */
  readonly survives: boolean;
  /** A socket that gets `+ <process group>` and a line feed before the child runs, and `- …` when it has ended; -1 for none. */
  readonly guardDescriptor: number;
}

/** Takes the events of a child. */
export interface NativeChildHandler {
  /** It has sent a message to its `NOTIFY_SOCKET`. */
  onNotify(text: string): void;
  /** It has ended, by itself with `code`, or by a signal. No process of its group is left. */
  onExit(code: number, signal: Deno.Signal | null): void;
}

/** Why a program could not be started: the step that failed in the child. */
export type SpawnStep = "prepare" | "descriptors" | "directory" | "exec";

const HEADER_BYTES = 4;
const STEPS: Readonly<Record<number, SpawnStep>> = {
  [SPAWN_STEP.prepare]: "prepare",
  [SPAWN_STEP.descriptors]: "descriptors",
  [SPAWN_STEP.directory]: "directory",
  [SPAWN_STEP.exec]: "exec",
};
const OPERATIONS: Readonly<Record<SpawnStep, string>> = {
  prepare: "spawn",
  descriptors: "spawn: hand descriptors down",
  directory: "spawn: change to the directory",
  exec: "spawn",
};
const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals).reverse().map((
    [name, number],
  ) => [number as number, name as Deno.Signal]),
);

/**
 * A process that this thread has started, and that ends with it.
 *
 * A native thread waits for its end, so that it is noticed at once. While it runs, it keeps this process alive.
 */
export class NativeChild {
  /** Its process id. */
  readonly pid: number;
  /** Its standard output; `undefined` without pipes. */
  readonly stdout: Socket | undefined;
  /** Its standard error; `undefined` without pipes. */
  readonly stderr: Socket | undefined;
  /** A socket whose other end the child has; `undefined` unless requested. */
  readonly control: Socket | undefined;
  readonly #pidfd: number;
  readonly #events: Socket;
  readonly #handler: NativeChildHandler;
  #pending = new Uint8Array(0);
  #ended = false;

  /**
   * Starts a program, and returns once it runs.
   *
   * @throws {Deno.errors.NotFound | Deno.errors.PermissionDenied} and others, with the program or the directory
   * @throws {Deno.errors.NotSupported} without the native library
   */
  static spawn(request: NativeSpawnRequest, handler: NativeChildHandler): NativeChild {
    const { args, variables, descriptors, program, directory, notifyPath } = request;
    const flags = (request.clearEnvironment ? SPAWN_FLAG.clearEnvironment : 0) |
      (request.pipes ? SPAWN_FLAG.pipes : 0) |
      (request.setListenPid ? SPAWN_FLAG.listenPid : 0) | (request.control ? SPAWN_FLAG.control : 0) |
      (request.survives ? SPAWN_FLAG.survives : 0);
    const words = new Int32Array(SPAWN_REQUEST.words + descriptors.length);
    words[SPAWN_REQUEST.flags] = flags;
    words[SPAWN_REQUEST.guard] = request.guardDescriptor;
    words[SPAWN_REQUEST.argumentCount] = args.length;
    words[SPAWN_REQUEST.variableCount] = variables.length;
    words[SPAWN_REQUEST.descriptorCount] = descriptors.length;
    words.set(descriptors, SPAWN_REQUEST.words);
    const texts = [program, directory, notifyPath, ...args, ...variables];
    const text = texts.find((text) => text.includes("\0"));
    if (text !== undefined) throw new TypeError(`spawn: ${JSON.stringify(text)} has a zero byte in it`);
    const strings = new TextEncoder().encode(texts.map((text) => `${text}\0`).join(""));
    const out = new Int32Array(6);
    const result = native().millrace_spawn(words, words.length, strings, strings.byteLength, out);
    if (result < 0) {
      const step = STEPS[out[0]] ?? "prepare";
      throw systemError(OPERATIONS[step], -result, step === "directory" ? directory : program);
    }
    return new NativeChild(out, handler);
  }

  private constructor(
    [pid, pidfd, events, stdout, stderr, control]: Int32Array,
    handler: NativeChildHandler,
  ) {
    this.pid = pid;
    this.#pidfd = pidfd;
    this.#handler = handler;
    this.stdout = stdout < 0 ? undefined : new Socket({ fd: stdout, readable: true, writable: false });
    this.stderr = stderr < 0 ? undefined : new Socket({ fd: stderr, readable: true, writable: false });
    this.control = control < 0 ? undefined : new Socket({ fd: control, readable: true, writable: true });
    this.#events = new Socket({ fd: events, readable: true, writable: false });
    this.#events.on("data", (bytes: Uint8Array) => this.#receive(bytes));
  }

  /** Whether its end has been reported. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends a signal; false when it has ended. */
  kill(signal: Deno.Signal): boolean {
    if (this.#ended) return false;
    const result = native().millrace_pidfd_signal(this.#pidfd, signalNumber(signal));
    if (result === -3) return false;
    check(result, "send a signal", `${signal} to process ${this.pid}`);
    return true;
  }

  #receive(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#pending.byteLength + bytes.byteLength);
    all.set(this.#pending);
    all.set(bytes, this.#pending.byteLength);
    const view = new DataView(all.buffer);
    let at = 0;
    while (all.byteLength - at >= HEADER_BYTES) {
      const isNotify = all[at] === CHILD_FRAME.notify;
      const byteLength = isNotify ? HEADER_BYTES + view.getUint16(at + 2, true) : CHILD_FRAME.bytes;
      if (all.byteLength - at < byteLength) break;
      if (isNotify) {
        this.#handler.onNotify(new TextDecoder().decode(all.subarray(at + HEADER_BYTES, at + byteLength)));
      } else this.#end(view.getInt32(at + HEADER_BYTES, true));
      at += byteLength;
    }
    this.#pending = all.slice(at);
  }

  /** `status` is that of waitpid(2). */
  #end(status: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.destroy();
    closeDescriptor(this.#pidfd);
    const signal = status & 0x7f;
    if (signal === 0) this.#handler.onExit(status >> 8 & 0xff, null);
    else this.#handler.onExit(128 + signal, SIGNAL_NAMES.get(signal) ?? "SIGKILL");
  }
}

/** The number of a signal. */
export function signalNumber(signal: Deno.Signal): number {
  const number = (constants.signals as Record<string, number>)[signal];
  if (number === undefined) throw new TypeError(`${signal} is no signal of this system`);
  return number;
}

/** Memory and processor time of a process. */
export interface ProcessUsage {
  /** Bytes of memory in use. */
  readonly memoryBytes: number;
  /** Milliseconds of processor time taken so far. */
  readonly cpuMs: number;
}

/** Memory and processor time of process `pid`; `undefined` when there is no such process. */
export function processUsage(pid: number): ProcessUsage | undefined {
  const out = new Float64Array(2);
  if (native().millrace_process_usage(pid, out) < 0) return undefined;
  return { memoryBytes: out[0], cpuMs: out[1] };
}

/**
 * A descriptor of this thread for the listening socket `fd`, which does not block from then on.
 *
 * @throws {Deno.errors.BadResource | Deno.errors.InvalidData} when `fd` is not open, or is no listening socket
 */
export function adoptListener(fd: number): number {
  return adopt(fd, 0);
}

/**
 * The same for a socket that Deno closes: this thread must not own the descriptor, or it would close a reused number when it
 * ends.
 *
 * @throws {Deno.errors.BadResource | Deno.errors.InvalidData} when `fd` is not open, or is no listening socket
 */
export function lendListener(fd: number): number {
  return adopt(fd, 1);
}

function adopt(fd: number, lent: 0 | 1): number {
  return check(
    native().millrace_adopt_listener(fd, lent),
    "take over a listening socket",
    `at descriptor ${fd}`,
  );
}

/** Keeps child processes from inheriting a descriptor that this process was started with. */
export function closeOnExec(fd: number): void {
  check(native().millrace_close_on_exec(fd), "keep a descriptor", String(fd));
}

/** The descriptor of a pending connection of a non-blocking listening socket, or the negative error number. */
export function acceptNow(fd: number): number {
  return native().millrace_accept(fd);
}
