import { descendants, readOrUndefined, statFields } from "./process_tree.ts";

/** Processor time that a process and its descendants had used at one moment. */
export interface UsageSample {
  /** User and system time in clock ticks, of living and of ended threads and of children waited for. */
  readonly userTicks: number;
  readonly systemTicks: number;
  /** Time on a core in nanoseconds by `pid/thread`; empty where the kernel does not count it. */
  readonly threadNanoseconds: ReadonlyMap<string, number>;
  /** Time the threads were ready to run and another had the core, in nanoseconds, by `pid/thread`. */
  readonly waitNanoseconds: ReadonlyMap<string, number>;
}

/** Processor time in user and in kernel mode. */
export interface ProcessorSeconds {
  readonly userSeconds: number;
  readonly systemSeconds: number;
}

/** Processor time used between two samples. */
export interface Usage extends ProcessorSeconds {
  /** Time ready to run while something else had the core: how far the machine was not ours. */
  readonly waitSeconds: number;
}

/** The kernel reports ticks of 10 ms to programs, whatever its own tick is (`USER_HZ`). */
const ticksPerSecond = 100;

/**
 * Reads the processor time of a process and all its descendants from `/proc`.
 *
 * @throws {Deno.errors.NotFound} when the process has ended
 */
export function sampleUsage(pid: number): UsageSample {
  let [userTicks, systemTicks] = [0, 0];
  const threadNanoseconds = new Map<string, number>();
  const waitNanoseconds = new Map<string, number>();
  for (const each of [pid, ...descendants(pid)]) {
    const stat = readLiving(pid, each, "stat");
    if (stat === undefined) continue;
    const fields = statFields(stat);
    // Fields 14 to 17 of proc_pid_stat(5): utime, stime, cutime, cstime.
    userTicks += Number(fields[14]) + Number(fields[16]);
    systemTicks += Number(fields[15]) + Number(fields[17]);
    for (const thread of threadsOf(each)) {
      const schedule = readOrUndefined(`/proc/${each}/task/${thread}/schedstat`)?.split(" ");
      if (schedule === undefined) continue;
      threadNanoseconds.set(`${each}/${thread}`, Number(schedule[0]));
      waitNanoseconds.set(`${each}/${thread}`, Number(schedule[1]));
    }
  }
  return { userTicks, systemTicks, threadNanoseconds, waitNanoseconds };
}

/**
 * Time used between two samples of one process.
 *
 * The total comes from the scheduler, in nanoseconds; how it divides into user and system comes from the ticks, as the kernel
 * counts that no finer. When a thread has ended in between, its nanoseconds are gone and the ticks give the total too.
 */
export function usageBetween(before: UsageSample, after: UsageSample): Usage {
  const userTicks = after.userTicks - before.userTicks;
  const systemTicks = after.systemTicks - before.systemTicks;
  const ticks = userTicks + systemTicks;
  const allThreadsRemain = [...before.threadNanoseconds.keys()].every((key) =>
    after.threadNanoseconds.has(key)
  );
  const isCountedFinely = allThreadsRemain && after.threadNanoseconds.size > 0;
  const totalSeconds = isCountedFinely
    ? growth(before.threadNanoseconds, after.threadNanoseconds) / 1e9
    : ticks / ticksPerSecond;
  const userShare = ticks === 0 ? 0 : userTicks / ticks;
  return {
    userSeconds: totalSeconds * userShare,
    systemSeconds: totalSeconds * (1 - userShare),
    waitSeconds: growth(before.waitNanoseconds, after.waitNanoseconds) / 1e9,
  };
}

/** Processor seconds of the children that this process has waited for, in steps of 10 ms. */
export function endedChildrenSeconds(): ProcessorSeconds {
  const fields = statFields(Deno.readTextFileSync("/proc/self/stat"));
  return {
    userSeconds: Number(fields[16]) / ticksPerSecond,
    systemSeconds: Number(fields[17]) / ticksPerSecond,
  };
}

/** Memory of a process and its descendants. */
export interface MemorySample {
  /** Resident memory, pages shared with other processes counted in full. */
  readonly residentBytes: number;
  /** Resident memory, pages shared with other processes divided among them. */
  readonly proportionalBytes: number;
}

/**
 * Reads the memory of a process and all its descendants from `/proc/PID/smaps_rollup`.
 *
 * Memory that the kernel holds for the process's sockets is not in it.
 *
 * @throws {Deno.errors.NotFound} when the process has ended
 */
export function sampleMemory(pid: number): MemorySample {
  let [residentBytes, proportionalBytes] = [0, 0];
  for (const each of [pid, ...descendants(pid)]) {
    const rollup = readLiving(pid, each, "smaps_rollup");
    if (rollup === undefined) continue;
    residentBytes += kibibytes(rollup, "Rss") * 1024;
    proportionalBytes += kibibytes(rollup, "Pss") * 1024;
  }
  return { residentBytes, proportionalBytes };
}

/** A file of a process or of one of its descendants; `undefined` when that descendant has ended since it was found. */
function readLiving(pid: number, each: number, name: string): string | undefined {
  const path = `/proc/${each}/${name}`;
  return each === pid ? Deno.readTextFileSync(path) : readOrUndefined(path);
}

function threadsOf(pid: number): string[] {
  try {
    return Array.from(Deno.readDirSync(`/proc/${pid}/task`), ({ name }) => name);
  } catch {
    // It has ended since its status was read.
    return [];
  }
}

/** Share of all processor time since the first sample that a hypervisor gave to others, from 0 to 1. */
export function stolenShare(before: string, after: string): number {
  const [first, second] = [cpuTimes(before), cpuTimes(after)];
  const total = second.total - first.total;
  return total === 0 ? 0 : (second.stolen - first.stolen) / total;
}

function cpuTimes(stat: string): { total: number; stolen: number } {
  const times = stat.split("\n")[0].trim().split(/\s+/).slice(1, 9).map(Number);
  return { total: times.reduce((sum, time) => sum + time, 0), stolen: times[7] ?? 0 };
}

function kibibytes(rollup: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(rollup)?.[1] ?? 0);
}

function growth(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [key, value] of after) sum += value - (before.get(key) ?? 0);
  return sum;
}
