import type { WaitOptions } from "../../base/mod.ts";
import type { RegionAccess } from "../sharing/mod.ts";

/** Options of {@linkcode SharedLock.acquire} and {@linkcode SharedLock.withLock}. */
export interface LockOptions extends WaitOptions {
  /**
   * Whether to wait also while this opener has the lock by {@linkcode SharedLock.acquire} or a call like it. Whether it is the caller itself that
   * has it cannot be told, and who waits for itself waits for ever: so without this the call rejects. Another task of the same opener sets it.
   *
   * @default {false}
   */
  queue?: boolean;
}

/** Options of {@linkcode SharedSemaphore.create}. */
export interface SemaphoreCreateOptions extends RegionAccess {
  /** Permits that it has: 1 to {@linkcode SEMAPHORE_PERMITS_MAX}. */
  permits: number;
}
