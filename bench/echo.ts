import { echoContestants } from "./contestants.ts";
import type { BenchContext } from "./context.ts";
import type { Report } from "./report.ts";
import { benchmarkServers, type ServerRound } from "./server_benchmark.ts";

/** TCP messages of 64 bytes sent back: over kept connections, and over a new one for every message. */
export async function* benchmarkEcho(context: BenchContext): AsyncGenerator<Report<ServerRound>> {
  const run = (title: string, isConnectionPerRequest: boolean) =>
    benchmarkServers(
      "echo",
      title,
      { protocol: "echo", connections: 64, isConnectionPerRequest, messageBytes: 64 },
      echoContestants,
      context,
    );
  yield await run("64 bytes, keep-alive, 64 connections", false);
  yield await run("64 bytes, a connection per message, 64 at a time", true);
}
