import type { InstanceStatus } from "../../run/process/mod.ts";

const MIB = 1024 * 1024;

/** Instances as a table for people, with a header line. */
export function formatProcessTable(instances: readonly InstanceStatus[]): string {
  const rows = [
    ["NAME", "PID", "STATE", "UPTIME", "RESTARTS", "MEMORY", "CPU", "LAST EXIT"],
    ...instances.map((one) => [
      `${one.name}/${one.instance}`,
      one.pid === undefined ? "-" : String(one.pid),
      one.state,
      one.uptimeMs === undefined ? "-" : formatTime(one.uptimeMs),
      String(one.restartCount),
      one.memoryBytes === undefined ? "-" : `${(one.memoryBytes / MIB).toFixed(1)} MiB`,
      one.cpuMs === undefined ? "-" : `${(one.cpuMs / 1000).toFixed(2)} s`,
      one.lastExit === undefined ? "-" : one.lastExit.signal ?? `code ${one.lastExit.code}`,
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd())
    .join("\n");
}

function formatTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d`;
}
