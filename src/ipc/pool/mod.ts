/**
 * Blocks of memory that processes hand to each other, and that survive the death of any of them.
 *
 * @module
 */
export { StaleBlockError } from "./errors.ts";
export { MemoryPool, type PoolCreateOptions, type PoolStatus } from "./memory_pool.ts";
export { PoolBlock } from "./pool_block.ts";
export { POOL_BLOCK_BYTES_MAX, POOL_BLOCKS_MAX } from "./pool_layout.ts";
