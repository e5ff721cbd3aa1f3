import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { startExample } from "../support/net_child.ts";

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  for (const native of ["", "off"]) {
    const suffix = native === "" ? "" : ", without the native library";
    Deno.test(`examples/sharded_counter.ts counts each word on one core, until ${signal}${suffix}`, async () => {
      const env: Record<string, string> = native === "" ? {} : { MILLRACE_NATIVE: native };
      await using child = await startExample("sharded_counter", ["--cores", "3"], env);
      await child.says(/^counting on 3 cores \(driver: \w+\)\n/);
      const line =
        /s: (\d+) words: core 0 (\d+) \((\d+) distinct\), core 1 (\d+) \((\d+) distinct\), core 2 (\d+) \((\d+) distinct\)\n/;
      const first = await child.says(line);
      const [, total, zero, a, one, b, two, c] = first.map(Number);
      assertStrictEquals(zero + one + two, total);
      assertStrictEquals(a + b + c, 8);
      child.kill(signal);
      const { code, signal: killed, stderr } = await child.ended();
      assertEquals([code, killed, stderr], [0, null, ""]);
    });
  }
}

const WRONG: [args: string[], named: RegExp][] = [
  [["--cores", "0"], /--cores is "0", expected a whole number from 1 to 256/],
  [["--cores", "257"], /"257"/],
  [["--cores", "two"], /"two"/],
  [["--cores=1.5"], /"1\.5"/],
  [["--cores"], /cores/],
  [["--what"], /--what/],
  [["stray"], /stray/],
];
for (const [args, named] of WRONG) {
  Deno.test(`examples/sharded_counter.ts ${args.join(" ")} says what is wrong and exits with 2`, async () => {
    await using child = await startExample("sharded_counter", args);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^sharded_counter: .*; usage: sharded_counter \[--cores N\]\n$/);
    assertMatch(stderr, named);
  });
}

Deno.test("examples/sharded_counter.ts --help says how it is used and exits with 0", async () => {
  await using child = await startExample("sharded_counter", ["--help"]);
  const { code, stdout, stderr } = await child.ended();
  assertEquals([code, stdout, stderr], [0, "usage: sharded_counter [--cores N]\n", ""]);
});
