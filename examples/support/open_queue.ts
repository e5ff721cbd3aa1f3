/**
 * How examples open a queue.
 *
 * @module
 */
import { type QueueCreateOptions, SharedQueue } from "@millrace/millrace/queue";

/** Opens a queue, and makes it if there is none; whoever of several processes comes first does. */
export function openQueue(name: string, options: QueueCreateOptions): SharedQueue {
  for (;;) {
    try {
      return SharedQueue.connect(name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    try {
      return SharedQueue.create(name, options);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}
