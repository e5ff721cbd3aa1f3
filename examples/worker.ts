#!/usr/bin/env -S deno run --allow-read --allow-env=MILLRACE_NATIVE --allow-ffi
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * Processes the jobs that examples/producer.ts sends. Start it several times: each job goes to one of them. Kill one with SIGKILL
 * while it works, and another repeats the job. A message that is not a job is returned, and is a dead letter after three deliveries.
 *
 * Usage: examples/worker.ts [--queue jobs] [--work-ms 100] [--count N]
 *
 * Runs until Ctrl-C or SIGTERM, and finishes the job in progress, or for `--count` jobs.
 *
 * @module
 */
import type { Message, SharedQueue } from "@millrace/millrace/queue";
import { sleep } from "@millrace/millrace/timer";
import { type Job, JOBS_SHAPE } from "./support/jobs.ts";
import { openQueue } from "./support/open_queue.ts";
import { Program } from "./support/program.ts";
import { wholeNumber } from "./support/whole_number.ts";

const program = new Program("worker", "[--queue jobs] [--work-ms 100] [--count N]");
const WORK_MS_MAX = 3_600_000;

/** The number of the job in a message. Any process that has the queue open could have sent it. */
function numberOf(message: Message): number | undefined {
  try {
    const job: Partial<Job> | null = message.json();
    return typeof job?.number === "number" ? job.number : undefined;
  } catch {
    return undefined;
  }
}

/** Does one job; false when the message is not one. `ack()` completes it; until then it goes to another worker if this process dies or returns. */
async function workOnNext(queue: SharedQueue, workMs: number, signal: AbortSignal): Promise<boolean> {
  using delivery = await queue.reserve({ signal });
  const number = numberOf(delivery.message);
  if (number === undefined) {
    console.error(`worker: message ${delivery.message.id} is no job of a producer, and is given back`);
    return false;
  }
  const { redeliveryCount } = delivery.message;
  console.log(
    `job ${number}${redeliveryCount > 0 ? `, again: delivered ${redeliveryCount} times before` : ""}`,
  );
  // The work. It may be done twice, so it should be idempotent.
  await sleep(workMs);
  delivery.ack();
  return true;
}

const options = program.options(
  {
    queue: { type: "string", default: "jobs" },
    "work-ms": { type: "string", default: "100" },
    count: { type: "string" },
  },
  ({ queue, count, "work-ms": workMs }) => ({
    queue,
    workMs: wholeNumber("--work-ms", workMs, 0, WORK_MS_MAX),
    count: count === undefined ? Infinity : wholeNumber("--count", count, 1, Number.MAX_SAFE_INTEGER),
  }),
);

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, () => stop.abort());
let doneCount = 0;
try {
  using queue = openQueue(options.queue, JOBS_SHAPE);
  console.log(`working on jobs of ${queue.name}`);
  while (doneCount < options.count && !stop.signal.aborted) {
    if (await workOnNext(queue, options.workMs, stop.signal)) doneCount++;
  }
} catch (error) {
  if (error !== stop.signal.reason) program.fail(error);
}
console.log(`${doneCount} jobs done`);
// The listeners stay: one Ctrl-C may arrive twice, and the second must still be handled.
Deno.exit(0);
