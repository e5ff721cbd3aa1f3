import { callContestants, idleCoreContestants } from "./contestants.ts";
import type { BenchContext } from "./context.ts";
import { figuresOf } from "./figures.ts";
import type { Metric, Report } from "./report.ts";
import { latencyMetrics, type RoundTripRound } from "./ring.ts";
import { runRounds } from "./rounds.ts";

/** Calls a second, once. */
export interface CallsRound {
  readonly callsPerSecond: number;
  readonly microsecondsPerCall: number;
}

/** Processor time of a group that does nothing, once. */
export interface IdleRound {
  readonly percentOfOneCore: number;
}

const WAKE_COUNT = 300;
const IDLE_SECONDS = 3;

const callMetrics: readonly Metric<CallsRound>[] = [
  {
    key: "microsecondsPerCall",
    title: "us/call",
    digits: 2,
    hasSpread: true,
    ratioTitle: "ratio",
    of: ({ microsecondsPerCall }) => microsecondsPerCall,
  },
  {
    key: "millionsPerSecond",
    title: "M calls/s",
    digits: 3,
    of: ({ callsPerSecond }) => callsPerSecond / 1e6,
  },
];
const idleMetrics: readonly Metric<IdleRound>[] = [
  {
    key: "percentOfOneCore",
    title: "% of a core",
    digits: 2,
    hasSpread: true,
    of: ({ percentOfOneCore }) => percentOfOneCore,
  },
];

/** Calls between cores: beside tokio's channels and what workers have. */
export async function* benchmarkCoreCalls(context: BenchContext): AsyncGenerator<Report> {
  for (const outstanding of [1, 64]) yield await calls(outstanding, context) as Report;
  yield {
    name: "cores",
    title: "a call to a core that has been asleep for 3 ms, and its result",
    method: "the caller has just been woken by a timer; two cores",
    metrics: latencyMetrics,
    outcomes: await runRounds<RoundTripRound>(
      idleCoreContestants("wake", WAKE_COUNT),
      (command) => figuresOf(command),
      {
        ...context.options,
        onProgress: (line) => context.progress(`cores, asleep: ${line}`),
      },
    ),
    notes: [],
  } as Report;
  yield {
    name: "cores",
    title: "a group of two cores with nothing to do",
    method: `processor time of the whole process over ${IDLE_SECONDS} s`,
    metrics: idleMetrics,
    outcomes: await runRounds<IdleRound>(
      idleCoreContestants("idle", IDLE_SECONDS),
      (command) => figuresOf(command),
      {
        ...context.options,
        onProgress: (line) => context.progress(`cores, idle: ${line}`),
      },
    ),
    notes: [],
  } as Report;
}

async function calls(outstanding: number, context: BenchContext): Promise<Report<CallsRound>> {
  const title = `a number squared on another core, ${
    outstanding === 1 ? "one call at a time" : `${outstanding} at a time`
  }`;
  return {
    name: "cores",
    title,
    method: "elapsed time by calls, after a warm-up; two threads on two processors",
    metrics: callMetrics,
    outcomes: await runRounds<CallsRound>(callContestants(outstanding), (command) => figuresOf(command), {
      ...context.options,
      onProgress: (line) => context.progress(`cores, ${outstanding} at a time: ${line}`),
    }),
    notes: [],
  };
}
