import { equal, ok } from "node:assert/strict";
import { sampleMemory, sampleUsage, stolenShare, usageBetween, type UsageSample } from "./process_usage.ts";

const ignore = Deno.build.os !== "linux";

function sample(userTicks: number, systemTicks: number, threads: Record<string, number>): UsageSample {
  const threadNanoseconds = new Map(Object.entries(threads));
  return { userTicks, systemTicks, threadNanoseconds, waitNanoseconds: new Map() };
}

Deno.test("usageBetween() divides the scheduler's nanoseconds as the ticks are divided", () => {
  const usage = usageBetween(sample(10, 10, { "1/1": 5e9 }), sample(20, 40, { "1/1": 5.8e9, "1/2": 0.2e9 }));
  equal(usage.userSeconds.toFixed(6), "0.250000");
  equal(usage.systemSeconds.toFixed(6), "0.750000");
});

Deno.test("usageBetween() falls back on the ticks when a thread has ended or none is counted", () => {
  const ended = usageBetween(sample(0, 0, { "1/1": 0, "1/2": 9e9 }), sample(100, 300, { "1/1": 1e9 }));
  equal(ended.userSeconds + ended.systemSeconds, 4);
  const uncounted = usageBetween(sample(0, 0, {}), sample(100, 300, {}));
  equal(uncounted.systemSeconds, 3);
});

Deno.test("sampleUsage() sees the work of this process and of its children", { ignore }, async () => {
  const before = sampleUsage(Deno.pid);
  const child = new Deno.Command("sh", { args: ["-c", "while :; do :; done"] }).spawn();
  try {
    const usedSeconds = () => usageBetween(before, sampleUsage(Deno.pid)).userSeconds;
    while (usedSeconds() < 0.05) await new Promise((resolve) => setTimeout(resolve, 10));
    ok([...sampleUsage(Deno.pid).threadNanoseconds.keys()].some((key) => key.startsWith(`${child.pid}/`)));
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
});

Deno.test("sampleMemory() adds up a process and its children", { ignore }, async () => {
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  try {
    const whole = sampleMemory(Deno.pid);
    ok(whole.residentBytes > sampleMemory(child.pid).residentBytes);
    ok(whole.proportionalBytes > 0 && whole.proportionalBytes <= whole.residentBytes);
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
});

Deno.test("stolenShare() is the stolen part of all time between two readings", () => {
  equal(stolenShare("cpu 10 0 10 80 0 0 0 0 0 0\n", "cpu 60 0 20 110 0 0 0 10 0 0\n"), 0.1);
  equal(stolenShare("cpu 1 1 1 1 1 1 1 1\n", "cpu 1 1 1 1 1 1 1 1\n"), 0);
});
