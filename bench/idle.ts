import { ChildProcess } from "./child_process.ts";
import type { Command } from "./command.ts";
import { echoContestants, httpContestants } from "./contestants.ts";
import type { BenchContext } from "./context.ts";
import { onCore, openFilesMax, withOpenFiles } from "./cores.ts";
import { builtFromC } from "./peers.ts";
import { type MemorySample, sampleMemory } from "./process_usage.ts";
import type { Metric, Report } from "./report.ts";
import { type Contestant, runRounds } from "./rounds.ts";
import { startServer } from "./server.ts";

/** Memory of one server at three moments. */
export interface IdleRound {
  /** Connections that were open at the last of them. */
  readonly connections: number;
  /** Before any connection. */
  readonly empty: MemorySample;
  /** Every connection open, nothing sent. */
  readonly opened: MemorySample;
  /** Every connection idle again after one request. */
  readonly used: MemorySample;
  /** Connections that failed, were not answered, or were ended by the server meanwhile. */
  readonly lost: number;
}

const connectionsWanted = 10_000;
/** Files a server has open beside its connections, with room to spare. */
const otherFiles = 200;
const settleMs = 1500;
const stageTimeoutMs = 60_000;

const perConnection = (round: IdleRound, sample: MemorySample, key: keyof MemorySample) =>
  (sample[key] - round.empty[key]) / round.connections;

const metrics: readonly Metric<IdleRound>[] = [
  { key: "connections", title: "connections", digits: 0, of: ({ connections }) => connections },
  { key: "lost", title: "lost", digits: 0, of: ({ lost }) => lost },
  {
    key: "emptyResidentMib",
    title: "server alone MiB",
    digits: 1,
    of: ({ empty }) => empty.residentBytes / 2 ** 20,
  },
  {
    key: "openedResidentBytes",
    title: "opened: RSS B each",
    digits: 0,
    of: (round) => perConnection(round, round.opened, "residentBytes"),
  },
  {
    key: "usedResidentBytes",
    title: "after a request: RSS B each",
    digits: 0,
    hasSpread: true,
    ratioTitle: "ratio",
    of: (round) => perConnection(round, round.used, "residentBytes"),
  },
  {
    key: "usedProportionalBytes",
    title: "PSS B each",
    digits: 0,
    of: (round) => perConnection(round, round.used, "proportionalBytes"),
  },
];

/** Memory that a server takes for each of ten thousand idle connections. */
export async function* benchmarkIdle(context: BenchContext): AsyncGenerator<Report<IdleRound>> {
  yield await benchmarkProtocol("http", httpContestants, context);
  yield await benchmarkProtocol("echo", echoContestants, context);
}

async function benchmarkProtocol(
  protocol: "http" | "echo",
  contestants: readonly Contestant[],
  context: BenchContext,
): Promise<Report<IdleRound>> {
  const filesMax = await openFilesMax(connectionsWanted + otherFiles);
  const connections = Math.min(connectionsWanted, filesMax - otherFiles);
  const title = `${connections} idle ${protocol === "http" ? "HTTP" : "TCP"} connections`;
  const client = await builtFromC("idle_connections");
  const find = (contestant: Contestant) =>
    client.state === "ready" ? contestant.find() : Promise.resolve(client);
  const outcomes = await runRounds<IdleRound>(
    contestants.map((contestant) => ({ ...contestant, find: () => find(contestant) })),
    (command) => {
      if (client.state === "unavailable") throw new Error(client.reason);
      return measure(command, client.command, protocol, connections, context);
    },
    { ...context.options, onProgress: (line) => context.progress(`idle, ${protocol}: ${line}`) },
  );
  return {
    name: "idle",
    title,
    method:
      "connections by bench/peers/idle_connections.c, from several addresses of the loopback; memory from /proc/PID/smaps_rollup",
    metrics,
    outcomes,
    notes: [
      "bytes each: growth since before the first connection, over the connections; what the kernel keeps for a socket is not in it",
      ...(connections < connectionsWanted
        ? [`only ${connections} connections, as no process here may open more than ${filesMax} files`]
        : []),
    ],
  };
}

async function measure(
  command: Command,
  client: Command,
  protocol: "http" | "echo",
  wanted: number,
  { cores }: BenchContext,
): Promise<IdleRound> {
  const openFiles = wanted + otherFiles;
  await using server = await startServer(
    onCore(withOpenFiles(command, openFiles), cores.server, cores),
    protocol,
  );
  await settle();
  const empty = sampleMemory(server.process.pid);
  const generator = { ...client, args: [protocol, String(server.port), String(wanted)] };
  await using idle = ChildProcess.start(onCore(withOpenFiles(generator, openFiles), cores.load, cores));
  const opened = await stage(idle, "opened");
  await settle();
  const openedMemory = sampleMemory(server.process.pid);
  await idle.writeLine("request");
  const answered = await stage(idle, "answered");
  await settle();
  const usedMemory = sampleMemory(server.process.pid);
  await idle.writeLine("look");
  const open = await stage(idle, "open");
  if (open === 0) throw new Error(`no connection stayed open: ${opened} were opened, ${answered} answered`);
  return {
    connections: open,
    empty,
    opened: openedMemory,
    used: usedMemory,
    lost: wanted - Math.min(opened, answered, open),
  };
}

/** Waits for one stage of the client, and gives the number of connections that passed it. */
async function stage(idle: ChildProcess, name: string): Promise<number> {
  const match = await idle.nextMatch(new RegExp(`"stage":"${name}","connections":(\\d+)`), stageTimeoutMs);
  return Number(match[1]);
}

/** Lets a server that works in steps finish what the last stage began. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, settleMs));
}
