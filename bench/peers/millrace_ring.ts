/**
 * Millrace's ring between two workers: `throughput BYTES BATCH copy|place`, `roundtrip spin|sleep|async` or `wake sleep|async`. Prints one JSON object.
 *
 * This thread reads; the worker is bench/peers/millrace_ring_worker.ts.
 */
import { type RingConsumer, type RingProducer, SpscRing } from "../../src/ipc/ring/mod.ts";

const CAPACITY_BYTES = 1 << 18;
const RUN_BYTES = 2 ** 30;
const ROUND_TRIPS = { spin: 200_000, sleep: 10_000, async: 10_000 } as const;
const WARM_UP = 5000;
const WAKES = 500;
const WAKE_PAUSE_MS = 3;

/** What the worker is asked to do, once. */
export type RingJob =
  | {
    readonly kind: "throughput";
    readonly bytes: number;
    readonly batch: number;
    readonly inPlace: boolean;
    readonly count: number;
    readonly memory: SharedArrayBuffer;
  }
  | {
    readonly kind: "echo";
    readonly wait: keyof typeof ROUND_TRIPS;
    readonly count: number;
    readonly to: SharedArrayBuffer;
    readonly back: SharedArrayBuffer;
  };

const newRing = () => SpscRing.create({ capacityBytes: CAPACITY_BYTES });

async function throughput(worker: Worker, bytes: number, batch: number, inPlace: boolean): Promise<void> {
  const count = Math.min(10_000_000, Math.max(1_000_000, RUN_BYTES / bytes));
  let messagesPerSecond = 0;
  // The first run is for the compiler.
  for (const runCount of [count / 4, count]) {
    const ring = newRing();
    const memory = ring.memory as SharedArrayBuffer;
    worker.postMessage(
      { kind: "throughput", bytes, batch, inPlace, count: runCount, memory } satisfies RingJob,
    );
    messagesPerSecond = runCount / receiveAll(ring.consumer(), runCount, inPlace);
    await done(worker);
  }
  print({ messagesPerSecond });
}

/** Seconds from the first message to the last. */
function receiveAll(consumer: RingConsumer, count: number, inPlace: boolean): number {
  let sum = 0;
  let received = 0;
  let startMs = 0;
  const { bytes } = consumer;
  const onMessage = (message: Uint8Array): void => {
    sum += message[0];
  };
  const onPlace = (at: number): void => {
    sum += bytes[at];
  };
  while (received < count) {
    const more = inPlace ? consumer.drainInPlace(onPlace) : consumer.drain(onMessage);
    if (more === 0) Atomics.pause();
    else if (received === 0) startMs = performance.now();
    received += more;
  }
  if (sum !== count) throw new Error(`the messages add up to ${sum}, expected ${count}`);
  return (performance.now() - startMs) / 1000;
}

async function roundTrip(worker: Worker, wait: keyof typeof ROUND_TRIPS, pauseMs: number): Promise<void> {
  const count = pauseMs > 0 ? WAKES : ROUND_TRIPS[wait];
  const [to, back] = [newRing(), newRing()];
  const job = {
    kind: "echo",
    wait,
    count: WARM_UP + count,
    to: to.memory as SharedArrayBuffer,
    back: back.memory as SharedArrayBuffer,
  } as const;
  worker.postMessage(job satisfies RingJob);
  const [producer, consumer] = [to.producer(), back.consumer()];
  const message = new Uint8Array(64);
  const times = new Float64Array(count);
  for (let index = -WARM_UP; index < count; index++) {
    if (index >= 0 && pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const start = performance.now();
    producer.tryWrite(message);
    producer.flush();
    if (wait === "async") await consumer.readable();
    else consumer.readableSync({ strategy: wait });
    consumer.drain(() => {});
    if (index >= 0) times[index] = performance.now() - start;
  }
  await done(worker);
  times.sort();
  print({ p50Ns: times[count >> 1] * 1e6, p99Ns: times[Math.floor(count * 0.99)] * 1e6 });
}

/** Sends back what comes, as the worker does. */
export async function echo(
  consumer: RingConsumer,
  producer: RingProducer,
  wait: keyof typeof ROUND_TRIPS,
  count: number,
): Promise<void> {
  for (let index = 0; index < count;) {
    if (wait === "async") await consumer.readable();
    else consumer.readableSync({ strategy: wait });
    index += consumer.drain((message) => void producer.tryWrite(message));
    producer.flush();
  }
}

function done(worker: Worker): Promise<void> {
  return new Promise((resolve) => worker.onmessage = () => resolve());
}

function print(figures: Readonly<Record<string, number>>): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(figures)}\n`));
}

if (import.meta.main) {
  const worker = new Worker(new URL("./millrace_ring_worker.ts", import.meta.url), { type: "module" });
  const [what, ...words] = Deno.args;
  if (what === "throughput") {
    await throughput(worker, Number(words[0]), Number(words[1]), words[2] === "place");
  } else {
    await roundTrip(worker, words[0] as keyof typeof ROUND_TRIPS, what === "wake" ? WAKE_PAUSE_MS : 0);
  }
  worker.terminate();
}
