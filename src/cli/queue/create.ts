import { QUEUE_DEFAULTS, SharedQueue } from "../../ipc/queue/mod.ts";
import type { CommandContext, QueueCommand } from "../command.ts";
import { UsageError } from "../exit_codes.ts";
import type { Settings } from "../settings.ts";
import { PLACE_OPTION, placeOf } from "./place.ts";
import { queueName } from "./queue_name.ts";

/** `millrace queue create`. */
export const create: QueueCommand = {
  name: "create",
  summary: "Create a queue",
  details: "It stays, with its messages, until it is unlinked or the system ends.",
  positionals: ["<name>"],
  options: {
    capacity:
      `messages that it holds, including those that receivers hold (default: ${QUEUE_DEFAULTS.capacity})`,
    "message-bytes-max":
      `the longest message in bytes; memory is taken for all at once (default: ${QUEUE_DEFAULTS.messageBytesMax})`,
    priorities: "priorities that messages can have, 0 being the most urgent (default: 1)",
    partitions: "partitions, each of which is processed in order; not with priorities (default: none)",
    "delivery-count-max": "deliveries after which a message goes to the dead letters (default: no limit)",
    "dead-letter-count-max": "dead letters that are kept, fewer than the capacity (default: a quarter of it)",
    mode: "permissions of the queue, as those of a file (default: 600)",
    ...PLACE_OPTION,
  },
  run({ positionals, settings }: CommandContext): Promise<void> {
    const name = queueName(positionals[0]);
    const options = {
      capacity: settings.get("capacity"),
      messageBytesMax: settings.get("message-bytes-max"),
      priorities: settings.get("priorities"),
      partitions: settings.get("partitions"),
      deliveryCountMax: settings.get("delivery-count-max"),
      deadLetterCountMax: settings.get("dead-letter-count-max"),
      mode: settings.get("mode"),
      ...placeOf(settings),
    };
    checkTogether(settings);
    try {
      SharedQueue.create(name, options).close();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // Each number is in range, but their total size is not.
      const numbers = `${settings.describe("capacity", QUEUE_DEFAULTS.capacity)}, ${
        settings.describe("message-bytes-max", QUEUE_DEFAULTS.messageBytesMax)
      }`;
      throw new UsageError(`${numbers}: ${error.message}`, { cause: error });
    }
    return Promise.resolve();
  },
};

/** @throws {UsageError} for options that exclude each other */
function checkTogether(settings: Settings): void {
  const capacity = settings.get("capacity") ?? QUEUE_DEFAULTS.capacity;
  if ((settings.get("partitions") ?? 0) > 0 && (settings.get("priorities") ?? 1) > 1) {
    throw settings.refusal("priorities", `1 where ${settings.describe("partitions")}`);
  }
  if ((settings.get("dead-letter-count-max") ?? 0) >= capacity) {
    const found = settings.describe("capacity", QUEUE_DEFAULTS.capacity);
    throw settings.refusal("dead-letter-count-max", `0 to ${capacity - 1} where ${found}`);
  }
}
