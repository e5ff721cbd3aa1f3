import type { DriverChoice, IdleStrategy } from "../../io/reactor/mod.ts";
import type { PortableThrown } from "../../base/value/mod.ts";
import type { MeshMemory } from "./mesh.ts";

/**
 * What a group and its workers say to each other beside the rings.
 *
 * ```text
 * group    load ─▶   start service ─▶   run ─▶      stop ─▶   stop service ─▶   close ─▶
 * worker      loaded ─▶        done ─▶     done ─▶     done ─▶          done ─▶     done ─▶
 *                    └ one by one ┘                           └ last one first ┘
 * ```
 * The group waits for the answers of all workers before it says the next thing. `lost` is said of a core that died, and not
 * answered; `failed` comes at any time, and is the last that a worker says.
 */
export type ToWorker =
  | { readonly type: "load"; readonly start: StartMessage }
  | { readonly type: "start service"; readonly service: number }
  | { readonly type: "run" }
  | { readonly type: "stop"; readonly reason: string }
  | { readonly type: "stop service"; readonly service: number }
  | { readonly type: "close" }
  | { readonly type: "lost"; readonly core: number; readonly error: PortableThrown };

/** See {@linkcode ToWorker}. */
export type FromWorker =
  | LoadedMessage
  /** With what went wrong, where the rest is to go on all the same. */
  | { readonly type: "done"; readonly error?: PortableThrown }
  | { readonly type: "failed"; readonly error: PortableThrown };

/** What a worker says of itself when it has loaded the group's module. */
export interface LoadedMessage {
  readonly type: "loaded";
  /** The driver of its reactor. */
  readonly driver: string;
  /** The names of its tasks, by number. */
  readonly taskNames: readonly string[];
  /** How many services the module exports. */
  readonly serviceCount: number;
}

/** What a worker needs to be a core. */
export interface StartMessage {
  readonly index: number;
  readonly count: number;
  readonly module: string;
  readonly mesh: MeshMemory;
  readonly idle: IdleStrategy;
  readonly driver: DriverChoice;
  /** The eventfd to wake it with, where it uses io_uring. */
  readonly descriptor: number | undefined;
  /** The processor to stay on. */
  readonly cpu: number | undefined;
}
