import { SharedQueue } from "../../ipc/queue/mod.ts";
import type { CommandContext, QueueCommand } from "../command.ts";
import { formatQueueTable, queueJson } from "./queue_table.ts";
import { PLACE_OPTION, placeOf } from "./place.ts";

/** `millrace queue list`. */
export const list: QueueCommand = {
  name: "list",
  summary: "List the queues that this user may open",
  positionals: [],
  options: {
    prefix: "only those whose names begin with it",
    json: "print a line of JSON for each",
    ...PLACE_OPTION,
  },
  async run({ settings, output }: CommandContext): Promise<void> {
    const queues = SharedQueue.list({ prefix: settings.get("prefix"), ...placeOf(settings) });
    if (settings.get("json")) { for (const queue of queues) await output.line(queueJson(queue)); }
    else if (queues.length > 0) await output.line(formatQueueTable(queues));
  },
};
