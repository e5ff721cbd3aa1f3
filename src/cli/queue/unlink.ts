import { SharedQueue } from "../../ipc/queue/mod.ts";
import type { CommandContext, QueueCommand } from "../command.ts";
import { PLACE_OPTION, placeOf } from "./place.ts";
import { queueName } from "./queue_name.ts";

/** `millrace queue unlink`. */
export const unlink: QueueCommand = {
  name: "unlink",
  summary: "Take a queue's name away",
  details:
    "Who has it open keeps it; its memory goes with the last of them. What is no queue is left as it is; a damaged queue goes.",
  positionals: ["<name>"],
  options: PLACE_OPTION,
  run({ positionals, settings }: CommandContext): Promise<void> {
    SharedQueue.unlink(queueName(positionals[0]), placeOf(settings));
    return Promise.resolve();
  },
};
