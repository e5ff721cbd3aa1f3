import type { BenchContext } from "./context.ts";
import { figuresOf } from "./figures.ts";
import {
  handOverContestants,
  killContestants,
  reloadContestants,
  stateContestants,
  taskRateContestants,
  taskTripContestants,
} from "./process_contestants.ts";
import { failedCount, measureReloads, reloadNotes, type ReloadRound, requestCount } from "./reloads.ts";
import type { Metric, Report } from "./report.ts";
import { latencyMetrics, type RoundTripRound } from "./ring.ts";
import { type Contestant, type Outcome, runRounds } from "./rounds.ts";

/** Tasks a second, once, and the processor time of all processes for one. */
export interface TaskRateRound {
  readonly tasksPerSecond: number;
  readonly cpuUsPerTask: number;
}

/** Deaths of the only server: until they are told, and until the next request is answered. */
export interface KillRound {
  readonly noticedP50Ms: number;
  readonly noticedP99Ms: number;
  readonly servedP50Ms: number;
  readonly servedP99Ms: number;
}

/** Operations a second, once. */
export interface OperationRound {
  readonly perSecond: number;
}

const KILLS = 20;
/** In three rounds, more than a hundred. */
const RELOADS = 34;
const RELOADED_WORKERS = 4;
const HAND_OVERS = 500;

const rateMetrics: readonly Metric<TaskRateRound>[] = [
  {
    key: "thousandsPerSecond",
    title: "thousand tasks/s",
    digits: 1,
    hasSpread: true,
    ratioTitle: "ratio",
    of: ({ tasksPerSecond }) => tasksPerSecond / 1000,
  },
  { key: "cpuUs", title: "CPU us/task", digits: 1, of: ({ cpuUsPerTask }) => cpuUsPerTask },
];

const killMetrics: readonly Metric<KillRound>[] = [
  {
    key: "noticedP50Ms",
    title: "noticed p50 ms",
    digits: 1,
    hasSpread: true,
    ratioTitle: "ratio",
    of: ({ noticedP50Ms }) => noticedP50Ms,
  },
  { key: "noticedP99Ms", title: "p99 ms", digits: 1, of: ({ noticedP99Ms }) => noticedP99Ms },
  {
    key: "servedP50Ms",
    title: "served p50 ms",
    digits: 0,
    hasSpread: true,
    ratioTitle: "ratio",
    of: ({ servedP50Ms }) => servedP50Ms,
  },
  { key: "servedP99Ms", title: "p99 ms", digits: 0, of: ({ servedP99Ms }) => servedP99Ms },
];

const reloadMetrics: readonly Metric<ReloadRound>[] = [
  { key: "failed", title: "failed requests", digits: 0, hasSpread: true, of: failedCount },
  {
    key: "p50Ms",
    title: "p50 ms",
    digits: 0,
    hasSpread: true,
    ratioTitle: "ratio",
    of: ({ p50Ms }) => p50Ms,
  },
  { key: "maxMs", title: "longest ms", digits: 0, of: ({ maxMs }) => maxMs },
  {
    key: "requestsPerSecond",
    title: "requests/s",
    digits: 0,
    of: (round) => requestCount(round) / round.loads.reduce((sum, { seconds }) => sum + seconds, 0),
  },
];

const operationMetrics: readonly Metric<OperationRound>[] = [{
  key: "thousandsPerSecond",
  title: "thousand/s",
  digits: 0,
  hasSpread: true,
  ratioTitle: "ratio",
  of: ({ perSecond }) => perSecond / 1000,
}];

/** Processes that work for each other, that are looked after, and that share state: Millrace, and what a program would use in its place. */
export async function* benchmarkProcess(context: BenchContext): AsyncGenerator<Report> {
  yield await report<RoundTripRound>(context, {
    title: "a task in another process, one at a time",
    method: "the sum of two numbers, from the call to its result, after a warm-up",
    metrics: latencyMetrics,
    contestants: taskTripContestants(),
  });
  for (const [outstanding, workers] of [[64, 1], [256, 1], [64, 2], [256, 2]] as const) {
    yield await report<TaskRateRound>(context, {
      title: `tasks, ${outstanding} at a time, ${workers === 1 ? "one worker" : `${workers} workers`}`,
      method: "the sum of two numbers, after a warm-up; CPU of all processes",
      metrics: rateMetrics,
      contestants: taskRateContestants(outstanding, workers),
    });
  }
  yield await report<KillRound>(context, {
    title: "the only HTTP server is killed",
    method:
      `${KILLS} times, from SIGKILL until its end is told, and until the next request is answered, of one every 5 ms`,
    metrics: killMetrics,
    contestants: killContestants(KILLS),
  });
  yield await report<ReloadRound>(context, {
    title: `reloads of ${RELOADED_WORKERS} HTTP servers under load`,
    method: `${RELOADS} in a row a round, under 64 kept connections with a request each`,
    metrics: reloadMetrics,
    contestants: reloadContestants(RELOADS, RELOADED_WORKERS),
    measure: (command) => measureReloads(command, context.cores),
    notesOf: reloadNotes,
  });
  for (const operation of ["get", "set"] as const) {
    yield await report<OperationRound>(context, {
      title: `${operation} of a value of 64 bytes`,
      method: "a thousand keys in turn, by one process, after a warm-up",
      metrics: operationMetrics,
      contestants: stateContestants(operation),
    });
  }
  yield await report<RoundTripRound>(context, {
    title: "hand-over of a lock between two processes",
    method: "from before it is given back until the other has it, which slept for 3 ms",
    metrics: latencyMetrics,
    contestants: handOverContestants(HAND_OVERS),
  });
}

async function report<Round>(
  context: BenchContext,
  { title, method, metrics, contestants, measure = (command) => figuresOf(command), notesOf = () => [] }: {
    title: string;
    method: string;
    metrics: readonly Metric<Round>[];
    contestants: readonly Contestant[];
    measure?: Parameters<typeof runRounds<Round>>[1];
    notesOf?: (outcomes: readonly Outcome<Round>[]) => readonly string[];
  },
): Promise<Report> {
  const outcomes = await runRounds<Round>(contestants, measure, {
    ...context.options,
    onProgress: (line) => context.progress(`process, ${title}: ${line}`),
  });
  return { name: "process", title, method, metrics, outcomes, notes: notesOf(outcomes) } as Report;
}
