import { assert, assertEquals, assertMatch, assertStrictEquals, fail } from "@std/assert";
import { nativeStatus } from "../../ffi/mod.ts";
import { SharedState } from "../../src/ipc/state/mod.ts";
import { HttpLoad } from "../support/http_load.ts";
import { startExample } from "../support/net_child.ts";
import {} from "../support/process_harness.ts";
import { isRunning } from "../support/processes.ts";
import { withWatchdog } from "../support/watchdog.ts";

const WATCHDOG_MS = 120_000;
/** Milliseconds that the workers may take to start, and to be replaced. */
const WORKERS_MS_MAX = 50_000;

for (const native of ["", "off"]) {
  const suffix = native === "" ? "" : ", without the native library";
  Deno.test(`examples/supervised_http.ts serves, reloads without a failed request, and stops${suffix}`, async () => {
    await withWatchdog(WATCHDOG_MS, () => reloadUnderLoad(native));
  });
}

async function reloadUnderLoad(native: string): Promise<void> {
  const env: Record<string, string> = native === "" ? {} : { MILLRACE_NATIVE: native };
  await using child = await startExample(
    "supervised_http",
    ["--addr", "127.0.0.1:0", "--workers", "2"],
    env,
  );
  const [, port] = await child.says(/^listening on http:\/\/127\.0\.0\.1:(\d+)\/ \(2 workers\)\n/);
  const load = new HttpLoad(Number(port));
  load.start(2, "keep-alive");
  load.start(2, "connection-per-request");
  const answeredBy = async (count: number): Promise<void> => {
    const endMs = performance.now() + WORKERS_MS_MAX;
    while (load.bodies.size < count) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      if (performance.now() < endMs) continue;
      const { answeredCount, bodies, failures } = await load.stop();
      const stood = { answeredCount, bodies: [...bodies], failures: failures.slice(0, 5) };
      fail(
        `after ${WORKERS_MS_MAX} ms ${count} workers have not answered: ${
          Deno.inspect(stood)
        }\n${child.stderr}`,
      );
    }
  };
  await answeredBy(2);
  child.kill("SIGUSR1");
  await answeredBy(4);
  const { failures, bodies } = await load.stop();
  assertEquals(failures, []);
  const pids = [...bodies].map((body) => Number(/^Hello from worker [01], process (\d+)\n$/.exec(body)?.[1]));
  child.kill("SIGTERM");
  const { code, signal } = await child.ended();
  assertEquals([code, signal], [0, null]);
  assert(pids.every((pid) => !isRunning(pid)));
}

Deno.test({
  name: "examples/supervised_http.ts counts requests over all workers, and holds back who asks too often",
  ignore: !nativeStatus().available,
  async fn() {
    await withWatchdog(WATCHDOG_MS, async () => {
      const args = ["--addr", "127.0.0.1:0", "--workers", "2", "--limit", "5"];
      await using child = await startExample("supervised_http", args);
      const [, port] = await child.says(/^listening on http:\/\/127\.0\.0\.1:(\d+)\/ \(2 workers\)\n/);
      const ask = async (path: string): Promise<Response> => await fetch(`http://127.0.0.1:${port}${path}`);
      const echo = await fetch(`http://127.0.0.1:${port}/echo`, {
        method: "POST",
        body: "x".repeat(100_000),
      });
      assertStrictEquals((await echo.text()).length, 100_000);
      assertStrictEquals((await ask("/nothing")).status, 404);
      const statuses = [200, 404];
      // Some windows of a second: in each of them five, whichever worker has them.
      const endMs = performance.now() + 1500;
      while (performance.now() < endMs || statuses.length < 20) {
        const response = await ask("/");
        await response.body?.cancel();
        statuses.push(response.status);
        if (response.status === 429) assertStrictEquals(response.headers.get("retry-after"), "1");
      }
      const windows = Math.ceil((performance.now() - endMs + 1500) / 1000) + 1;
      const okCount = statuses.filter((status) => status !== 429).length;
      assert(okCount >= 5 && okCount <= 5 * windows, `${okCount} in ${windows} windows at most`);
      assert(statuses.includes(429));
      assertEquals(await (await ask("/stats")).json(), { requestCount: statuses.length });
      child.kill("SIGUSR1");
      while (!/was reloaded/.test(child.stderr)) await new Promise((resolve) => setTimeout(resolve, 10));
      assertEquals(
        await (await ask("/stats")).json(),
        { requestCount: statuses.length },
        "a reload forgets nothing",
      );
      child.kill("SIGTERM");
      assertStrictEquals((await child.ended()).code, 0);
      assertEquals(SharedState.list({ prefix: `supervised_http.${child.pid}` }), []);
    });
  },
});

for (
  const [args, named] of [[["--workers", "0"], /"0", expected a whole number/], [
    ["--what"],
    /--what/,
  ]] as const
) {
  Deno.test(`examples/supervised_http.ts ${args.join(" ")} says what is wrong and exits with 2`, async () => {
    await using child = await startExample("supervised_http", [...args]);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^supervised_http: .*; usage: supervised_http \[--addr .*\n$/);
    assertMatch(stderr, named);
  });
}

Deno.test("examples/supervised_http.ts says that it limits nobody without the native library", () =>
  withWatchdog(WATCHDOG_MS, async () => {
    const args = ["--addr", "127.0.0.1:0", "--workers", "1", "--limit", "1"];
    await using child = await startExample("supervised_http", args, { MILLRACE_NATIVE: "off" });
    const [, port] = await child.says(/^listening on http:\/\/127\.0\.0\.1:(\d+)\/ \(1 workers\)\n/);
    for (let count = 0; count < 2; count++) {
      const response = await fetch(`http://127.0.0.1:${port}/`);
      await response.body?.cancel();
      assertStrictEquals(response.status, 200);
    }
    child.kill("SIGTERM");
    const { code, stderr } = await child.ended();
    assertStrictEquals(code, 0);
    assertMatch(
      stderr,
      /^supervised_http: no request is counted, and none limited: .*MILLRACE_NATIVE is "off"\n/,
    );
  }));
