import { SharedQueueReplyError } from "../../../src/ipc/queue/mod.ts";
import { chaosMessage, chaosReply, readChaosMessage, readChaosReply } from "./chaos_message.ts";
import { type ChaosWork, DEED, pause } from "./chaos_process.ts";

// Processes of a chaos test that ask each other.

/** Requests that one process has under way. */
const ASKED_AT_ONCE = 3;
/** Requests that one process handles at once. */
const HANDLED_AT_ONCE = 2;
/** Short enough to be over, and long enough that an answer is certain. */
const TIMEOUTS_MS = [1, 10, 50, 30_000, 30_000];

/** Sends requests until it is enough, and waits for their ends. */
export async function ask(work: ChaosWork): Promise<void> {
  let number = 0;
  const askInTurn = async (): Promise<void> => {
    while (!work.enough.aborted) {
      await askOne(work, ++number);
      if (work.random.below(10) === 0) await pause(work.random.below(5));
    }
  };
  await Promise.all(Array.from({ length: ASKED_AT_ONCE }, askInTurn));
}

async function askOne({ queue, order, random, write }: ChaosWork, number: number): Promise<void> {
  const { messageBytesMax } = queue;
  const ending = new AbortController();
  const timeoutMs = TIMEOUTS_MS[random.below(TIMEOUTS_MS.length)];
  const timer = random.below(10) === 0 ? setTimeout(() => ending.abort(), random.below(10)) : undefined;
  write(DEED.asking, number);
  try {
    const payload = chaosMessage(order.number, number, messageBytesMax);
    const data = await queue.request(payload, { timeoutMs, signal: ending.signal });
    const reply = readChaosReply(data, messageBytesMax);
    const isIts = reply?.requester === order.number && reply.number === number;
    if (isIts) write(DEED.answered, number, reply.responder);
    else write(DEED.torn, data.byteLength);
  } catch (error) {
    if (error instanceof DOMException) write(DEED.ended, number);
    else if (!(error instanceof SharedQueueReplyError)) throw error;
    else if (error.reason === "lost") write(DEED.lost, number);
    else if (error.message.endsWith(refusalOf(order.number, number))) write(DEED.refused, number);
    else write(DEED.torn, error.message.length);
  } finally {
    clearTimeout(timer);
  }
}

/** Answers requests until it is enough. */
export async function respond({ queue, order, random, write, enough }: ChaosWork): Promise<void> {
  const { messageBytesMax } = queue;
  await queue.respond(async ({ data, redeliveryCount }) => {
    const read = readChaosMessage(data, messageBytesMax);
    if (read === undefined) {
      write(DEED.torn, data.byteLength);
      return "";
    }
    const { producer: requester, number } = read;
    write(DEED.handling, requester, number, redeliveryCount);
    if (random.below(10) === 0) await pause(random.below(20));
    if (random.below(15) === 0) throw new Error(refusalOf(requester, number));
    return chaosReply(order.number, requester, number, messageBytesMax);
  }, { signal: enough, concurrency: HANDLED_AT_ONCE });
}

function refusalOf(requester: number, number: number): string {
  return `no answer to ${requester}.${number}`;
}
