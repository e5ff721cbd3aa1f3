/**
 * Calls from one core of Millrace to another: `calls OUTSTANDING spin|cooperate|block`; `wake COUNT cooperate|block` for calls to
 * a core that sleeps; `idle SECONDS cooperate|block` for the processor time of a group with nothing to do. Prints one JSON object.
 */
import process from "node:process";
import { currentCore, startCores } from "../../src/run/cores/mod.ts";
import type { IdleStrategy } from "../../src/io/reactor/mod.ts";

const WARM_UP = 20_000;
const LONE_CALLS = 20_000;
const CALLS = 1_000_000;
const GAP_MS = 3;

/** What is called. */
export function square(value: number): number {
  return value * value;
}

/** Makes calls to core 1, so many at a time; resolves to the seconds that took. */
export async function callAll(count: number, outstanding: number): Promise<number> {
  const core = currentCore();
  let left = count;
  const one = async (): Promise<void> => {
    while (left-- > 0) {
      const value = left;
      if (await core.submitTo(1, square, value) !== value * value) {
        throw new Error("a call brought back another result");
      }
    }
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: outstanding }, one));
  return (performance.now() - startMs) / 1000;
}

/** Calls core 1 when it has been asleep for a while; resolves to the median and the 99th percentile in nanoseconds. */
export async function wakeEach(count: number): Promise<[number, number]> {
  const core = currentCore();
  const times = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    await core.sleep(GAP_MS);
    const startMs = performance.now();
    await core.submitTo(1, square, index);
    times[index] = performance.now() - startMs;
  }
  times.sort();
  return [times[count >> 1] * 1e6, times[Math.floor(count * 0.99)] * 1e6];
}

async function main([what, number, idle]: string[]): Promise<Record<string, number>> {
  await using group = await startCores({ module: import.meta.url, count: 2, idle: idle as IdleStrategy });
  if (what === "idle") {
    const seconds = Number(number);
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const { user, system } = process.cpuUsage(before);
    return { percentOfOneCore: (user + system) / 1e4 / seconds };
  }
  if (what === "wake") {
    const [p50Ns, p99Ns] = await group.submitTo(0, wakeEach, Number(number));
    return { p50Ns, p99Ns };
  }
  const outstanding = Number(number);
  const count = outstanding === 1 ? LONE_CALLS : CALLS;
  await group.submitTo(0, callAll, Math.min(count, WARM_UP), outstanding);
  const seconds = await group.submitTo(0, callAll, count, outstanding);
  return { callsPerSecond: count / seconds, microsecondsPerCall: seconds / count * 1e6 };
}

if (import.meta.main) {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(await main(Deno.args))}\n`));
  Deno.exit(0);
}
