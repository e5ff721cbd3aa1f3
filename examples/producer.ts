#!/usr/bin/env -S deno run --allow-read --allow-env=MILLRACE_NATIVE --allow-ffi
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * Sends jobs into a queue, from which examples/worker.ts takes them. It creates the queue if there is none, waits while the queue is
 * full, and can be killed at any time: the jobs that it has sent stay.
 *
 * Usage: examples/producer.ts [--queue jobs] [--rate N] [--count N]
 *
 * Sends N jobs a second, or as many as the queue takes; until Ctrl-C or SIGTERM, or `--count` jobs. The queue stays, with its
 * jobs: `deno task millrace queue unlink jobs` removes it.
 *
 * @module
 */
import { jsonPayload } from "@millrace/millrace/queue";
import { sleep, spawnPeriodic } from "@millrace/millrace/timer";
import { type Job, JOBS_SHAPE } from "./support/jobs.ts";
import { openQueue } from "./support/open_queue.ts";
import { Program } from "./support/program.ts";
import { wholeNumber } from "./support/whole_number.ts";

const program = new Program("producer", "[--queue jobs] [--rate N] [--count N]");
const REPORT_MS = 1000;
/** Jobs sent between two turns of the event loop. */
const BATCH = 256;
const RATE_MAX = 1_000_000;

interface Options {
  readonly queue: string;
  /** Jobs a second; `undefined`: as many as the queue takes. */
  readonly rate: number | undefined;
  readonly count: number;
}

/** The next `count` jobs, of which `sentCount` are sent. */
function nextJobs(sentCount: number, count: number): string[] {
  return Array.from(
    { length: count },
    (_, index) => jsonPayload({ number: sentCount + index } satisfies Job),
  );
}

/** Jobs that are in the queue. */
let sentCount = 0;

async function produce(options: Options, signal: AbortSignal): Promise<void> {
  const { rate } = options;
  using queue = openQueue(options.queue, JOBS_SHAPE);
  console.log(`sending jobs to ${queue.name}`);
  const ending = new AbortController();
  const reports = spawnPeriodic(REPORT_MS, () => {
    console.log(`${sentCount} jobs sent, ${queue.status().readyCount} wait for a worker`);
  }, { signal: ending.signal });
  try {
    const startMs = performance.now();
    while (sentCount < options.count) {
      signal.throwIfAborted();
      const seconds = (performance.now() - startMs) / 1000;
      const dueCount = rate === undefined ? BATCH : Math.floor(seconds * rate) + 1 - sentCount;
      const count = Math.min(BATCH, options.count - sentCount, dueCount);
      const jobs = nextJobs(sentCount, count);
      const sent = queue.trySendMany(jobs);
      sentCount += sent;
      if (sent < jobs.length) {
        await queue.send(jobs[sent], { signal });
        sentCount++;
      }
      // Signals and reports are handled meanwhile.
      await sleep(rate === undefined ? 0 : 1000 / rate, { signal });
    }
  } finally {
    ending.abort();
    await reports.result;
  }
}

const options = program.options(
  {
    queue: { type: "string", default: "jobs" },
    rate: { type: "string" },
    count: { type: "string" },
  },
  ({ queue, rate, count }): Options => ({
    queue,
    rate: rate === undefined ? undefined : wholeNumber("--rate", rate, 1, RATE_MAX),
    count: count === undefined ? Infinity : wholeNumber("--count", count, 1, Number.MAX_SAFE_INTEGER),
  }),
);

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, () => stop.abort());
try {
  await produce(options, stop.signal);
} catch (error) {
  if (!stop.signal.aborted) program.fail(error);
}
console.log(`${sentCount} jobs sent in all`);
// The listeners stay: one Ctrl-C may arrive twice, and the second must still be handled.
Deno.exit(0);
