import { ChildProcess } from "./child_process.ts";
import type { Command } from "./command.ts";
import { timerContestants, type TimerWorkload } from "./contestants.ts";
import type { BenchContext } from "./context.ts";
import { onCore } from "./cores.ts";
import { endedChildrenSeconds, type ProcessorSeconds } from "./process_usage.ts";
import type { Metric, Report } from "./report.ts";
import { runRounds } from "./rounds.ts";

/** Processor seconds of one contestant with all the timers, and of the same program with none. */
export interface TimersRound {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly baselineSeconds: number;
}

const timerCount = 1_000_000;

const titles: Readonly<Record<TimerWorkload, string>> = {
  bulk: "a million timers of 1 to 1000 ms, all scheduled, then all cancelled",
  churn: "a million timers of 1 to 1000 ms, each cancelled as soon as it is scheduled",
};

const cpuSeconds = ({ userSeconds, systemSeconds, baselineSeconds }: TimersRound) =>
  Math.max(0, userSeconds + systemSeconds - baselineSeconds);

const metrics: readonly Metric<TimersRound>[] = [
  {
    key: "cpuSeconds",
    title: "CPU s",
    digits: 2,
    hasSpread: true,
    ratioTitle: "ratio",
    of: cpuSeconds,
  },
  {
    key: "nanosecondsPerTimer",
    title: "ns/timer",
    digits: 0,
    of: (round) => cpuSeconds(round) * 1e9 / timerCount,
  },
  { key: "userSeconds", title: "user s, whole", digits: 2, of: ({ userSeconds }) => userSeconds },
  { key: "systemSeconds", title: "system s, whole", digits: 2, of: ({ systemSeconds }) => systemSeconds },
  {
    key: "baselineSeconds",
    title: "s without timers",
    digits: 2,
    of: ({ baselineSeconds }) => baselineSeconds,
  },
];

/** Scheduling and cancelling a million timers that never fire, as deadlines around calls that succeed. */
export async function* benchmarkTimers(context: BenchContext): AsyncGenerator<Report<TimersRound>> {
  yield await benchmarkWorkload("bulk", context);
  yield await benchmarkWorkload("churn", context);
}

async function benchmarkWorkload(
  workload: TimerWorkload,
  context: BenchContext,
): Promise<Report<TimersRound>> {
  const outcomes = await runRounds<TimersRound>(
    timerContestants(workload, timerCount),
    async (command) => {
      const baseline = await usageOf({ ...command, args: [...command.args.slice(0, -1), "0"] }, context);
      const { userSeconds, systemSeconds } = await usageOf(command, context);
      return { userSeconds, systemSeconds, baselineSeconds: baseline.userSeconds + baseline.systemSeconds };
    },
    { ...context.options, onProgress: (line) => context.progress(`timers, ${workload}: ${line}`) },
  );
  return {
    name: "timers",
    title: titles[workload],
    method:
      `processor time of a whole process, less that of the same with no timers, in steps of 10 ms; ${context.cores.description}`,
    metrics,
    outcomes,
    notes: [],
  };
}

/** Processor time of a command from its start to its end. */
async function usageOf(command: Command, { cores }: BenchContext): Promise<ProcessorSeconds> {
  const before = endedChildrenSeconds();
  await using process = ChildProcess.start(onCore(command, cores.server, cores));
  const { success } = await process.ended;
  if (!success) throw new Error(await process.describeEnd());
  const after = endedChildrenSeconds();
  return {
    userSeconds: after.userSeconds - before.userSeconds,
    systemSeconds: after.systemSeconds - before.systemSeconds,
  };
}
