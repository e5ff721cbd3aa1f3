import { SeededRandom } from "../../../src/base/mod.ts";
import { RingClosedError, type RingConsumer, type RingProducer } from "../../../src/ipc/ring/mod.ts";
import { isMessageOf, Lengths, messageOf } from "./support.ts";

/** What both sides of one run are told. */
export interface FuzzRun {
  readonly seed: number;
  readonly messageCount: number;
}

/** Writes the messages of a run in every way there is, in an order and at a pace that follow from its seed; then closes. */
export async function produce(producer: RingProducer, { seed, messageCount }: FuzzRun): Promise<void> {
  const random = new SeededRandom(seed ^ 0x5bd1e995);
  const lengths = new Lengths(seed, producer.messageBytesMax);
  for (let number = 0; number < messageCount; number++) {
    const message = messageOf(number, lengths.next());
    const way = random.below(6);
    if (way === 0) await producer.write(message);
    else if (way === 1) producer.writeSync(message, { strategy: random.below(2) === 0 ? "spin" : "sleep" });
    else if (way < 4) {
      while (!producer.tryWrite(message)) await producer.writable(message.length);
    } else await encode(producer, message, random);
    if (random.below(4) === 0) producer.flush();
    if (random.below(64) === 0) await pause(random);
  }
  producer.close();
}

async function encode(producer: RingProducer, message: Uint8Array, random: SeededRandom): Promise<void> {
  const { length } = message;
  for (;;) {
    const more = Math.min(producer.messageBytesMax, length + random.below(32));
    const at = producer.tryClaim(more);
    if (at >= 0) {
      for (let index = 0; index < length; index++) producer.bytes[at + index] = message[index];
      producer.commit(length);
      return;
    }
    await pause(random);
  }
}

/** Reads a run to its end in every way there is, and checks every byte; resolves to how many messages came. */
export async function consume(consumer: RingConsumer, { seed }: FuzzRun): Promise<number> {
  const random = new SeededRandom(seed ^ 0x2545f491);
  const lengths = new Lengths(seed, (consumer.bytes.length >> 1) - 8);
  let number = 0;
  const check = (message: Uint8Array) => {
    const length = lengths.next();
    if (!isMessageOf(message, number, length)) {
      throw new Error(`message ${number} has ${message.length} bytes, expected ${length}, or others`);
    }
    number++;
  };
  for (;;) {
    const way = random.below(4);
    const more = way === 0 ? await consumer.readable() : consumer.readableSync({ timeoutMs: 1 });
    if (more === false) return number;
    if (way === 1) {
      const message = consumer.tryRead();
      if (message !== undefined) check(message);
    } else consumer.drain(check, way === 2 ? 1 + random.below(10) : Infinity);
    if (random.below(16) === 0) await pause(random);
  }
}

/** Whether an error says that the other side was killed. */
export function isDeath(error: unknown): boolean {
  return error instanceof RingClosedError && error.end === "died";
}

async function pause(random: SeededRandom): Promise<void> {
  const kind = random.below(4);
  if (kind === 0) await null;
  else if (kind === 1) await new Promise((resolve) => setTimeout(resolve, 0));
  else if (kind === 2) { for (let count = random.below(3000); count > 0; count--) Atomics.pause(); }
}
