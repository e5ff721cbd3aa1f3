import type { BufferPool } from "../buffer_pool.ts";
import type { Operations } from "./operations.ts";
import type { Scheduler } from "./scheduler.ts";
import type { World } from "./world.ts";
import type { SimulatedFaults } from "./simulated_faults.ts";

/** What the parts of one simulated driver share. */
export interface Shared {
  readonly world: World;
  readonly scheduler: Scheduler;
  readonly operations: Operations;
  readonly faults: SimulatedFaults;
  readonly buffers: BufferPool;
  /** What is open, to be closed with the driver. */
  readonly open: Set<{ close(): unknown }>;
}

/** The value of bytes that were valid only during a callback. */
const POISON = 0xdb;

/** Overwrites memory that its reader may use no more, so that a use after that shows. */
export function poison(bytes: Uint8Array): void {
  bytes.fill(POISON);
}
