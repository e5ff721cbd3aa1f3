import { assert, assertStrictEquals, assertThrows } from "@std/assert";
import { sampleMemory, sampleUsage, stolenShare, usageBetween, type UsageSample } from "./process_usage.ts";

const ignore = Deno.build.os !== "linux";

function sample(userTicks: number, systemTicks: number, threads: Record<string, number>): UsageSample {
  const threadNanoseconds = new Map(Object.entries(threads));
  return { userTicks, systemTicks, threadNanoseconds, waitNanoseconds: new Map() };
}

Deno.test("usageBetween() divides the scheduler's nanoseconds as the ticks are divided", () => {
  const usage = usageBetween(sample(10, 10, { "1/1": 5e9 }), sample(20, 40, { "1/1": 5.8e9, "1/2": 0.2e9 }));
  assertStrictEquals(usage.userSeconds.toFixed(6), "0.250000");
  assertStrictEquals(usage.systemSeconds.toFixed(6), "0.750000");
});

Deno.test("usageBetween() falls back on the ticks when a thread has ended or none is counted", () => {
  const ended = usageBetween(sample(0, 0, { "1/1": 0, "1/2": 9e9 }), sample(100, 300, { "1/1": 1e9 }));
  assertStrictEquals(ended.userSeconds + ended.systemSeconds, 4);
  const uncounted = usageBetween(sample(0, 0, {}), sample(100, 300, {}));
  assertStrictEquals(uncounted.systemSeconds, 3);
});

/** A shell with a child, and with descendants that come and go; all of them end with it. */
function startFamily(busy: string): { child: Deno.ChildProcess; end(): Promise<void> } {
  const script = `${busy} & while :; do sleep 0.01; done`;
  const child = new Deno.Command("sh", { args: ["-c", script], detached: true }).spawn();
  return {
    child,
    async end() {
      Deno.kill(-child.pid, "SIGKILL");
      await child.status;
    },
  };
}

Deno.test("sampleUsage() sees the work of a process and of its children", { ignore }, async () => {
  const { child, end } = startFamily("(while :; do :; done)");
  try {
    const before = sampleUsage(child.pid);
    const usedSeconds = () => usageBetween(before, sampleUsage(child.pid)).userSeconds;
    while (usedSeconds() < 0.05) await new Promise((resolve) => setTimeout(resolve, 10));
    const pids = new Set(
      [...sampleUsage(child.pid).threadNanoseconds.keys()].map((key) => key.split("/")[0]),
    );
    assert(pids.has(String(child.pid)) && pids.size >= 2);
  } finally {
    await end();
  }
});

Deno.test("sampleMemory() adds up a process and its children", { ignore }, async () => {
  const { child, end } = startFamily("sleep 60");
  try {
    const own = () => /^Rss:\s*(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${child.pid}/smaps_rollup`))?.[1];
    // The child is there a moment after its shell.
    while (sampleMemory(child.pid).residentBytes <= Number(own()) * 1024) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const whole = sampleMemory(child.pid);
    assert(whole.proportionalBytes > 0 && whole.proportionalBytes <= whole.residentBytes);
  } finally {
    await end();
  }
});

Deno.test("sampleUsage() and sampleMemory() fail for a process that has ended", { ignore }, async () => {
  const child = new Deno.Command("true").spawn();
  await child.status;
  assertThrows(() => sampleUsage(child.pid), Deno.errors.NotFound);
  assertThrows(() => sampleMemory(child.pid), Deno.errors.NotFound);
});

Deno.test("stolenShare() is the stolen part of all time between two readings", () => {
  assertStrictEquals(stolenShare("cpu 10 0 10 80 0 0 0 0 0 0\n", "cpu 60 0 20 110 0 0 0 10 0 0\n"), 0.1);
  assertStrictEquals(stolenShare("cpu 1 1 1 1 1 1 1 1\n", "cpu 1 1 1 1 1 1 1 1\n"), 0);
});
