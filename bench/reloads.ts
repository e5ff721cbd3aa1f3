import type { Command } from "./command.ts";
import type { Cores } from "./cores.ts";
import { chooseGenerator, runLoad } from "./load.ts";
import { errorCount, type LoadResult } from "./load_result.ts";
import type { Outcome } from "./rounds.ts";
import { startServer } from "./server.ts";

/** Reloads under load, once. */
export interface ReloadRound {
  readonly reloads: number;
  readonly p50Ms: number;
  readonly maxMs: number;
  readonly loads: readonly LoadResult[];
}

const CONNECTIONS = 64;
/** One load follows the other until the reloads are over. */
const LOAD_SECONDS = 5;
/** Milliseconds that all reloads of a round may take. */
const RELOADS_MS_MAX = 300_000;

/** Has a program reload its servers while they are under load; on any processors it may use. */
export async function measureReloads(command: Command, cores: Cores): Promise<ReloadRound> {
  const generator = await chooseGenerator({
    protocol: "http",
    connections: CONNECTIONS,
    isConnectionPerRequest: false,
  });
  await using server = await startServer(command, "http");
  let isOver = false;
  const reloading = reload(server.process).finally(() => isOver = true);
  reloading.catch(() => {
    // It is awaited below, behind the load.
  });
  const loads: LoadResult[] = [];
  do loads.push(await runLoad(generator, server.port, LOAD_SECONDS, { ...cores, load: undefined })); while (
    !isOver
  );
  return { ...await reloading, loads };
}

async function reload(
  process: {
    writeLine(line: string): Promise<void>;
    nextMatch(pattern: RegExp, ms: number): Promise<RegExpExecArray>;
  },
): Promise<Omit<ReloadRound, "loads">> {
  // It may have printed something behind its address.
  await process.writeLine("reload");
  const [line] = await process.nextMatch(/^\{.*\}$/m, RELOADS_MS_MAX);
  return JSON.parse(line);
}

/** Requests that failed, of whatever kind. */
export function failedCount({ loads }: ReloadRound): number {
  return loads.reduce((sum, load) => sum + errorCount(load), 0);
}

/** Requests that were answered. */
export function requestCount({ loads }: ReloadRound): number {
  return loads.reduce((sum, { requests }) => sum + requests, 0);
}

/** How many reloads there were in all, and what failed: no median hides it. */
export function reloadNotes(outcomes: readonly Outcome<ReloadRound>[]): string[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.state === "not run" || outcome.rounds.length === 0) return [];
    const sum = (of: (round: ReloadRound) => number) =>
      outcome.rounds.reduce((total, round) => total + of(round), 0);
    const kinds = new Map<string, number>();
    for (const { errors } of outcome.rounds.flatMap(({ loads }) => loads)) {
      for (const [kind, count] of Object.entries(errors)) kinds.set(kind, (kinds.get(kind) ?? 0) + count);
    }
    const failed = [...kinds].filter(([, count]) => count > 0).map(([kind, count]) => `${kind} ${count}`);
    const reloads = sum((round) => round.reloads);
    return [
      `${outcome.contestant.label}: ${reloads} reloads, ${sum(requestCount)} requests answered, ${
        sum(failedCount)
      } failed${failed.length === 0 ? "" : ` (${failed.join(", ")})`}`,
    ];
  });
}
