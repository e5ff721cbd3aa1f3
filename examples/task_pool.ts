#!/usr/bin/env -S deno run --allow-net --allow-read --allow-write --allow-run --allow-sys --allow-env --allow-ffi
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * Counts primes in worker processes. Kill one of them with SIGKILL while it works: another one repeats its part.
 *
 * Usage: examples/task_pool.ts [--workers N] [--below 5000000] [--parts 100]
 *
 * Runs until all parts are done, or until Ctrl-C or SIGTERM, which cancels the rest.
 *
 * @module
 */
import { TaskPool } from "@millrace/millrace/tasks";
import { Program } from "./support/program.ts";
import type * as tasks from "./support/prime_tasks.ts";
import { wholeNumber } from "./support/whole_number.ts";

const program = new Program("task_pool", "[--workers N] [--below 5000000] [--parts 100]");
const WORKERS_MAX = 64;
const PARTS_MAX = 10_000;

const options = program.options(
  {
    workers: { type: "string", default: String(Math.min(navigator.hardwareConcurrency, WORKERS_MAX)) },
    below: { type: "string", default: "5000000" },
    parts: { type: "string", default: "100" },
  },
  ({ workers, below, parts }) => ({
    workers: wholeNumber("--workers", workers, 1, WORKERS_MAX),
    below: wholeNumber("--below", below, 1, 1_000_000_000),
    parts: wholeNumber("--parts", parts, 1, PARTS_MAX),
  }),
);

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, () => stop.abort());
try {
  await using pool = await TaskPool.start<typeof tasks>({
    module: import.meta.resolve("./support/prime_tasks.ts"),
    workers: options.workers,
  });
  console.log(`counting with ${options.workers} workers`);
  const startMs = performance.now();
  const { below, parts } = options;
  const firstOf = (part: number): number => Math.floor(below * part / parts);
  const counts = await Promise.all(
    Array.from(
      { length: parts },
      (_, part) =>
        pool.run("countPrimes", [firstOf(part), firstOf(part + 1)], {
          repeatable: true,
          signal: stop.signal,
        }),
    ),
  );
  const sum = counts.reduce((sum, count) => sum + count, 0);
  const { repeatedCount } = pool.status();
  const again = repeatedCount > 0 ? `, ${repeatedCount} parts again as their workers had died` : "";
  console.log(`${sum} primes below ${below}, in ${Math.round(performance.now() - startMs)} ms${again}`);
} catch (error) {
  if (error !== stop.signal.reason) program.fail(error);
  console.log("given up");
}
Deno.exit(0);
