import type { BenchContext } from "./context.ts";
import type { Command } from "./command.ts";
import { onCore } from "./cores.ts";
import { chooseGenerator, type LoadGenerator, type LoadShape, runLoad } from "./load.ts";
import { errorCount, type LoadResult } from "./load_result.ts";
import { sampleUsage, stolenShare, type Usage, usageBetween } from "./process_usage.ts";
import type { Metric, Report } from "./report.ts";
import { type Contestant, type Outcome, runRounds } from "./rounds.ts";
import { startServer } from "./server.ts";

/** One contestant under one load, once. */
export interface ServerRound {
  readonly load: LoadResult;
  readonly usage: Usage;
  /** What the server printed when it was ready. */
  readonly banner: string;
  readonly answerBytes: number;
}

const warmUpSeconds = 1;
const disturbedShareMin = 0.05;

const perRequestUs = (seconds: number, round: ServerRound) => seconds * 1e6 / round.load.requests;
const totalSeconds = ({ usage }: ServerRound) => usage.userSeconds + usage.systemSeconds;

const metrics: readonly Metric<ServerRound>[] = [
  {
    key: "requestsPerSecond",
    title: "requests/s",
    digits: 0,
    hasSpread: true,
    ratioTitle: "rate ratio",
    of: ({ load }) => load.requests / load.seconds,
  },
  { key: "p50Us", title: "p50 us", digits: 0, of: ({ load }) => load.p50Us },
  { key: "p99Us", title: "p99 us", digits: 0, of: ({ load }) => load.p99Us },
  { key: "errors", title: "errors", digits: 0, of: ({ load }) => errorCount(load) },
  { key: "userUs", title: "user us", digits: 2, of: (round) => perRequestUs(round.usage.userSeconds, round) },
  {
    key: "systemUs",
    title: "system us",
    digits: 2,
    of: (round) => perRequestUs(round.usage.systemSeconds, round),
  },
  {
    key: "cpuUs",
    title: "CPU us/request",
    digits: 2,
    hasSpread: true,
    ratioTitle: "CPU ratio",
    of: (round) => perRequestUs(totalSeconds(round), round),
  },
  {
    key: "busyPercent",
    title: "core busy %",
    digits: 0,
    of: (round) => 100 * totalSeconds(round) / round.load.seconds,
  },
  { key: "answerBytes", title: "answer B", digits: 0, of: ({ answerBytes }) => answerBytes },
];

/**
 * Puts every contestant under one shape of load, in rounds, each time as a new process that has been warmed up.
 *
 * @param name benchmark that the report belongs to
 */
export async function benchmarkServers(
  name: string,
  title: string,
  shape: LoadShape,
  contestants: readonly Contestant[],
  context: BenchContext,
): Promise<Report<ServerRound>> {
  const generator = await chooseGenerator(shape);
  const statBefore = await Deno.readTextFile("/proc/stat");
  const outcomes = await runRounds<ServerRound>(
    contestants,
    (command) => measure(command, shape, generator, context),
    { ...context.options, onProgress: (line) => context.progress(`${name}, ${title}: ${line}`) },
  );
  const stolen = stolenShare(statBefore, await Deno.readTextFile("/proc/stat"));
  return {
    name,
    title,
    method: methodOf(generator, context),
    metrics: metrics.filter((metric) => shape.protocol === "http" || metric.key !== "answerBytes"),
    outcomes,
    notes: [...errorNotes(outcomes), ...disturbanceNotes(outcomes, stolen), ...bannerNotes(outcomes)],
  };
}

async function measure(
  command: Command,
  shape: LoadShape,
  generator: LoadGenerator,
  { cores, options }: BenchContext,
): Promise<ServerRound> {
  await using server = await startServer(onCore(command, cores.server, cores), shape.protocol);
  await runLoad(generator, server.port, warmUpSeconds, cores);
  const before = sampleUsage(server.process.pid);
  const load = await runLoad(generator, server.port, options.seconds, cores);
  if (server.process.hasEnded) throw new Error(`under load it ${await server.process.describeEnd()}`);
  const usage = usageBetween(before, sampleUsage(server.process.pid));
  if (load.requests === 0) throw new Error(`no request was answered: ${describeErrors(load)}`);
  return { load, usage, banner: server.banner, answerBytes: server.answerBytes };
}

function methodOf(generator: LoadGenerator, { cores, options }: BenchContext): string {
  const command = generator.command(0, options.seconds);
  const line = [command.executable, ...command.args].join(" ").replace(
    /:0\/|\b0\b(?=( |$))/,
    (port) => port.replace("0", "PORT"),
  );
  return `load by ${generator.description}: ${line.replace(Deno.execPath(), "deno")}; ${cores.description}`;
}

function describeErrors(load: LoadResult): string {
  const kinds = Object.entries(load.errors).filter(([, count]) => count > 0);
  return kinds.map(([kind, count]) => `${kind} ${count}`).join(", ") || "no error was counted";
}

function roundsOf(outcome: Outcome<ServerRound>): readonly ServerRound[] {
  return outcome.state === "not run" ? [] : outcome.rounds;
}

/** Errors are never hidden by a median: each round that had some is named. */
function errorNotes(outcomes: readonly Outcome<ServerRound>[]): string[] {
  return outcomes.flatMap((outcome) =>
    roundsOf(outcome).flatMap(({ load }, index) =>
      errorCount(load) === 0
        ? []
        : [`ERRORS: ${outcome.contestant.label}, round ${index + 1}: ${describeErrors(load)}`]
    )
  );
}

/** A core that others used, or a hypervisor took away, makes rates and percentiles worthless, and times per request worse. */
function disturbanceNotes(outcomes: readonly Outcome<ServerRound>[], stolen: number): string[] {
  const notes: string[] = [];
  const shares = outcomes.flatMap((outcome) =>
    roundsOf(outcome).map(({ load, usage }) => usage.waitSeconds / load.seconds)
  );
  const worst = Math.max(0, ...shares);
  if (worst > disturbedShareMin) {
    notes.push(
      `other programs had the server's core for up to ${
        Math.round(100 * worst)
      } % of a round: judge by CPU us/request`,
    );
  }
  if (stolen > disturbedShareMin) {
    notes.push(`the hypervisor took ${Math.round(100 * stolen)} % of the machine's time`);
  }
  return notes;
}

function bannerNotes(outcomes: readonly Outcome<ServerRound>[]): string[] {
  return outcomes.flatMap((outcome) => {
    const banner = roundsOf(outcome)[0]?.banner;
    if (banner === undefined || !outcome.contestant.id.startsWith("millrace")) return [];
    return [`${outcome.contestant.label} said: ${banner}`];
  });
}
