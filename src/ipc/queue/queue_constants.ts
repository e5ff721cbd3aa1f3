import { checkCount } from "../sharing/mod.ts";
import { QUEUE_CAPACITY_MAX, QUEUE_DELIVERY_COUNT_MAX, type QueueConstants } from "./layout.ts";
import { QUEUE_DEFAULTS, type QueueShape } from "./queue_options.ts";

/**
 * The constants of a queue that is made with such options.
 *
 * @throws {RangeError} when options do not go together
 */
export function queueConstantsOf(shape: QueueShape, checksums: boolean): QueueConstants {
  const { capacity = QUEUE_DEFAULTS.capacity, messageBytesMax = QUEUE_DEFAULTS.messageBytesMax } = shape;
  const { priorities = 1, partitions = 0 } = shape;
  const { deliveryCountMax = Infinity, deadLetterCountMax = Math.floor(capacity / 4) } = shape;
  checkCount("queue", "capacity", capacity, [1, QUEUE_CAPACITY_MAX]);
  // One more would let them fill the queue, and nothing could be sent any more.
  checkCount("queue", "deadLetterCountMax", deadLetterCountMax, [0, capacity - 1]);
  if (deliveryCountMax !== Infinity) {
    checkCount("queue", "deliveryCountMax", deliveryCountMax, [1, QUEUE_DELIVERY_COUNT_MAX]);
  }
  if (partitions > 0 && priorities > 1) {
    throw new RangeError(
      `create queue: ${priorities} priorities and ${partitions} partitions, expected one or the other`,
    );
  }
  return {
    capacity,
    messageBytesMax,
    priorities,
    partitions,
    deliveryCountMax: deliveryCountMax === Infinity ? 0 : deliveryCountMax,
    deadLetterCountMax,
    checksums: Number(checksums),
    identity: crypto.getRandomValues(new Int32Array(1))[0],
  };
}
