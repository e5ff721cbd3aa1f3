import type { Participant } from "./members.ts";

/** A metric: its name without the prefix, its kind, what it says, and its value. */
export type MetricRow = readonly [name: string, kind: "gauge" | "counter", help: string, value: number];

/** Metrics of one of a kind as text that Prometheus reads (its text format 0.0.4), with those of its participants. */
export function metricsText(
  kind: string,
  name: string,
  rows: readonly MetricRow[],
  participants: readonly Participant[],
): string {
  const alive = participants.filter(({ alive }) => alive).length;
  const all: MetricRow[] = [...rows, ["participants", "gauge", "Openers that are alive", alive]];
  return all.map(([metric, type, help, value]) =>
    metricHead(kind, metric, type, help) + `millrace_${kind}_${metric}{${kind}="${name}"} ${value}\n`
  ).join("") + participantsText(kind, name, participants);
}

function metricHead(kind: string, metric: string, type: MetricRow[1], help: string): string {
  return `# HELP millrace_${kind}_${metric} ${help}\n# TYPE millrace_${kind}_${metric} ${type}\n`;
}

/** One sample for each process: Prometheus refuses two with the same labels, and one process may open something more than once. */
function participantsText(kind: string, name: string, participants: readonly Participant[]): string {
  if (participants.length === 0) return "";
  const counts = new Map<number, number>();
  for (const { pid, alive } of participants) counts.set(pid, (counts.get(pid) ?? 0) + Number(alive));
  const metric = "process_openers";
  return metricHead(kind, metric, "gauge", "Openers of a process that are alive; 0: it has died") +
    [...counts].map(([pid, count]) => `millrace_${kind}_${metric}{${kind}="${name}",pid="${pid}"} ${count}\n`)
      .join("");
}
