import { httpContestants } from "./contestants.ts";
import type { BenchContext } from "./context.ts";
import type { Report } from "./report.ts";
import { benchmarkServers, type ServerRound } from "./server_benchmark.ts";

/** `GET /` answered with `Hello world!`: kept connections, many of them, and a new one for every request. */
export async function* benchmarkHttp(context: BenchContext): AsyncGenerator<Report<ServerRound>> {
  const run = (title: string, connections: number, isConnectionPerRequest: boolean) =>
    benchmarkServers(
      "http",
      title,
      { protocol: "http", connections, isConnectionPerRequest },
      httpContestants,
      context,
    );
  yield await run("GET /, keep-alive, 64 connections", 64, false);
  yield await run("GET /, keep-alive, 256 connections", 256, false);
  yield await run("GET /, a connection per request, 64 at a time", 64, true);
}
