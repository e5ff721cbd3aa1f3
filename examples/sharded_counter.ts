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
import { CORES_MAX, startCores } from "@millrace/millrace/cores";
import { spawnPeriodic } from "@millrace/millrace/timer";
import { report } from "./support/sharded_counter_core.ts";
import { Program } from "./support/program.ts";
import { wholeNumber } from "./support/whole_number.ts";

const program = new Program("sharded_counter", "[--cores N]");
const REPORT_MS = 500;

/** How many cores, or `undefined` for one per processor. */
const count = program.options(
  { cores: { type: "string" } },
  ({ cores }) => cores === undefined ? undefined : wholeNumber("--cores", cores, 1, CORES_MAX),
);

try {
  const group = await startCores({
    module: new URL("./support/sharded_counter_core.ts", import.meta.url),
    count,
    shutdownOn: ["SIGINT", "SIGTERM"],
  });
  console.log(`counting on ${group.count} cores (driver: ${group.drivers[0]})`);
  const reports = spawnPeriodic(REPORT_MS, async () => console.log(await group.submitTo(0, report)));
  // It ends when a core does not accept calls any more, because the group is stopping or has lost the core.
  reports.result.catch(() => {});
  await group.finished;
  // The listeners stay: one Ctrl-C may arrive twice, and the second must still be handled.
  Deno.exit(0);
} catch (error) {
  program.fail(error);
}
