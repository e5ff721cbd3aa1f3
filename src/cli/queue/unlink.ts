import { SharedQueue } from "../../ipc/queue/mod.ts";
import type { CommandContext, QueueCommand } from "../command.ts";
import { PLACE_OPTION, placeOf } from "./place.ts";
import { queueName } from "./queue_name.ts";

/** `millrace queue unlink`. */
export const unlink: QueueCommand = {
  name: "unlink",
  summary: "Remove a queue's name",
  details:
    "Processes that have it open keep it; its memory is freed with the last of them. Anything but a queue stays; a damaged queue is removed.",
  positionals: ["<name>"],
  options: PLACE_OPTION,
  run({ positionals, settings }: CommandContext): Promise<void> {
    SharedQueue.unlink(queueName(positionals[0]), placeOf(settings));
    return Promise.resolve();
  },
};
