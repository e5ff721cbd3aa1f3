/**
 * Tasks in other processes: a pool of workers, and channels between a process and those that it has started.
 *
 * @module
 */
export { CHANNEL_VARIABLE, ChannelHub } from "./channel_hub.ts";
export { ProcessEndedError, TaskPoolFullError } from "./errors.ts";
export type { ChannelPeer } from "./handshake.ts";
export { openChannel } from "./open_channel.ts";
export {
  type CallListener,
  type CallOptions,
  CHANNEL_ANSWERS_BYTES_MAX,
  CHANNEL_CALLS_MAX,
  CHANNEL_UNREAD_BYTES_MAX,
  CHANNEL_UNREAD_MAX,
  CHANNEL_WAITING_BYTES_MAX,
  type ChannelOptions,
  ProcessChannel,
} from "./process_channel.ts";
export { serveTasks } from "./serve_tasks.ts";
export {
  TASK_DEATHS_MAX,
  TASK_WAITING_MAX_DEFAULT,
  TaskPool,
  type TaskPoolOptions,
  type TaskPoolStatus,
} from "./task_pool.ts";
export type { RunOptions, TaskArguments, TaskContext, TaskName, TaskResult } from "./task_types.ts";
