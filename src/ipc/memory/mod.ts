/**
 * Named memory that processes share.
 *
 * @module
 */
export { SHARED_MEMORY_BYTES_MAX, SHARED_MEMORY_LOCK_COUNT } from "./layout.ts";
export {
  SHARED_MEMORY_NAME_LENGTH_MAX,
  type SharedMemoryPlace,
  type SharedMemoryTarget,
} from "./region_name.ts";
export { SHARED_MEMORY_OPEN_WAIT_MS_MAX, SHARED_MEMORY_WAIT_MS_MAX } from "./region_file.ts";
export type {
  SharedMemoryCreator,
  SharedMemoryFilter,
  SharedMemoryInfo,
  SharedMemoryState,
  SharedMemoryUnlinkOptions,
} from "./region_list.ts";
export { SharedMemory, type SharedMemoryOpenOptions, type SharedMemoryOptions } from "./shared_memory.ts";
