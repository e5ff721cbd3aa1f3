import { monotonicNs } from "../../../ffi/mod.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { readBoxes, writeBoxes } from "./chaos_mailbox.ts";
import { chaosMessage, readChaosMessage } from "./chaos_message.ts";
import { ask, respond } from "./chaos_requests.ts";

// A process of a chaos test, told in its first argument what to do. It may be killed between any two instructions: what it has done is in
// its log, a line each, written before or after the deed as the letter says.

/** What a process does. */
export type ChaosRole = "producer" | "consumer" | "requester" | "responder" | "writer" | "reader";

/** What a test tells a process. */
export interface ChaosOrder {
  readonly role: ChaosRole;
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
  /** A message, a reply or a box is not whole, or another's: its length. */
  torn: "T",
  /** A request is about to be sent: number. */
  asking: "Q",
  /** A request is being handled: requester, number, redelivery count. */
  handling: "H",
  /** It was answered: number, responder. */
  answered: "P",
  /** It was refused: number. */
  refused: "F",
  /** Its time was over, or it was given up: number. */
  ended: "X",
  /** It is said to be lost: number. */
  lost: "L",
  /** A message came without its box: writer, number. */
  boxless: "B",
} as const;

/** What a process of a chaos test has to do its work. */
export interface ChaosWork {
  readonly queue: SharedQueue;
  readonly order: ChaosOrder;
  readonly random: SeededRandom;
  readonly write: (deed: string, ...numbers: number[]) => void;
  /** Aborts when the process is to end. */
  readonly enough: AbortSignal;
}

async function main(order: ChaosOrder): Promise<void> {
  const stopping = new AbortController();
  Deno.addSignalListener("SIGTERM", () => stopping.abort());
  using queue = SharedQueue.connect(order.queue);
  // Once there is a log, it can be told to stop.
  using log = await Deno.open(order.log, { append: true, create: true });
  const encoder = new TextEncoder();
  const write = (deed: string, ...numbers: number[]): void => {
    log.writeSync(encoder.encode(`${deed} ${monotonicNs()} ${numbers.join(" ")}\n`));
  };
  const random = new SeededRandom(order.seed);
  await WORK[order.role]({ queue, order, random, write, enough: stopping.signal });
  Deno.exit(0);
}

const WORK: Record<ChaosRole, (work: ChaosWork) => Promise<void>> = {
  producer: produce,
  consumer: consume,
  requester: ask,
  responder: respond,
  writer: writeBoxes,
  reader: readBoxes,
};

async function produce({ queue, order, random, write, enough }: ChaosWork): Promise<void> {
  const { number: producer, keys } = order;
  for (let number = 1; !enough.aborted; number++) {
    const message = chaosMessage(producer, number, queue.messageBytesMax);
    const key = keys > 0 ? `${random.below(keys)}` : undefined;
    write(DEED.sending, number);
    await queue.send(message, key === undefined ? {} : { key });
    write(DEED.sent, number);
    if (random.below(20) === 0) await pause(random.below(3));
  }
}

async function consume({ queue, random, write, enough }: ChaosWork): Promise<void> {
  for (;;) {
    const delivery = await orEnough(enough, queue.reserve({ signal: enough }));
    if (delivery === undefined) return;
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

/** The result of a call that waits, and whose signal is `enough`; `undefined` when that has ended it. */
export async function orEnough<T>(enough: AbortSignal, result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (enough.aborted && error === enough.reason) return undefined;
    throw error;
  }
}

/** Resolves after that time. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]));
