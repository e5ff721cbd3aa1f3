/**
 * State, locks, semaphores and blocks of memory that processes share, and that survive the death of any of them.
 *
 * @module
 */
export type { Abortable, WaitOptions } from "../../base/mod.ts";
export {
  type LockOptions,
  PermitGuard,
  type PermitStatus,
  SEMAPHORE_PERMITS_MAX,
  type SemaphoreCreateOptions,
  SharedLock,
  SharedLockReentryError,
  SharedSemaphore,
} from "../lock/mod.ts";
export {
  MemoryPool,
  POOL_BLOCK_BYTES_MAX,
  POOL_BLOCKS_MAX,
  PoolBlock,
  type PoolCreateOptions,
  type PoolStatus,
  StaleBlockError,
} from "../pool/mod.ts";
export {
  jsonPayload,
  messagePackPayload,
  type Participant,
  type Payload,
  REGION_NAME_LENGTH_MAX as STATE_NAME_LENGTH_MAX,
  type RegionAccess as StateAccess,
  type RegionFilter as StateFilter,
  type RegionPlace as StatePlace,
} from "../sharing/mod.ts";
export { SharedStateFullError } from "./errors.ts";
export {
  STATE_CAPACITY_MAX,
  STATE_KEY_BYTES_MAX,
  STATE_PARTICIPANTS_MAX,
  STATE_VALUE_BYTES_MAX,
} from "./layout.ts";
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
