/**
 * State, locks, semaphores and blocks of memory that processes share, and that survive the death of any of them.
 *
 * @module
 */
export type { Abortable, WaitOptions } from "../../base/mod.ts";
export { jsonPayload, messagePackPayload, type Participant, type Payload } from "../sharing/mod.ts";
export { SharedLockReentryError, SharedStateFullError, StaleBlockError } from "./errors.ts";
export {
  STATE_CAPACITY_MAX,
  STATE_KEY_BYTES_MAX,
  STATE_PARTICIPANTS_MAX,
  STATE_VALUE_BYTES_MAX,
} from "./layout.ts";
export type { LockOptions, SemaphoreCreateOptions } from "./lock_options.ts";
export { MemoryPool, type PoolCreateOptions, type PoolStatus } from "./memory_pool.ts";
export { PermitGuard } from "./permit_guard.ts";
export type { PermitStatus } from "./_permit_status.ts";
export { SEMAPHORE_PERMITS_MAX } from "./permits_layout.ts";
export { PoolBlock } from "./pool_block.ts";
export { POOL_BLOCK_BYTES_MAX, POOL_BLOCKS_MAX } from "./pool_layout.ts";
export {
  STATE_NAME_LENGTH_MAX,
  type StateAccess,
  type StateFilter,
  type StatePlace,
} from "./_region_kind.ts";
export { SharedLock } from "./shared_lock.ts";
export { SharedSemaphore } from "./shared_semaphore.ts";
export { SharedState, type StateChange } from "./shared_state.ts";
export { StateEntry } from "./state_entry.ts";
export {
  type SetOptions,
  STATE_DEFAULTS,
  type StateCreateOptions,
  type StateDeleteOptions,
  type StateKeyFilter,
  type StateSetOptions,
  type StateWatchOptions,
} from "./state_options.ts";
export type { StateStatus } from "./state_status.ts";
