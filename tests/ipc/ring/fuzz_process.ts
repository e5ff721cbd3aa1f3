import { SeededRandom } from "../../../src/base/mod.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { type RingConsumer, type RingProducer, SpscRing } from "../../../src/ipc/ring/mod.ts";
import { consume, isDeath, produce } from "./fuzz.ts";

// One side of a ring in a process of its own, told in its first argument what to do; `fuzz_worker.ts` is the same in a worker.
// It says on its standard output how it goes: "attached", "died at N" (the other side was killed; it waits for who comes in its place), "goes on" (that one is
// there), "closed at N".

/** What the test tells a side. */
export interface FuzzOrder {
  /** The region, which the ring begins in and {@linkcode PROGRESS} words are behind; or memory of this process, likewise. */
  readonly memory: string | SharedArrayBuffer;
  readonly half: "producer" | "consumer";
  readonly seed: number;
  /** A run of `fuzz.ts`, which ends by itself; without it, numbered messages until the test says that it is enough. */
  readonly messageCount?: number;
  /** The number of the first message to be written. */
  readonly from?: number;
}

/** Words that the test and both sides share, behind the ring. */
export const PROGRESS = { last: 0, enough: 1, count: 2 } as const;

/** Tells the test how it goes. */
type Say = (line: string) => void;

const NUMBER_BYTES = 4;

/** The words of {@linkcode PROGRESS} in the memory of a ring. */
export function progressOf(memory: SharedMemory | SharedArrayBuffer): Int32Array {
  const buffer = memory instanceof SharedArrayBuffer ? memory : memory.bytes.buffer;
  return new Int32Array(buffer, memory.byteLength - 4 * PROGRESS.count, PROGRESS.count);
}

/** A message that says its number, and whose length and every byte follow from it. */
function numbered(seed: number, number: number, messageBytesMax: number): Uint8Array<ArrayBuffer> {
  const random = new SeededRandom((seed ^ Math.imul(number, 0x9e3779b1)) >>> 0);
  const room = messageBytesMax - NUMBER_BYTES;
  const kind = random.below(4);
  const length = kind === 0 ? room : random.below((kind === 1 ? room : Math.min(room, 40)) + 1);
  const bytes = new Uint8Array(NUMBER_BYTES + length);
  new DataView(bytes.buffer).setInt32(0, number);
  const first = random.below(256);
  for (let index = 0; index < length; index++) bytes[NUMBER_BYTES + index] = first + index * 7;
  return bytes;
}

async function writeNumbered(
  producer: RingProducer,
  order: FuzzOrder,
  enough: () => boolean,
  say: Say,
): Promise<number> {
  const random = new SeededRandom(Deno.pid);
  let number = order.from ?? 0;
  while (!enough()) {
    const message = numbered(order.seed, number, producer.messageBytesMax);
    const way = random.below(3);
    try {
      if (way === 0) await producer.write(message);
      else if (way === 1) producer.writeSync(message, { strategy: random.below(2) === 0 ? "spin" : "sleep" });
      else {
        while (!producer.tryWrite(message)) await producer.writable(message.length);
        if (random.below(3) === 0) producer.flush();
      }
      number++;
    } catch (error) {
      await outlive(error, number, () => producer.end, say);
    }
    await pause(random);
  }
  return number;
}

async function readNumbered(
  consumer: RingConsumer,
  order: FuzzOrder,
  progress: Int32Array,
  say: Say,
): Promise<number> {
  const random = new SeededRandom(Deno.pid);
  // Who takes the place of a dead one sees again what that one had not given back, and skips nothing.
  const latest = Atomics.load(progress, PROGRESS.last) + 1;
  let next: number | undefined;
  const check = (message: Uint8Array) => {
    const number = new DataView(message.buffer, message.byteOffset).getInt32(0);
    if (next === undefined ? number > latest || number < 0 : number !== next) {
      throw new Error(`message ${number}, expected ${next ?? `${latest} at the latest`}`);
    }
    const expected = numbered(order.seed, number, (consumer.bytes.length >> 1) - 8);
    if (expected.length !== message.length || expected.some((byte, index) => byte !== message[index])) {
      throw new Error(`message ${number} has other bytes`);
    }
    next = number + 1;
    Atomics.store(progress, PROGRESS.last, number);
  };
  for (;;) {
    try {
      const more = random.below(2) === 0
        ? await consumer.readable()
        : consumer.readableSync({ timeoutMs: 1 + random.below(20) });
      if (more === false) return next ?? latest;
      consumer.drain(check, random.below(2) === 0 ? 1 + random.below(10) : Infinity);
    } catch (error) {
      if (consumer.readableBytes > 0 && isDeath(error)) {
        throw new Error("not everything that was written was read");
      }
      await outlive(error, next ?? latest, () => consumer.end, say);
    }
    await pause(random);
  }
}

/** Says that the other side died, and waits for who comes in its place. */
async function outlive(error: unknown, number: number, end: () => unknown, say: Say): Promise<void> {
  if (!isDeath(error)) throw error;
  say(`died at ${number}`);
  while (end() === "died") await new Promise((resolve) => setTimeout(resolve, 1));
  say("goes on");
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function pause(random: SeededRandom): Promise<void> {
  const kind = random.below(64);
  if (kind === 0) await new Promise((resolve) => setTimeout(resolve, random.below(3)));
  else if (kind < 4) { for (let count = random.below(2000); count > 0; count--) Atomics.pause(); }
}

/** Does what the order says. */
export async function runSide(order: FuzzOrder, say: Say): Promise<void> {
  using region = typeof order.memory === "string" ? SharedMemory.connect(order.memory) : undefined;
  const memory = region ?? order.memory as SharedArrayBuffer;
  const ring = SpscRing.attach(memory);
  const progress = progressOf(memory);
  const run = { seed: order.seed, messageCount: order.messageCount ?? 0 };
  if (order.half === "producer") {
    using producer = ring.producer();
    say("attached");
    const enough = () => Atomics.load(progress, PROGRESS.enough) !== 0;
    if (order.messageCount === undefined) {
      const number = await writeNumbered(producer, order, enough, say);
      producer.close();
      say(`closed at ${number}`);
    } else {
      await produce(producer, run);
      say(`closed at ${order.messageCount}`);
    }
  } else {
    using consumer = ring.consumer();
    say("attached");
    const number = await (order.messageCount === undefined
      ? readNumbered(consumer, order, progress, say)
      : consume(consumer, run));
    say(`closed at ${number}`);
  }
}

if (import.meta.main) await runSide(JSON.parse(Deno.args[0]), print);
