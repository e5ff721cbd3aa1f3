import { roundTripContestants, throughputContestants, wakeContestants } from "./contestants.ts";
import type { BenchContext } from "./context.ts";
import { figuresOf } from "./figures.ts";
import type { Metric, Report } from "./report.ts";
import { type Contestant, runRounds } from "./rounds.ts";

/** Messages a second, once. */
export interface ThroughputRound {
  readonly messagesPerSecond: number;
}

/** Times of many round trips. */
export interface RoundTripRound {
  readonly p50Ns: number;
  readonly p99Ns: number;
}

const sizes = [8, 64, 256, 1024];

const throughputMetrics: readonly Metric<ThroughputRound>[] = [{
  key: "millionsPerSecond",
  title: "M messages/s",
  digits: 2,
  hasSpread: true,
  ratioTitle: "ratio",
  of: ({ messagesPerSecond }) => messagesPerSecond / 1e6,
}];

/** How long something took for half of all, and for all but one in a hundred. */
export const latencyMetrics: readonly Metric<RoundTripRound>[] = [
  {
    key: "p50Us",
    title: "p50 us",
    digits: 2,
    hasSpread: true,
    ratioTitle: "ratio",
    of: ({ p50Ns }) => p50Ns / 1000,
  },
  { key: "p99Us", title: "p99 us", digits: 2, of: ({ p99Ns }) => p99Ns / 1000 },
];

/** Messages between two threads: rings, native queues, and what a program does without them. */
export async function* benchmarkRing(context: BenchContext): AsyncGenerator<Report> {
  for (const batched of [true, false]) {
    for (const size of sizes) yield await throughput(size, batched, context) as Report;
  }
  yield await roundTrip(context, "64 bytes there and back", roundTripContestants()) as Report;
  yield await roundTrip(
    context,
    "64 bytes there and back, asleep for 3 ms before",
    wakeContestants(),
  ) as Report;
}

async function throughput(
  size: number,
  batched: boolean,
  context: BenchContext,
): Promise<Report<ThroughputRound>> {
  const title = `${size} bytes, ${batched ? "64 at a time" : "one at a time"}`;
  return {
    name: "ring",
    title,
    method:
      "from the first message to the last, after a warm-up; two threads on two processors, queues of 256 KiB; every message's first byte is looked at",
    metrics: throughputMetrics,
    outcomes: await runRounds<ThroughputRound>(
      throughputContestants(size, batched),
      (command) => figuresOf(command),
      {
        ...context.options,
        onProgress: (line) => context.progress(`ring, ${title}: ${line}`),
      },
    ),
    notes: batched
      ? [
        "rtrb writes a message of known size into a slot; the ring takes any length and writes it down",
        "postMessage: an array of 64 messages at a time",
      ]
      : [],
  };
}

async function roundTrip(
  context: BenchContext,
  title: string,
  contestants: readonly Contestant[],
): Promise<Report<RoundTripRound>> {
  return {
    name: "ring",
    title,
    method: "one message at a time, each answered; two threads on two processors",
    metrics: latencyMetrics,
    outcomes: await runRounds<RoundTripRound>(contestants, (command) => figuresOf(command), {
      ...context.options,
      onProgress: (line) => context.progress(`ring, ${title}: ${line}`),
    }),
    notes: [],
  };
}
