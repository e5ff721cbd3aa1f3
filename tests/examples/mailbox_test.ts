import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { nativeStatus } from "../../ffi/mod.ts";
import { startExample } from "../support/net_child.ts";

const ignore = !nativeStatus().available;

/** Names of the regions that the example has left. */
function regions(pid: number): string[] {
  return [...Deno.readDirSync("/dev/shm")].map(({ name }) => name)
    .filter((name) => name.endsWith(`mailbox-example.${pid}`));
}

Deno.test({
  name: "examples/mailbox.ts hands boxes over from one process to another",
  ignore,
  async fn() {
    await using child = await startExample("mailbox", ["--count", "20", "--mib", "2"]);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^20 pictures read in place, 10240 pages read$/m);
    assertMatch(stdout, /^20 pictures of 2 MiB written in place and handed over: [\d.]+ GiB\/s$/m);
    assertEquals(regions(child.pid), []);
  },
});

Deno.test({
  name: "examples/mailbox.ts cleans up when it is stopped",
  ignore,
  async fn() {
    await using child = await startExample("mailbox", ["--count", "1000000", "--mib", "1"]);
    while (regions(child.pid).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill("SIGINT");
    const { code, stderr } = await child.ended();
    assertEquals([code, stderr], [130, "mailbox: stopped by SIGINT\n"]);
    assertEquals(regions(child.pid), []);
  },
});

for (
  const [args, named] of [[["--mib", "3"], /--mib is "3"/], [["--cuont", "1"], /--cuont/], [
    ["--count", "0"],
    /"0"/,
  ]] as const
) {
  Deno.test(`examples/mailbox.ts refuses ${args.join(" ")}`, async () => {
    await using child = await startExample("mailbox", [...args]);
    const { code, stderr } = await child.ended();
    assertStrictEquals(code, 2);
    assertMatch(stderr, named);
  });
}
