import { SharedQueue } from "../../queue/mod.ts";
import type { CommandContext, QueueCommand } from "../command.ts";
import { UsageError } from "../exit_codes.ts";
import { PLACE_OPTION, placeOf } from "./_place.ts";
import { queueName } from "./_queue_name.ts";

/** `millrace queue create`. */
export const create: QueueCommand = {
  name: "create",
  summary: "Make a queue",
  details: "It stays, with its messages, until it is unlinked or the system ends.",
  positionals: ["<name>"],
  options: {
    capacity: "messages that it holds, those that receivers have included (default: 1024)",
    "message-bytes-max": "the longest message in bytes; memory is taken for all at once (default: 4096)",
    priorities: "priorities that messages can have, 0 being the most urgent (default: 1)",
    partitions: "partitions, of which each is worked off in order; not with priorities (default: none)",
    "delivery-count-max": "deliveries after which a message goes to the dead letters (default: no limit)",
    "dead-letter-count-max": "dead letters that are kept (default: a quarter of the capacity)",
    mode: "who may open it, as permissions of a file (default: 600)",
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
    try {
      SharedQueue.create(name, options).close();
    } catch (error) {
      // Each is in range; together they are not.
      if (error instanceof RangeError) throw new UsageError(error.message, { cause: error });
      throw error;
    }
    return Promise.resolve();
  },
};
