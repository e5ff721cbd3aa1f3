import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { startExample } from "../support/net_child.ts";
import { withWatchdog } from "../support/watchdog.ts";

const WATCHDOG_MS = 90_000;

Deno.test("examples/task_pool.ts counts primes", () =>
  withWatchdog(WATCHDOG_MS, async () => {
    await using child = await startExample("task_pool", [
      "--workers",
      "2",
      "--below",
      "100000",
      "--parts",
      "7",
    ]);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^counting with 2 workers\n9592 primes below 100000, in \d+ ms\n$/);
  }));

Deno.test("examples/task_pool.ts does again what a worker that was killed was at", () =>
  withWatchdog(WATCHDOG_MS, async () => {
    await using child = await startExample("task_pool", [
      "--workers",
      "2",
      "--below",
      "3000000",
      "--parts",
      "4",
    ]);
    await child.says(/counting with 2 workers\n/);
    await new Promise((resolve) => setTimeout(resolve, 50));
    let workers: number[] = [];
    while ((workers = await childrenOf(child.pid)).length === 0);
    const [worker] = workers;
    Deno.kill(worker, "SIGKILL");
    const { code, stdout } = await child.ended();
    assertStrictEquals(code, 0);
    assertMatch(
      stdout,
      /216816 primes below 3000000, in \d+ ms, \d parts again as their workers had died\n$/,
    );
  }));

Deno.test("examples/task_pool.ts gives up at Ctrl-C", () =>
  withWatchdog(WATCHDOG_MS, async () => {
    await using child = await startExample("task_pool", [
      "--workers",
      "1",
      "--below",
      "1000000000",
      "--parts",
      "10",
    ]);
    await child.says(/counting with 1 workers\n/);
    child.kill("SIGINT");
    const { code, stdout } = await child.ended();
    assertStrictEquals(code, 0);
    assertMatch(stdout, /\ngiven up\n$/);
  }));

for (const args of [["--workers", "0"], ["--parts", "x"], ["--wokers", "1"]]) {
  Deno.test(`examples/task_pool.ts ${args.join(" ")} says what is wrong and exits with 2`, async () => {
    await using child = await startExample("task_pool", args);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^task_pool: .*; usage: task_pool \[--workers N\] .*\n$/);
  });
}

/** Processes that a process has started, and that run Deno. */
async function childrenOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = await Deno.readTextFile(`/proc/${name}/stat`);
      const [, parent] = stat.slice(stat.lastIndexOf(") ") + 2).split(" ");
      const command = await Deno.readTextFile(`/proc/${name}/cmdline`);
      if (Number(parent) === pid && command.includes("worker_entry")) found.push(Number(name));
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}
