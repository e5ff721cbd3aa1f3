import { monotonicNs } from "../../ffi/mod.ts";
import { SeededRandom } from "../../src/base/mod.ts";
import { SharedQueue } from "../../src/queue/mod.ts";
import { chaosMessage, readChaosMessage } from "./_chaos_message.ts";

// A producer or a consumer of a chaos test, told in its first argument what to do. It may be killed between any two instructions: what it
// has done is in its log, a line each, written before or after the deed as the letter says.

/** What a test tells a process. */
export interface ChaosOrder {
  readonly role: "producer" | "consumer";
  readonly queue: string;
  /** Differs between all processes of a test. */
  readonly number: number;
  readonly seed: number;
  /** Where it writes what it does. */
  readonly log: string;
  /** Keys that messages are sent under; 0: none. */
  readonly keys: number;
}

/** Letters that lines of a log begin with; the time in nanoseconds follows. */
export const DEED = {
  /** A message is about to be sent: number. */
  sending: "S",
  /** It is acknowledged: number. */
  sent: "A",
  /** A message is here: producer, number, redelivery count, partition. */
  received: "R",
  /** It is about to be acknowledged: producer, number. */
  done: "K",
  /** It is about to be given back: producer, number. */
  givenBack: "N",
  /** A message is not whole. */
  torn: "T",
} as const;

async function main(order: ChaosOrder): Promise<void> {
  let stopping = false;
  Deno.addSignalListener("SIGTERM", () => stopping = true);
  using queue = SharedQueue.connect(order.queue);
  // Once there is a log, it can be told to stop.
  using log = await Deno.open(order.log, { append: true, create: true });
  const encoder = new TextEncoder();
  const write = (deed: string, ...numbers: number[]): void => {
    log.writeSync(encoder.encode(`${deed} ${monotonicNs()} ${numbers.join(" ")}\n`));
  };
  const random = new SeededRandom(order.seed);
  if (order.role === "producer") await produce(queue, order, random, write, () => stopping);
  else await consume(queue, random, write, () => stopping);
  Deno.exit(0);
}

type Write = (deed: string, ...numbers: number[]) => void;

async function produce(
  queue: SharedQueue,
  { number: producer, keys }: ChaosOrder,
  random: SeededRandom,
  write: Write,
  enough: () => boolean,
): Promise<void> {
  for (let number = 1; !enough(); number++) {
    const message = chaosMessage(producer, number, queue.messageBytesMax);
    const key = keys > 0 ? `${random.below(keys)}` : undefined;
    write(DEED.sending, number);
    await queue.send(message, key === undefined ? {} : { key });
    write(DEED.sent, number);
    if (random.below(20) === 0) await pause(random.below(3));
  }
}

async function consume(
  queue: SharedQueue,
  random: SeededRandom,
  write: Write,
  enough: () => boolean,
): Promise<void> {
  while (!enough()) {
    let delivery;
    try {
      delivery = await queue.reserve({ timeoutMs: 200 });
    } catch (error) {
      if (error instanceof DOMException && error.name === "TimeoutError") continue;
      throw error;
    }
    const { message } = delivery;
    const read = readChaosMessage(message.data, queue.messageBytesMax);
    if (read === undefined) {
      write(DEED.torn, message.data.byteLength);
      delivery.ack();
      continue;
    }
    const { producer, number } = read;
    write(DEED.received, producer, number, message.redeliveryCount, message.partition ?? -1);
    if (random.below(30) === 0) await pause(random.below(20));
    if (random.below(20) === 0) {
      write(DEED.givenBack, producer, number);
      delivery.nack();
    } else {
      write(DEED.done, producer, number);
      delivery.ack();
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]));
