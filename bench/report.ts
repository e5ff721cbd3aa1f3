import { commandLine } from "./command.ts";
import type { Outcome } from "./rounds.ts";
import { pairedRatio, type Spread, spreadOf } from "./statistics.ts";

/** One figure of a round. */
export interface Metric<Round> {
  /** Name in JSON, with its unit. */
  readonly key: string;
  /** Head of its column. */
  readonly title: string;
  readonly digits: number;
  /** Prints the least and the greatest beside the median. @default false */
  readonly hasSpread?: boolean;
  /** Prints the quotient by Millrace under this head, in a column of its own. */
  readonly ratioTitle?: string;
  of(round: Round): number;
}

/** One table: what was measured, how, and how each contestant fared. */
export interface Report<Round = unknown> {
  /** Name of the benchmark, as on the command line. */
  readonly name: string;
  readonly title: string;
  /** What made the load, or how the figures came about. */
  readonly method: string;
  readonly metrics: readonly Metric<Round>[];
  /** In the order of the table; ratios are to the first of them that ran. */
  readonly outcomes: readonly Outcome<Round>[];
  /** What a reader must know to judge the figures. */
  readonly notes: readonly string[];
}

/** A report reduced to medians, extremes and ratios: what `--json` prints of it. */
export interface ReportSummary {
  readonly name: string;
  readonly title: string;
  readonly method: string;
  /** Contestant that the ratios are to. */
  readonly ratiosTo: string | undefined;
  readonly contestants: readonly ContestantSummary[];
  readonly notes: readonly string[];
}

/** How one contestant fared. */
export interface ContestantSummary {
  readonly id: string;
  readonly label: string;
  readonly state: "ran" | "failed" | "not run";
  readonly reason?: string;
  readonly note?: string;
  readonly command?: string;
  readonly roundCount: number;
  readonly figures: Readonly<Record<string, Spread>>;
  /** Median over the rounds of this contestant's figure divided by the reference's. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly rounds: readonly unknown[];
}

/** Reduces a report to what is printed. */
export function summarize<Round>(report: Report<Round>): ReportSummary {
  const reference = report.outcomes.find((outcome) =>
    outcome.state !== "not run" && outcome.rounds.length > 0
  );
  return {
    name: report.name,
    title: report.title,
    method: report.method,
    ratiosTo: reference?.contestant.label,
    contestants: report.outcomes.map((outcome) => summarizeOutcome(outcome, report.metrics, reference)),
    notes: [...report.notes, ...contestantNotes(report.outcomes)],
  };
}

function summarizeOutcome<Round>(
  outcome: Outcome<Round>,
  metrics: readonly Metric<Round>[],
  reference: Outcome<Round> | undefined,
): ContestantSummary {
  const { contestant, state } = outcome;
  const rounds = outcome.state === "not run" ? [] : outcome.rounds;
  const figures: Record<string, Spread> = {};
  const ratios: Record<string, number> = {};
  for (const metric of metrics) {
    const own = rounds.map((round) => metric.of(round));
    if (own.length > 0) figures[metric.key] = spreadOf(own);
    if (metric.ratioTitle === undefined || reference === undefined || reference.state === "not run") continue;
    const ratio = pairedRatio(own, reference.rounds.map((round) => metric.of(round)));
    if (ratio !== undefined) ratios[metric.key] = ratio;
  }
  return {
    id: contestant.id,
    label: contestant.label,
    state,
    ...(outcome.state === "ran" ? {} : { reason: outcome.reason }),
    ...(contestant.note === undefined ? {} : { note: contestant.note }),
    ...(outcome.state === "not run" ? {} : { command: commandLine(outcome.command) }),
    roundCount: rounds.length,
    figures,
    ratios,
    rounds,
  };
}

function contestantNotes<Round>(outcomes: readonly Outcome<Round>[]): string[] {
  return outcomes.flatMap(({ state, contestant: { label, note } }) =>
    state === "not run" || note === undefined ? [] : [`${label}: ${note}`]
  );
}

/**
 * Writes a report as text: the table, the notes and the commands.
 *
 * @param printed notes and commands of earlier reports, which are not repeated; those of this one are added
 */
export function formatReport<Round>(report: Report<Round>, printed: Set<string> = new Set()): string {
  const summary = summarize(report);
  const ran = summary.contestants.filter((contestant) => contestant.roundCount > 0);
  const lines = [`## ${summary.name}: ${summary.title}`, `   ${summary.method}`, ""];
  if (ran.length > 0) lines.push(...formatTable(ran, report.metrics), "");
  if (ran.length > 1 && report.metrics.some((metric) => metric.ratioTitle !== undefined)) {
    lines.push(`   ratios: each contestant over ${summary.ratiosTo}, median of the rounds' own ratios`);
  }
  lines.push(...formatAbsences(summary.contestants));
  const details = [
    ...summary.notes.map((note) => `   note: ${note}`),
    ...ran.map(({ label, command }) => `   command: ${label}: ${command}`),
  ];
  for (const line of details.filter((line) => !printed.has(line))) {
    lines.push(line);
    printed.add(line);
  }
  return `${lines.join("\n")}\n`;
}

/** Those that did not run all rounds, the ones with the same reason together. */
function formatAbsences(contestants: readonly ContestantSummary[]): string[] {
  const labels = new Map<string, string[]>();
  for (const { label, state, reason } of contestants) {
    const key = `${state}: ${reason}`;
    if (state !== "ran") labels.set(key, [...(labels.get(key) ?? []), label]);
  }
  return Array.from(labels, ([key, names]) => `   ${key}: ${names.join("; ")}`);
}

function formatTable<Round>(
  contestants: readonly ContestantSummary[],
  metrics: readonly Metric<Round>[],
): string[] {
  const rows = [["", ...metrics.flatMap(columnTitles)]];
  for (const contestant of contestants) {
    rows.push([contestant.label, ...metrics.flatMap((metric) => cells(contestant, metric))]);
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => {
    const padded = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])
    );
    return `   ${padded.join("  ")}`.trimEnd();
  });
}

function columnTitles<Round>(metric: Metric<Round>): string[] {
  const title = metric.hasSpread ? `${metric.title} (min–max)` : metric.title;
  return metric.ratioTitle === undefined ? [title] : [title, metric.ratioTitle];
}

function cells<Round>(contestant: ContestantSummary, metric: Metric<Round>): string[] {
  const spread = contestant.figures[metric.key];
  const format = (value: number) => value.toFixed(metric.digits);
  const extremes = metric.hasSpread ? ` (${format(spread.min)}–${format(spread.max)})` : "";
  const figure = `${format(spread.median)}${extremes}`;
  if (metric.ratioTitle === undefined) return [figure];
  return [figure, contestant.ratios[metric.key]?.toFixed(2) ?? "-"];
}
