import type { QueueStatus } from "../../ipc/queue/mod.ts";

/** What a report shows besides the status. */
export interface StatusReportOptions {
  /** The process that reads the status, which is left out of the participants. */
  readonly ownPid: number;
  /** Whether the rates cover a long enough time. */
  readonly withRates: boolean;
}

/** A status as one line of JSON. */
export function statusJson(name: string, status: QueueStatus, options: StatusReportOptions): string {
  return JSON.stringify({
    name,
    ...status,
    oldestAgeMs: status.oldestAgeMs ?? null,
    sentPerSecond: options.withRates ? status.sentPerSecond : null,
    receivedPerSecond: options.withRates ? status.receivedPerSecond : null,
    participants: othersOf(status, options),
  });
}

/** A status as lines for people. */
export function statusTable(name: string, status: QueueStatus, options: StatusReportOptions): string {
  const { readyCount, reservedCount, deadLetterCount, capacity, readyCounts, oldestAgeMs } = status;
  const used = readyCount + reservedCount + deadLetterCount;
  const rows: [string, string][] = [
    ["queue", name],
    ["capacity", `${capacity}, ${used} used`],
    ["ready", readyCounts.length > 1 ? `${readyCount} (${byLane(readyCounts)})` : String(readyCount)],
    ["reserved", String(reservedCount)],
    ["dead letters", String(deadLetterCount)],
    ["oldest", oldestAgeMs === undefined ? "-" : formatAge(oldestAgeMs)],
    ["sent", withRate(status.sentCount, status.sentPerSecond, options)],
    ["received", withRate(status.receivedCount, status.receivedPerSecond, options)],
    ["redelivered", String(status.redeliveredCount)],
    ["given back", String(status.givenBackCount)],
    ["expired", String(status.expiredCount)],
    ["dropped", String(status.droppedCount)],
    ["dead lettered", String(status.deadLetteredCount)],
    ["damaged", String(status.damagedCount)],
  ];
  const others = othersOf(status, options);
  rows.push(["opened by", others.length === 0 ? "no other process" : ""]);
  const participants = others.map(({ pid, attachedAt, alive }) =>
    `  process ${pid} since ${attachedAt.toISOString()}${alive ? "" : ", died"}`
  );
  const table = rows.map(([title, value]) => `${title.padEnd(14)} ${value}`.trimEnd());
  return [...table, ...participants].join("\n");
}

/** An age in the largest unit that it fills: `1.5 s`. */
export function formatAge(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${(ms / 60_000).toFixed(1)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

function othersOf(
  { participants }: QueueStatus,
  { ownPid }: StatusReportOptions,
): QueueStatus["participants"] {
  return participants.filter(({ pid }) => pid !== ownPid);
}

function byLane(counts: readonly number[]): string {
  return counts.map((count, lane) => `${lane}: ${count}`).join(", ");
}

function withRate(count: number, perSecond: number, { withRates }: StatusReportOptions): string {
  return withRates ? `${count}, ${Math.round(perSecond)} a second` : String(count);
}
