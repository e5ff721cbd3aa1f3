import { type SendOptions, SharedQueue } from "../../ipc/queue/mod.ts";
import type { CommandContext, QueueCommand } from "../command.ts";
import { CommandError, lineOf, OutputClosedError, UsageError } from "../exit_codes.ts";
import { readFrames, readLines } from "../message_input.ts";
import { startProgress } from "../progress.ts";
import { messageOptions } from "./message_options.ts";
import { PLACE_OPTION, placeOf } from "./place.ts";
import { queueName } from "./queue_name.ts";

const encoder = new TextEncoder();

/** `millrace queue send`. */
export const send: QueueCommand = {
  name: "send",
  summary: "Send messages: the arguments, or else the lines of standard input",
  positionals: ["<name>", "[messages...]"],
  options: {
    frames: "read standard input as frames: 4 bytes of length, the most significant first, then the bytes",
    priority: "from 0, the most urgent (default: the least urgent)",
    key: "messages of the same key are processed in order; for a queue with partitions",
    "expires-after": "time after which the messages are not delivered any more (default: never)",
    "when-full": "what to do while the queue is full (default: wait)",
    timeout: "the longest wait for room, for each message (default: no limit)",
    json: "print a line with the id of each message, once it is in the queue",
    ...PLACE_OPTION,
  },
  async run(context: CommandContext): Promise<void> {
    const { positionals, settings, signal } = context;
    const [name, ...given] = positionals;
    if (given.length > 0 && settings.get("frames")) {
      throw settings.refusal("frames", "messages from standard input, and none as arguments");
    }
    using queue = SharedQueue.connect(queueName(name), placeOf(settings));
    const options: SendOptions = {
      ...messageOptions(settings, queue),
      whenFull: settings.get("when-full"),
      timeoutMs: settings.get("timeout"),
      signal,
    };
    const messages = given.length > 0 ? given.map((text) => encoder.encode(text)) : read(context, queue);
    await sendAll(context, queue, messages, options);
  },
};

function read(
  { input, settings }: CommandContext,
  { messageBytesMax }: SharedQueue,
): AsyncIterable<Uint8Array> {
  return settings.get("frames") ? readFrames(input, messageBytesMax) : readLines(input, messageBytesMax);
}

async function sendAll(
  { settings, signal, output, outputIsTerminal, screen }: CommandContext,
  queue: SharedQueue,
  messages: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: SendOptions,
): Promise<void> {
  const json = settings.get("json") === true;
  let count = 0;
  const startMs = performance.now();
  using _ = startProgress({ ...screen, isTerminal: screen.isTerminal && !(json && outputIsTerminal) }, () => {
    const seconds = (performance.now() - startMs) / 1000;
    return `${count} messages sent to ${queue.name}, ${Math.round(count / seconds)} a second`;
  });
  try {
    for await (const message of messages) {
      signal.throwIfAborted();
      const id = await queue.send(message, options);
      count++;
      if (json) await output.line(JSON.stringify({ id: String(id) }));
    }
    // In a directory, so that done means durable.
    await queue.sync();
  } catch (error) {
    // The reader of the ids has closed the output; what was sent stays sent, and the rest is not. That is no quiet end.
    const cause = error instanceof OutputClosedError ? new Error(error.message) : error;
    if (cause instanceof UsageError) throw cause;
    throw new CommandError(`${lineOf(cause)}; messages sent: ${count}`, { cause });
  }
}
