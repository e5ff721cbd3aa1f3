import { SharedQueue } from "../../ipc/queue/mod.ts";
import { sleep } from "../../base/timer/mod.ts";
import type { CommandContext, QueueCommand } from "../command.ts";
import { StoppedError } from "../exit_codes.ts";
import type { Settings } from "../settings.ts";
import { PLACE_OPTION, placeOf } from "./place.ts";
import { queueName } from "./queue_name.ts";
import { statusJson, statusTable } from "./status_report.ts";

/** Milliseconds between two polls of `--follow`. */
const FOLLOW_PERIOD_MS = 1000;
/** Moves the cursor to the corner, and clears the screen below it. */
const CLEAR_SCREEN = "\x1b[H\x1b[2J";

/** `millrace queue status`. */
export const status: QueueCommand = {
  name: "status",
  summary: "Show the content and the counters of a queue",
  positionals: ["<name>"],
  options: {
    json: "print one line of JSON",
    prometheus: "print metrics in the text format of Prometheus",
    follow: "print it every second, with rates, until stopped",
    ...PLACE_OPTION,
  },
  async run({ positionals, settings, signal, output, outputIsTerminal }: CommandContext): Promise<void> {
    settings.expectOneOf("json", "prometheus");
    using queue = SharedQueue.connect(queueName(positionals[0]), placeOf(settings));
    const follow = settings.get("follow") === true;
    const isTable = !settings.get("json") && !settings.get("prometheus");
    try {
      for (let round = 0; round === 0 || follow; round++) {
        if (round > 0) await sleep(FOLLOW_PERIOD_MS, { signal });
        const report = reportOn(queue, settings, round > 0);
        if (!follow || !isTable) await output.line(report);
        else await output.line(outputIsTerminal ? `${CLEAR_SCREEN}${report}` : `${report}\n`);
      }
    } catch (error) {
      if (!(follow && error instanceof StoppedError)) throw error;
    }
  },
};

function reportOn(queue: SharedQueue, settings: Settings, withRates: boolean): string {
  if (settings.get("prometheus")) return queue.metrics().trimEnd();
  const options = { ownPid: Deno.pid, withRates };
  const now = queue.status();
  return settings.get("json") ? statusJson(queue.name, now, options) : statusTable(queue.name, now, options);
}
