import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";

const EXAMPLE = new URL("../../../examples/periodic_tasks.ts", import.meta.url).pathname;

function startExample(...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    // No permission is given: the example needs none.
    args: ["run", "--no-lock", "--no-prompt", EXAMPLE, ...args],
    signal: AbortSignal.timeout(60_000),
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function outcomeOf(
  child: Deno.ChildProcess,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await child.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

Deno.test("examples/periodic_tasks.ts runs for --seconds and exits with 0", async () => {
  const { code, stdout, stderr } = await outcomeOf(startExample("--seconds", "1.1"));
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertMatch(stdout, /^heartbeat: \d+ runs, \d+ missed$/m);
  assertMatch(stdout, /^flush: \d+ runs, \d+ missed/m);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`examples/periodic_tasks.ts ends at ${signal} and exits with 0`, async () => {
    const child = startExample();
    const [seen, rest] = child.stdout.tee();
    const reader = seen.getReader();
    // The first line shows that it listens to signals by now.
    await reader.read();
    child.kill(signal);
    const draining = (async () => {
      while (!(await reader.read()).done);
    })();
    const stdout = await new Response(rest).text();
    const { code } = await child.status;
    await Promise.all([draining, child.stderr.cancel()]);
    assertStrictEquals(code, 0);
    assertMatch(stdout, /^heartbeat: \d+ runs/m);
  });
}

Deno.test("examples/periodic_tasks.ts refuses a wrong command line with one line and exit code 2", async () => {
  for (const args of [["--second", "1"], ["--seconds", "soon"], ["--seconds"], ["--seconds=0"], ["1"]]) {
    const { code, stdout, stderr } = await outcomeOf(startExample(...args));
    assertEquals({ code, stdout }, { code: 2, stdout: "" });
    assertMatch(stderr, /^periodic_tasks: .*expected .*\n$/);
  }
});
