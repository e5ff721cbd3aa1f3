/**
 * How examples open a queue.
 *
 * @module
 */
import { type QueueCreateOptions, SharedQueue } from "@millrace/millrace/queue";

/** Opens a queue whatever its shape is, and makes it with `options` where there is none. */
export function openQueue(name: string, options: QueueCreateOptions): SharedQueue {
  try {
    return SharedQueue.connect(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return SharedQueue.open(name, options);
  }
}
