import type { Participant } from "./members.ts";

/** Values of a metric that has several, each by what its label says. */
export interface LabelledValues {
  readonly label: string;
  readonly values: Iterable<readonly [string | number, number]>;
}

/** A metric: its name without the prefix, its kind, what it says, and its value. */
export type MetricRow = readonly [
  name: string,
  kind: "gauge" | "counter",
  help: string,
  value: number | LabelledValues,
];

/** Metrics of one of a kind as text that Prometheus reads (its text format 0.0.4), with those of its participants. */
export function metricsText(
  kind: string,
  name: string,
  rows: readonly MetricRow[],
  participants: readonly Participant[],
): string {
  const alive = participants.filter(({ alive }) => alive).length;
  const all: MetricRow[] = [...rows, ["participants", "gauge", "Openers that are alive", alive]];
  if (participants.length > 0) all.push(openersRow(participants));
  return all.map(([row, type, help, value]) => {
    const metric = `millrace_${kind}_${row}`;
    const own = `${kind}="${name}"`;
    const samples = typeof value === "number"
      ? [`${metric}{${own}} ${value}\n`]
      : Array.from(value.values, ([which, sample]) =>
        `${metric}{${own},${value.label}="${which}"} ${sample}\n`);
    return `# HELP ${metric} ${help}\n# TYPE ${metric} ${type}\n${samples.join("")}`;
  }).join("");
}

/** One sample for each process: Prometheus refuses two with the same labels, and one process may open something more than once. */
function openersRow(participants: readonly Participant[]): MetricRow {
  const counts = new Map<number, number>();
  for (const { pid, alive } of participants) counts.set(pid, (counts.get(pid) ?? 0) + Number(alive));
  const help = "Openers of a process that are alive; 0: it has died";
  return ["process_openers", "gauge", help, { label: "pid", values: counts }];
}
