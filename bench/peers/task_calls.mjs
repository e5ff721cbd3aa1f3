// deno-lint-ignore-file explicit-module-boundary-types -- JavaScript, which Node runs as well, has no types
/**
 * How tasks in other processes are measured, whoever runs them: `trip` one at a time, `rate OUTSTANDING` so many at a time. `add(left, right)` has
 * one run and resolves to the sum; `pids` are all processes that take part.
 */
import { readFileSync } from "node:fs";

const WARM_UP_MS = 1000;
const TRIPS = 10_000;
const RATE_MS = 2000;
/** The kernel tells programs of ticks of 10 ms. */
const TICKS_PER_SECOND = 100;

/** Resolves to the figures of one contestant. */
export async function measureTasks(add, pids, what, outstanding = 1) {
  return what === "trip" ? await trips(add) : await rate(add, pids, outstanding);
}

async function trips(add) {
  await many(add, 1, WARM_UP_MS);
  const times = new Float64Array(TRIPS);
  for (let index = 0; index < TRIPS; index++) {
    const startMs = performance.now();
    await add(index, 1);
    times[index] = (performance.now() - startMs) * 1e6;
  }
  times.sort();
  return { p50Ns: times[TRIPS >> 1], p99Ns: times[Math.floor(TRIPS * 0.99)] };
}

async function rate(add, pids, outstanding) {
  await many(add, outstanding, WARM_UP_MS);
  const before = cpuSeconds(pids);
  const { count, seconds } = await many(add, outstanding, RATE_MS);
  const cpuUsPerTask = (cpuSeconds(pids) - before) / count * 1e6;
  return { tasksPerSecond: count / seconds, cpuUsPerTask };
}

/** Keeps so many under way for so long. */
async function many(add, outstanding, ms) {
  const startMs = performance.now();
  const endMs = startMs + ms;
  let count = 0;
  const one = async () => {
    while (performance.now() < endMs) {
      const left = count++;
      const sum = await add(left, 1);
      if (sum !== left + 1) throw new Error(`a task gave ${sum}, expected ${left + 1}`);
    }
  };
  await Promise.all(Array.from({ length: outstanding }, one));
  return { count, seconds: (performance.now() - startMs) / 1000 };
}

/** Processor time of living processes, as proc_pid_stat(5) has it. */
function cpuSeconds(pids) {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / TICKS_PER_SECOND;
}
