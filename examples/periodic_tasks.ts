#!/usr/bin/env -S deno run
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * Periodic tasks and an interval side by side: one task keeps its pace, one takes longer than its period, and
 * the reader of the interval stalls now and then. Nothing drifts; what is missed is counted.
 *
 * Usage: examples/periodic_tasks.ts [--seconds N]    Runs until Ctrl-C or SIGTERM, or for N seconds.
 *
 * @module
 */
import { defaultTimers, DELAY_MS_MAX, Interval, sleep, spawnPeriodic } from "@millrace/millrace/timer";

const USAGE = "usage: periodic_tasks [--seconds N]";
const USAGE_EXIT_CODE = 2;
const SECONDS_MAX = Math.floor(DELAY_MS_MAX / 1000);

/** The time to run in milliseconds, or `undefined` to run until stopped. */
function readDuration(args: string[]): number | undefined {
  let durationMs: number | undefined;
  for (let index = 0; index < args.length; index++) {
    const [name, inlineValue] = args[index].split(/=(.*)/s, 2);
    if (name === "--help" || name === "-h") {
      console.log(USAGE);
      Deno.exit(0);
    }
    if (name !== "--seconds") refuse(`unknown argument ${JSON.stringify(args[index])}, expected --seconds N`);
    const value = inlineValue ?? args[++index] ?? "";
    durationMs = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : 0;
    if (!(durationMs > 0 && durationMs <= DELAY_MS_MAX)) {
      refuse(`--seconds is ${JSON.stringify(value)}, expected seconds above 0, at most ${SECONDS_MAX}`);
    }
  }
  return durationMs;
}

function refuse(message: string): never {
  console.error(`periodic_tasks: ${message}`);
  Deno.exit(USAGE_EXIT_CODE);
}

/** Reads the ticks of an interval, and is too slow after every tenth. */
async function readTicks(signal: AbortSignal): Promise<void> {
  try {
    for await (const { index, missedCount } of new Interval(100, { signal })) {
      if (missedCount > 0) console.log(`interval: tick ${index} after missing ${missedCount}`);
      if (index % 10 === 0) await sleep(350, { signal });
    }
  } catch (error) {
    if (error !== signal.reason) throw error;
  }
}

const durationMs = readDuration(Deno.args);
const shutdown = new AbortController();
const { signal } = shutdown;
const stop = (): void => shutdown.abort();
Deno.addSignalListener("SIGINT", stop);
Deno.addSignalListener("SIGTERM", stop);
using _deadline = durationMs === undefined ? undefined : defaultTimers().schedule(durationMs, stop);

const startMs = performance.now();
const heartbeat = spawnPeriodic(500, () => {
  console.log(`heartbeat: alive for ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
}, { signal, immediate: true });
const flush = spawnPeriodic(200, (signal) => sleep(450, { signal }), { signal });

await Promise.all([heartbeat.result, flush.result, readTicks(signal)]);
console.log(`heartbeat: ${heartbeat.runCount} runs, ${heartbeat.missedCount} missed`);
console.log(
  `flush: ${flush.runCount} runs, ${flush.missedCount} missed, because one takes longer than its period`,
);
// The listeners stay: one Ctrl-C may arrive twice, and the second must still be handled.
Deno.exit(0);
