#!/usr/bin/env -S deno run --allow-read --allow-env=MILLRACE_NATIVE --allow-ffi
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * A sharded counter: every core finds words, and each word is counted by the one core that owns it, so that nothing is shared
 * and nothing locked. Prints all counts twice a second.
 *
 * Usage: examples/sharded_counter.ts [--cores N]    Runs until Ctrl-C or SIGTERM.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { CORES_MAX, startCores } from "@millrace/millrace/cores";
import { spawnPeriodic } from "@millrace/millrace/timer";
import { report } from "./support/sharded_counter_core.ts";

const USAGE = "usage: sharded_counter [--cores N]";
const USAGE_EXIT_CODE = 2;
const REPORT_MS = 500;

function fail(error: unknown, exitCode: number): never {
  console.error(`sharded_counter: ${error instanceof Error ? error.message : error}`);
  Deno.exit(exitCode);
}

/** How many cores, or `undefined` for one per processor. */
function readCoreCount(args: string[]): number | undefined {
  const { values } = parseArgs({
    args,
    options: { cores: { type: "string" }, help: { type: "boolean", short: "h", default: false } },
  });
  if (values.help) {
    console.log(USAGE);
    Deno.exit(0);
  }
  if (values.cores === undefined) return undefined;
  const count = Number(values.cores);
  if (/^\d+$/.test(values.cores) && count >= 1 && count <= CORES_MAX) return count;
  throw new TypeError(`--cores is "${values.cores}", expected a whole number from 1 to ${CORES_MAX}`);
}

let count: number | undefined;
try {
  count = readCoreCount(Deno.args);
} catch (error) {
  fail(`${error instanceof Error ? error.message : error}; ${USAGE}`, USAGE_EXIT_CODE);
}

try {
  const group = await startCores({
    module: new URL("./support/sharded_counter_core.ts", import.meta.url),
    count,
    shutdownOn: ["SIGINT", "SIGTERM"],
  });
  console.log(`counting on ${group.count} cores (driver: ${group.drivers[0]})`);
  const reports = spawnPeriodic(REPORT_MS, async () => console.log(await group.submitTo(0, report)));
  // It ends when a core can be asked no more, because the group has been told to stop, or has lost one.
  reports.result.catch(() => {});
  await group.finished;
  // With the listeners still there: one Ctrl-C may arrive twice, and the second must not find them gone.
  Deno.exit(0);
} catch (error) {
  fail(error, 1);
}
