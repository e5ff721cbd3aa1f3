import { requireWhole } from "../../base/mod.ts";
import { inspect } from "node:util";
import { allowedCpus, nativeStatus } from "../../../ffi/mod.ts";
import type { DriverChoice, IdleStrategy } from "../../io/reactor/mod.ts";
import { CAPACITY_BYTES_MAX } from "../../ipc/ring/mod.ts";
import type { CoreStall } from "./statistics.ts";

/** Cores of one group, at most. */
export const CORES_MAX = 256;
/** Default of `ringCapacityBytes`. */
export const RING_CAPACITY_BYTES = 64 * 1024;
/** Least `ringCapacityBytes`. */
const RING_CAPACITY_BYTES_MIN = 4096;
/** Default of `shutdownTimeoutMs`. */
export const SHUTDOWN_TIMEOUT_MS = 10_000;
/** Default of `startTimeoutMs`. */
export const START_TIMEOUT_MS = 30_000;
/** Default of `stallMs`. */
export const STALL_MS = 1000;
/** Default of `restartsMax`. */
export const RESTARTS_MAX = 5;
/** Time in milliseconds over which `restartsMax` counts. */
export const RESTART_WINDOW_MS = 60_000;

/** Options of {@linkcode startCores}. */
export interface CoreGroupOptions {
  /** The module that every core loads: its exported functions are tasks, its exported `Sharded` services; its default export, if any, is called on each core when all are ready. */
  module: string | URL;
  /**
   * How many cores, 1 to {@linkcode CORES_MAX}.
   *
   * @default {navigator.hardwareConcurrency}
   */
  count?: number;
  /**
   * Keeps each core on one processor of those that this process may use, in turn. Needs the native library.
   *
   * @default {false}
   */
  pinned?: boolean;
  /**
   * How a core waits when it has nothing to do.
   *
   * @default {"cooperate"}
   */
  idle?: IdleStrategy;
  /**
   * Which driver the cores' reactors use.
   *
   * @default {"auto"}
   */
  driver?: DriverChoice;
  /**
   * Bytes of each ring, of which there is one for every ordered pair: a power of two from 4096.
   *
   * @default {65536}
   */
  ringCapacityBytes?: number;
  /** Shuts the group down; while it starts, ends the start. */
  signal?: AbortSignal;
  /**
   * Signals to the process that shut the group down; a second one ends at once.
   *
   * @default {[]}
   */
  shutdownOn?: readonly Deno.Signal[];
  /**
   * Milliseconds that the cores get to finish what they do when the group is shut down.
   *
   * @default {10000}
   */
  shutdownTimeoutMs?: number;
  /**
   * Milliseconds that the cores get to be ready.
   *
   * @default {30000}
   */
  startTimeoutMs?: number;
  /**
   * What the death of a core means, once the others have been stopped in order: the end of the group, whose `finished` rejects
   * with the cause; or a new start of all its cores, up to `restartsMax` times a minute. A core dies of an error or a rejection that
   * nobody catches, of a default export that throws, and of `self.close()` or `Deno.exit()`.
   *
   * @default {"end"}
   */
  onCoreDeath?: "end" | "restart";
  /**
   * Restarts within {@linkcode RESTART_WINDOW_MS} at most; one more death ends the group.
   *
   * @default {5}
   */
  restartsMax?: number;
  /** Called after each restart, with the cause, when calls can be made again. */
  onRestart?: (cause: Error) => void;
  /**
   * Milliseconds for which one piece of work may hold a core before `onStall` is told.
   *
   * @default {1000}
   */
  stallMs?: number;
  /** Called once for each task that holds a core for `stallMs`, while it does. */
  onStall?: (stall: CoreStall) => void;
}

/** {@linkcode CoreGroupOptions} with everything decided. @internal */
export interface CheckedOptions
  extends Required<Omit<CoreGroupOptions, "signal" | "onRestart" | "onStall" | "pinned" | "module">> {
  readonly module: string;
  readonly signal: AbortSignal | undefined;
  readonly onRestart: ((cause: Error) => void) | undefined;
  readonly onStall: ((stall: CoreStall) => void) | undefined;
  /** The processor of each core. */
  readonly cpus: readonly (number | undefined)[];
}

/** All that {@linkcode CoreGroupOptions} has. */
const NAMES = {
  module: true,
  count: true,
  pinned: true,
  idle: true,
  driver: true,
  ringCapacityBytes: true,
  signal: true,
  shutdownOn: true,
  shutdownTimeoutMs: true,
  startTimeoutMs: true,
  onCoreDeath: true,
  restartsMax: true,
  onRestart: true,
  stallMs: true,
  onStall: true,
} satisfies Record<keyof CoreGroupOptions, true>;

/**
 * Checks options, and fills in the defaults.
 *
 * @throws {RangeError | TypeError} when one is out of range
 * @throws {Deno.errors.NotSupported} with `pinned` and without the native library
 */
export function checkOptions(options: CoreGroupOptions): CheckedOptions {
  requireTypes(options);
  const count = options.count ?? navigator.hardwareConcurrency;
  const { ringCapacityBytes = RING_CAPACITY_BYTES, idle = "cooperate" } = options;
  requireWhole("startCores", "count", count, 1, CORES_MAX);
  requireWhole(
    "startCores",
    "ringCapacityBytes",
    ringCapacityBytes,
    RING_CAPACITY_BYTES_MIN,
    CAPACITY_BYTES_MAX,
  );
  if (!Number.isInteger(Math.log2(ringCapacityBytes))) {
    throw new RangeError(`startCores: ringCapacityBytes is ${ringCapacityBytes}, expected a power of two`);
  }
  const { driver = "auto", onCoreDeath = "end" } = options;
  requireOneOf("idle", idle, ["block", "cooperate", "spin"]);
  requireOneOf("driver", driver, ["auto", "uring", "deno"]);
  requireOneOf("onCoreDeath", onCoreDeath, ["end", "restart"]);
  const { shutdownTimeoutMs = SHUTDOWN_TIMEOUT_MS, startTimeoutMs = START_TIMEOUT_MS, stallMs = STALL_MS } =
    options;
  const { restartsMax = RESTARTS_MAX } = options;
  requireWhole("startCores", "restartsMax", restartsMax, 0, 2 ** 31 - 1);
  for (const [name, value] of Object.entries({ shutdownTimeoutMs, startTimeoutMs, stallMs })) {
    if (!(value >= 0 && value <= 2 ** 31 - 1)) {
      throw new RangeError(`startCores: ${name} is ${value}, expected 0 to ${2 ** 31 - 1}`);
    }
  }
  return {
    module: moduleUrl(options.module),
    count,
    idle,
    ringCapacityBytes,
    driver,
    signal: options.signal,
    shutdownOn: options.shutdownOn ?? [],
    shutdownTimeoutMs,
    startTimeoutMs,
    onCoreDeath,
    restartsMax,
    onRestart: options.onRestart,
    stallMs,
    onStall: options.onStall,
    cpus: options.pinned ? cpusOf(count) : [],
  };
}

function moduleUrl(module: string | URL): string {
  try {
    return new URL(module).href;
  } catch (cause) {
    throw new TypeError(
      `startCores: module is "${module}", expected a whole URL, such as new URL("./core.ts", import.meta.url)`,
      { cause },
    );
  }
}

function cpusOf(count: number): number[] {
  const status = nativeStatus();
  if (!status.available) {
    throw new Deno.errors.NotSupported(`startCores: pinned needs the native library: ${status.reason}`);
  }
  const cpus = allowedCpus();
  return Array.from({ length: count }, (_, index) => cpus[index % cpus.length]);
}

/** What would be ignored, or fail only when it is needed. */
function requireTypes(options: CoreGroupOptions): void {
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(NAMES, name)) throw new TypeError(`startCores: there is no option "${name}"`);
  }
  const { shutdownOn = [], signal } = options;
  if (!Array.isArray(shutdownOn)) {
    throw new TypeError(`startCores: shutdownOn is ${inspect(shutdownOn)}, expected an array of signals`);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(`startCores: signal is ${inspect(signal)}, expected an AbortSignal`);
  }
  for (const name of ["onStall", "onRestart"] as const) {
    const value: unknown = options[name];
    if (value === undefined || typeof value === "function") continue;
    throw new TypeError(`startCores: ${name} is ${inspect(value)}, expected a function`);
  }
}

function requireOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  throw new TypeError(`startCores: ${name} is "${value}", expected one of ${allowed.join(", ")}`);
}
