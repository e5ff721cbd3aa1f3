import type { MessageOptions, SharedQueue } from "../../ipc/queue/mod.ts";
import type { Settings } from "../settings.ts";

/**
 * How messages are sent to `queue`.
 *
 * @throws {UsageError} when the queue has no such priority, or no partitions for a key
 */
export function messageOptions(settings: Settings, queue: SharedQueue): MessageOptions {
  const priority = settings.get("priority");
  const key = settings.get("key");
  if (priority !== undefined) {
    if (queue.partitions > 0 && priority > 0) {
      throw settings.refusal("priority", `none: queue ${queue.name} has partitions`);
    }
    if (priority >= queue.priorities) {
      throw settings.refusal("priority", `0 to ${queue.priorities - 1} for queue ${queue.name}`);
    }
  }
  if (key !== undefined && queue.partitions === 0) {
    throw settings.refusal("key", `none: queue ${queue.name} has no partitions`);
  }
  return { priority, key, expiresAfterMs: settings.get("expires-after") };
}
