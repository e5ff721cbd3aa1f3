/**
 * Rings: messages from one worker or process to another through shared memory.
 *
 * @module
 */
export type { Abortable, WaitOptions } from "../../base/mod.ts";
export { RingConsumer } from "./consumer.ts";
export { RingClosedError, type RingEnd } from "./errors.ts";
export { CAPACITY_BYTES_MAX, CAPACITY_BYTES_MIN } from "./layout.ts";
export { RingProducer } from "./producer.ts";
export type { RingMemory, RingRegion } from "./region.ts";
export { type RingAttachOptions, type RingOptions, SpscRing } from "./spsc_ring.ts";
export {
  PEER_CHECK_MS,
  RING_SPIN_COUNT,
  RING_WAITS_MAX,
  type RingWaitStrategy,
  type RingWaitSyncOptions,
} from "./wait.ts";
