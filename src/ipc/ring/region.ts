/**
 * Memory that a ring lies in: that of a process, shared between its workers, or a part of such, from a multiple of 8 on; or a named region shared between processes,
 * such as a `SharedMemory` of `@millrace/millrace/memory`.
 */
export type RingMemory = SharedArrayBuffer | Uint8Array<SharedArrayBuffer> | RingRegion;

/** What a ring needs of a region that other processes have mapped too. */
export interface RingRegion {
  /** The region, from a multiple of 8 on; of length 0 once it is closed. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Takes lock `index` for this opener of the region, until it unlocks, closes or dies; false when another has it. */
  tryLock(index: number): boolean;
  /** Whether another opener of the region has lock `index`. */
  isLocked(index: number): boolean;
  /** Gives lock `index` back. */
  unlock(index: number): void;
}

/** The bytes of memory that is shared between the workers of one process; `undefined` of any other. */
export function processBytes(memory: RingMemory): Uint8Array<SharedArrayBuffer> | undefined {
  if (memory instanceof SharedArrayBuffer) return new Uint8Array(memory);
  return memory instanceof Uint8Array && memory.buffer instanceof SharedArrayBuffer ? memory : undefined;
}
