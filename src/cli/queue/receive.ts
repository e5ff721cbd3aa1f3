import { type Delivery, SharedQueue } from "../../ipc/queue/mod.ts";
import type { CommandContext, QueueCommand } from "../command.ts";
import { StoppedError } from "../exit_codes.ts";
import { startProgress } from "../progress.ts";
import type { Settings } from "../settings.ts";
import { formatMessage, type MessageFormat } from "./message_format.ts";
import { PLACE_OPTION, placeOf } from "./place.ts";
import { queueName } from "./queue_name.ts";

/** `millrace queue receive`. */
export const receive: QueueCommand = {
  name: "receive",
  summary: "Receive messages, and write a line for each",
  details:
    "A message is acknowledged once it is written. Without --count and --follow: the messages now in the queue.",
  positionals: ["<name>"],
  options: {
    count: "receive this many, and wait for them",
    follow: "receive until stopped",
    timeout:
      "the longest wait for the next message (default: no limit, or no wait without --count and --follow)",
    frames: "write frames: 4 bytes of length, the most significant first, then the bytes",
    json: "write lines of JSON",
    "dead-letters": "receive those that were delivered too often",
    ...PLACE_OPTION,
  },
  async run(context: CommandContext): Promise<void> {
    const { positionals, settings, screen, outputIsTerminal } = context;
    settings.expectOneOf("json", "frames");
    using queue = SharedQueue.connect(queueName(positionals[0]), placeOf(settings));
    let count = 0;
    const startMs = performance.now();
    using _ = startProgress({ ...screen, isTerminal: screen.isTerminal && !outputIsTerminal }, () => {
      const seconds = (performance.now() - startMs) / 1000;
      return `${count} messages received from ${queue.name}, ${Math.round(count / seconds)} a second`;
    });
    await receiveAll(context, queue, () => count++);
  },
};

async function receiveAll(context: CommandContext, queue: SharedQueue, counted: () => void): Promise<void> {
  const { settings, signal, output } = context;
  const format = formatOf(settings);
  const countMax = settings.get("count");
  const follow = settings.get("follow") === true && countMax === undefined;
  const timeoutMs = settings.get("timeout") ?? (countMax === undefined && !follow ? 0 : Infinity);
  let count = 0;
  try {
    while (count !== countMax) {
      signal.throwIfAborted();
      using delivery = await nextDelivery(queue, settings, timeoutMs, signal);
      if (delivery === undefined) {
        if (countMax === undefined && (count > 0 || settings.get("timeout") === undefined)) return;
        throw new DOMException(missing(queue.name, timeoutMs, count, countMax), "TimeoutError");
      }
      await output.write(formatMessage(delivery.message, format));
      delivery.ack();
      count++;
      counted();
    }
  } catch (error) {
    // A `--follow` that is asked to stop has done its work.
    if (!(follow && error instanceof StoppedError)) throw error;
  }
}

/** The next message; `undefined` at the timeout. */
async function nextDelivery(
  queue: SharedQueue,
  settings: Settings,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Delivery | undefined> {
  const isDead = settings.get("dead-letters") === true;
  const delivery = isDead ? queue.deadLetters.tryReserve() : queue.tryReserve();
  if (delivery !== undefined || timeoutMs === 0) return delivery;
  try {
    return await (isDead ? queue.deadLetters : queue).reserve({ signal, timeoutMs });
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError") return undefined;
    throw error;
  }
}

function formatOf(settings: Settings): MessageFormat {
  if (settings.get("json")) return "json";
  return settings.get("frames") ? "frames" : "lines";
}

function missing(name: string, timeoutMs: number, count: number, countMax: number | undefined): string {
  const found = countMax === undefined
    ? "nothing came"
    : `${count} of ${countMax} messages came, and then none`;
  return `receive from queue ${name}: ${found} within ${timeoutMs} ms`;
}
