import type { BenchContext } from "./context.ts";
import { figuresOf } from "./figures.ts";
import {
  queueIdleContestants,
  queueRecoverContestants,
  queueRequestContestants,
  queueThroughputContestants,
  queueWakeContestants,
} from "./queue_contestants.ts";
import type { Metric, Report } from "./report.ts";
import { latencyMetrics, type RoundTripRound } from "./ring.ts";
import { type Contestant, runRounds } from "./rounds.ts";

/** Messages a second through a queue, once, and the processor time of both sides for one. */
export interface QueueThroughputRound {
  readonly messagesPerSecond: number;
  readonly cpuNsPerMessage: number;
}

/** Share of a processor that a call takes that waits. */
export interface QueueIdleRound {
  readonly share: number;
}

const throughputMetrics: readonly Metric<QueueThroughputRound>[] = [
  {
    key: "thousandsPerSecond",
    title: "thousand messages/s",
    digits: 0,
    hasSpread: true,
    ratioTitle: "ratio",
    of: ({ messagesPerSecond }) => messagesPerSecond / 1000,
  },
  { key: "cpuNs", title: "CPU ns/message", digits: 0, of: ({ cpuNsPerMessage }) => cpuNsPerMessage },
];

const WAKES = 500;
const REQUESTS = 3000;
const DEATHS = 10;
const IDLE_SECONDS = 5;

/** Messages between processes: Millrace's queue and what a program would use in its place. */
export async function* benchmarkQueue(context: BenchContext): AsyncGenerator<Report> {
  for (const [bytes, pairs] of [[64, 1], [64, 2], [1024, 1], [1024, 2]] as const) {
    yield await report<QueueThroughputRound>(context, {
      title: `${bytes} bytes, ${pairs} to ${pairs} processes`,
      method:
        "from the first message to the last, after a warm-up; queues of 1024 messages; CPU of all processes",
      metrics: throughputMetrics,
      contestants: queueThroughputContestants(bytes, pairs),
    });
  }
  yield await report<RoundTripRound>(context, {
    title: "64 bytes to a process that sleeps",
    method: "one message every 3 ms; from before it is sent until the consumer has it",
    metrics: latencyMetrics,
    contestants: queueWakeContestants(64, WAKES),
  });
  yield await report<RoundTripRound>(context, {
    title: "a request of 64 bytes and its reply",
    method: "one at a time; both processes sleep in between",
    metrics: latencyMetrics,
    contestants: queueRequestContestants(64, REQUESTS),
  });
  yield await report<RoundTripRound>(context, {
    title: "a message of a consumer that is killed",
    method: "from SIGKILL until another consumer, which waits, has it",
    metrics: latencyMetrics,
    contestants: queueRecoverContestants(DEATHS),
  });
  yield await report<QueueIdleRound>(context, {
    title: "a call that waits, with nothing to do",
    method: `processor time over ${IDLE_SECONDS} s`,
    metrics: [{ key: "share", title: "% of a core", digits: 2, of: ({ share }) => share * 100 }],
    contestants: queueIdleContestants(IDLE_SECONDS),
  });
}

async function report<Round>(
  context: BenchContext,
  { title, method, metrics, contestants }: {
    title: string;
    method: string;
    metrics: readonly Metric<Round>[];
    contestants: readonly Contestant[];
  },
): Promise<Report> {
  const outcomes = await runRounds<Round>(contestants, (command) => figuresOf(command), {
    ...context.options,
    onProgress: (line) => context.progress(`queue, ${title}: ${line}`),
  });
  return { name: "queue", title, method, metrics, outcomes, notes: [] } as Report;
}
