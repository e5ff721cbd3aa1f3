import { assertEquals, assertMatch } from "@std/assert";
import { startExample } from "../support/net_child.ts";

for (const gapMs of [0, 1, 2, 5]) {
  Deno.test(`examples/periodic_tasks.ts takes a SIGINT that comes twice, ${gapMs} ms apart, for one`, async () => {
    await using child = await startExample("periodic_tasks");
    await child.says(/^heartbeat: alive/m);
    child.kill("SIGINT");
    if (gapMs > 0) await new Promise((resolve) => setTimeout(resolve, gapMs));
    child.kill("SIGINT");
    const { code, signal, stdout } = await child.ended();
    assertEquals([code, signal], [0, null]);
    assertMatch(stdout, /^flush: \d+ runs/m);
  });
}
