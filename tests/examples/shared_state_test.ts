import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { nativeStatus } from "../../ffi/mod.ts";
import { startExample } from "../support/net_child.ts";

const ignore = !nativeStatus().available;

/** Names of the regions that the example has left. */
function regions(pid: number): string[] {
  return [...Deno.readDirSync("/dev/shm")].map(({ name }) => name)
    .filter((name) => name.endsWith(`state-example.${pid}`));
}

Deno.test({
  name: "examples/shared_state.ts counts, limits and takes turns over processes",
  ignore,
  async fn() {
    await using child = await startExample("shared_state", [
      "--workers",
      "2",
      "--operations",
      "30",
      "--limit",
      "20",
    ]);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^60 operations by 2 workers, limited \d+ times$/m);
    assertMatch(
      stdout,
      /^\d+ changes of the last operation were reported; the last: \{"pid":\d+,"number":30\}$/m,
    );
    assertEquals(regions(child.pid), []);
  },
});

Deno.test({
  name: "examples/shared_state.ts cleans up when it is stopped",
  ignore,
  async fn() {
    await using child = await startExample("shared_state", ["--operations", "1000000"]);
    while (regions(child.pid).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill("SIGINT");
    const { code, stderr } = await child.ended();
    assertEquals([code, stderr], [130, "shared_state: stopped by SIGINT\n"]);
    assertEquals(regions(child.pid), []);
  },
});

for (const [args, named] of [[["--workers", "0"], /"0"/], [["--cuont", "1"], /--cuont/]] as const) {
  Deno.test(`examples/shared_state.ts refuses ${args.join(" ")}`, async () => {
    await using child = await startExample("shared_state", [...args]);
    const { code, stderr } = await child.ended();
    assertStrictEquals(code, 2);
    assertMatch(stderr, named);
  });
}
