import type { SharedQueue } from "../../ipc/queue/mod.ts";

/** What can be learned of a queue without opening it. */
export type QueueInfo = ReturnType<typeof SharedQueue.list>[number];

/** A queue as one line of JSON. */
export function queueJson({ name, byteLength, mode, inUse, state, createdAt, createdBy }: QueueInfo): string {
  return JSON.stringify({
    name,
    byteLength,
    mode: octal(mode),
    inUse,
    state,
    createdAt: createdAt?.toISOString() ?? null,
    createdByPid: createdBy?.pid ?? null,
  });
}

/** Queues as a table for people, with a header line. */
export function formatQueueTable(queues: readonly QueueInfo[]): string {
  const rows = [
    ["NAME", "BYTES", "MODE", "IN USE", "STATE", "CREATED"],
    ...queues.map(({ name, byteLength, mode, inUse, state, createdAt }) => [
      name,
      String(byteLength),
      octal(mode),
      inUse ? "yes" : "no",
      state,
      createdAt?.toISOString() ?? "-",
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd())
    .join("\n");
}

function octal(mode: number): string {
  return mode.toString(8).padStart(3, "0");
}
