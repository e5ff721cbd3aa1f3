/**
 * What every other layer builds on: invariants, time, a queue, checksums and replayable chance. Pure, and
 * imports nothing.
 *
 * @module
 */
export { assert, InvariantError } from "./assert.ts";
export { type Clock, ManualClock, systemClock } from "./clock.ts";
export { crc32c } from "./crc32c.ts";
export { Deque, DEQUE_LENGTH_MAX, type DequeOptions } from "./deque.ts";
export { endable } from "./endable.ts";
export { fnv1a } from "./fnv.ts";
export { formatAddress, type HostAndPort } from "./host_and_port.ts";
export { nameProblem } from "./object_name.ts";
export { type RandomState, SeededRandom } from "./random.ts";
export { requireWhole } from "./require_whole.ts";
export type { Abortable, WaitOptions } from "./wait_options.ts";
