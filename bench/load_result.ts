/** What a load generator counted in one run. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Errors by kind; kinds that did not occur may be missing. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Sum of all errors of a run. */
export function errorCount(result: LoadResult): number {
  return Object.values(result.errors).reduce((sum, count) => sum + count, 0);
}

/**
 * Reads the line of JSON that our own generators print.
 *
 * @throws {Error} when the output holds none
 */
export function parseGeneratorOutput(output: string): LoadResult {
  const line = output.split("\n").find((text) => text.startsWith("{"));
  if (line === undefined) throw new Error("load generator: printed no result, expected a line of JSON");
  return JSON.parse(line);
}

/**
 * Reads what `wrk --latency` prints.
 *
 * @throws {Error} naming the line that is missing
 */
export function parseWrkOutput(output: string): LoadResult {
  const total = found(output, /^\s*(\d+) requests in ([\d.]+)(us|ms|s|m|h),/m, "N requests in T");
  const socketErrors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output);
  const [connect, read, write, timeout] = socketErrors?.slice(1).map(Number) ?? [0, 0, 0, 0];
  const status = Number(/Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0);
  return {
    requests: Number(total[1]),
    seconds: microseconds(total[2], total[3]) / 1e6,
    p50Us: percentile(output, 50),
    p99Us: percentile(output, 99),
    errors: { connect, read, write, timeout, status },
  };
}

const microsecondsPerUnit: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3600e6 };

function microseconds(figure: string, unit: string): number {
  return Number(figure) * microsecondsPerUnit[unit];
}

function percentile(output: string, percent: number): number {
  const match = found(output, new RegExp(`^\\s*${percent}%\\s+([\\d.]+)(us|ms|s|m|h)`, "m"), `${percent}%`);
  return microseconds(match[1], match[2]);
}

function found(output: string, pattern: RegExp, name: string): RegExpExecArray {
  const match = pattern.exec(output);
  if (match === null) {
    throw new Error(`wrk: its output has no line \`${name}\`: ${output.trim().split("\n").at(-1)}`);
  }
  return match;
}
