import type { BufferPool } from "../buffer_pool.ts";
import type { Operations } from "./operations.ts";
import type { Scheduler } from "./scheduler.ts";
import type { World } from "./world.ts";
import type { SimulatedFaults } from "./simulated_faults.ts";

/** What the parts of one simulated driver have in common. */
export interface Shared {
  readonly world: World;
  readonly scheduler: Scheduler;
  readonly operations: Operations;
  readonly faults: SimulatedFaults;
  readonly buffers: BufferPool;
  /** What is open, to be closed with the driver. */
  readonly open: Set<{ close(): unknown }>;
}

/** What a callback finds in memory that was its only during the call. */
const POISON = 0xdb;

/** Spoils memory that somebody was told to use no more, so that use of it shows. */
export function poison(bytes: Uint8Array): void {
  bytes.fill(POISON);
}
