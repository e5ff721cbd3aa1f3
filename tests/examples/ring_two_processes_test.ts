import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { nativeStatus } from "../../ffi/mod.ts";
import { type Child, startExample } from "../support/net_child.ts";

const status = nativeStatus();
const ignore = !status.available;

/** Processes that `pid` has started. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return text.split(" ").filter((word) => word !== "").map(Number);
}

/** Names of the regions the examples have left. */
function regions(): string[] {
  return [...Deno.readDirSync("/dev/shm")].map(({ name }) => name).filter((name) =>
    name.includes("ring_two_processes")
  );
}

Deno.test({
  name: "examples/ring_two_processes.ts passes messages from one process to another",
  ignore,
  async fn() {
    await using child = await startExample("ring_two_processes", ["--count", "200000", "--bytes", "100"]);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^200000 messages of 100 bytes, in order: [\d.]+ million a second\n$/);
    assert(!regions().includes(`millrace.ring_two_processes.${child.pid}`));
  },
});

Deno.test({
  name: "examples/ring_two_processes.ts says so when the second process dies, and leaves no region",
  ignore,
  async fn() {
    await using child = await startExample("ring_two_processes", ["--count", "2000000000"]);
    let children: number[] = [];
    while (children.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      children = await childrenOf(child.pid);
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    Deno.kill(children[0], "SIGKILL");
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^ring_two_processes: the second process (died|ended) before it was done\n$/);
    assert(!regions().some((name) => name.endsWith(`.${child.pid}`)));
  },
});

/** Starts one that does not get done, and resolves when it is at it. */
async function startLong(): Promise<[child: Child, writer: number]> {
  const child = await startExample("ring_two_processes", ["--count", "2000000000"]);
  let children: number[] = [];
  while (children.length === 0 || !regions().some((name) => name.endsWith(`.${child.pid}`))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    children = await childrenOf(child.pid);
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  return [child, children[0]];
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  for (const both of [false, true]) {
    Deno.test({
      name: `examples/ring_two_processes.ts is stopped by ${signal} to ${
        both ? "both" : "one"
      }, and leaves nothing`,
      ignore,
      async fn() {
        const [child, writer] = await startLong();
        await using _ = child;
        if (both) Deno.kill(writer, signal);
        child.kill(signal);
        const { code, stdout, stderr } = await child.ended();
        assertEquals([code, stdout, stderr], [130, "", `ring_two_processes: stopped by ${signal}\n`]);
        assert(!regions().some((name) => name.endsWith(`.${child.pid}`)));
        assertThrows(() => Deno.kill(writer, "SIGKILL"), Deno.errors.NotFound);
      },
    });
  }
}

Deno.test({
  name: "examples/ring_two_processes.ts: the second says that the first died, and the next start cleans up",
  ignore,
  async fn() {
    const [child] = await startLong();
    const region = `millrace.ring_two_processes.${child.pid}`;
    child.kill("SIGKILL");
    // The second has its standard error of the first, which ends when both have.
    const { stderr } = await child.ended();
    assertStrictEquals(stderr, "ring_two_processes: the first process died before it was done\n");
    assert(regions().includes(region));
    await using next = await startExample("ring_two_processes", ["--count", "1000"]);
    assertStrictEquals((await next.ended()).code, 0);
    assert(!regions().includes(region));
  },
});

for (
  const [args, named] of [[["--count", "0"], /--count is "0"/], [["--bytes", "x"], /--bytes is "x"/], [[
    "--foo",
  ], /--foo/]] as const
) {
  Deno.test(`examples/ring_two_processes.ts ${args.join(" ")} says what is wrong and exits with 2`, async () => {
    await using child = await startExample("ring_two_processes", [...args]);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^ring_two_processes: .*; usage: ring_two_processes .*\n$/);
    assertMatch(stderr, named);
  });
}

Deno.test("examples/ring_two_processes.ts says what it needs without the native library", async () => {
  await using child = await startExample("ring_two_processes", ["--count", "10"], { MILLRACE_NATIVE: "off" });
  const { code, stdout, stderr } = await child.ended();
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^ring_two_processes: .*native library.*\n$/);
});
