/** Processors and the clock that all processes share. */
import { check } from "./errno.ts";
import { native } from "./library.ts";

const ENOENT = 2;

/**
 * Keeps the calling thread on processor `cpu` (its number in the system).
 *
 * @throws {Deno.errors.InvalidData}
 */
export function pinThread(cpu: number): void {
  check(native().millrace_cpu_pin(cpu), "sched_setaffinity", `cpu ${cpu}`);
}

/** Numbers of the processors that the calling thread may run on. */
export function allowedCpus(): number[] {
  const cpus: number[] = [];
  for (;;) {
    const cpu = native().millrace_cpu_allowed(cpus.length);
    if (cpu === -ENOENT) return cpus;
    cpus.push(check(cpu, "sched_getaffinity"));
  }
}

/** CLOCK_MONOTONIC in nanoseconds, the same for every process since boot. */
export function monotonicNs(): number {
  return native().millrace_clock_monotonic_ns();
}
