/**
 * Coordination between the asynchronous tasks of one thread: semaphores, gates, locks, channels, broadcasts and
 * groups of tasks. Everything is bounded and served first come, first served, and every wait takes an
 * `AbortSignal`.
 *
 * @example
 * ```ts
 * import { Channel, TaskGroup } from "@millrace/millrace/sync";
 *
 * const jobs = new Channel<number>(8);
 * await using group = new TaskGroup({ failure: "cancel others" });
 * for (let worker = 0; worker < 2; worker++) {
 *   group.spawn(async (signal) => {
 *     for await (const job of jobs.values({ signal })) console.log(`worker ${worker}: job ${job}`);
 *   });
 * }
 * group.spawn(async (signal) => {
 *   using _ = jobs; // closed when this task ends, and then the workers end
 *   for (let job = 0; job < 10; job++) await jobs.send(job, { signal });
 * });
 * await group.join();
 * ```
 *
 * @module
 */
export type { Permit } from "./permit.ts";
export type { Subscription } from "./subscription.ts";
export { CHANNEL_CAPACITY_MAX, type ReceiveResult } from "./value_queue.ts";
export type { Abortable } from "../mod.ts";
export { WAITING_MAX, type WaitingOptions } from "./wait_queue.ts";
export { Broadcast, type BroadcastOptions, SUBSCRIPTIONS_MAX, type WhenFull } from "./broadcast.ts";
export { Channel, type ChannelOptions, type SendResult } from "./channel.ts";
export {
  BroadcastLaggedError,
  ChannelClosedError,
  ClosedError,
  GateClosedError,
  QueueFullError,
} from "./errors.ts";
export { Gate } from "./gate.ts";
export { RwLock, type RwLockOptions } from "./rw_lock.ts";
export {
  Semaphore,
  SEMAPHORE_PERMITS_MAX,
  type SemaphoreOptions,
  type WithPermitOptions,
} from "./semaphore.ts";
export { spawn, type TaskHandle, type TaskWork } from "./spawn.ts";
export { TASK_FAILURES_KEPT_MAX, TaskGroup, type TaskGroupOptions, TASKS_RUNNING_MAX } from "./task_group.ts";
