/**
 * A worker per core that shares nothing with the others, and calls between them through rings in shared memory.
 *
 * @example
 * ```ts
 * import { startCores } from "@millrace/millrace/cores";
 *
 * const module = "data:text/javascript,export function square(value) { return value * value; }";
 * await using group = await startCores({ module, count: 2 });
 * const { square } = await import(module);
 * console.log(await group.submitTo(1, square, 12)); // 144
 * ```
 *
 * @module
 */
export { ARGUMENTS_MAX } from "./call_arguments.ts";
export { CALL_BYTES_MAX, CALLS_OUTSTANDING_MAX } from "./calls.ts";
export { Core, type CoreMain, currentCore } from "./core.ts";
export { CoreGroup } from "./core_group.ts";
export { CoreBusyError, CoreError, CoresClosedError, type CoresClosedErrorOptions } from "./errors.ts";
export { OUTBOX_BYTES_MAX } from "./endpoint.ts";
export {
  type CoreGroupOptions,
  CORES_MAX,
  RESTART_WINDOW_MS,
  RESTARTS_MAX,
  RING_CAPACITY_BYTES,
  SHUTDOWN_TIMEOUT_MS,
  STALL_MS,
  START_TIMEOUT_MS,
} from "./group_options.ts";
export { type MethodArguments, type MethodName, type MethodResult, Sharded } from "./sharded.ts";
export { startCores } from "./start_cores.ts";
export type { CoreStall, CoreStatistics } from "./statistics.ts";
