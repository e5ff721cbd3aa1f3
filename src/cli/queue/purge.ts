import { SharedQueue } from "../../ipc/queue/mod.ts";
import type { CommandContext, QueueCommand } from "../command.ts";
import { PLACE_OPTION, placeOf } from "./place.ts";
import { queueName } from "./queue_name.ts";

/** `millrace queue purge`. */
export const purge: QueueCommand = {
  name: "purge",
  summary: "Remove all messages, and print how many",
  details: "Messages that receivers hold stay; dead letters are removed too.",
  positionals: ["<name>"],
  options: { json: "print one line of JSON", ...PLACE_OPTION },
  async run({ positionals, settings, output }: CommandContext): Promise<void> {
    using queue = SharedQueue.connect(queueName(positionals[0]), placeOf(settings));
    const purgedCount = queue.purge();
    await output.line(
      settings.get("json") ? JSON.stringify({ purgedCount }) : `messages purged: ${purgedCount}`,
    );
  },
};
