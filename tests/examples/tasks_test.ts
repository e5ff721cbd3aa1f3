import { assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { Child } from "../support/net_child.ts";

/** Real milliseconds a task may take: it may have to build the native library first. */
const WATCHDOG_MS = 300_000;

function startTask(name: string, args: readonly string[]): Child {
  return new Child(["task", "--quiet", name, ...args], { watchdogMs: WATCHDOG_MS });
}

for (
  const [name, pattern] of [["http_echo", /listening on http:\/\/127\.0\.0\.1:(\d+)\//], [
    "tcp_echo",
    /listening on 127\.0\.0\.1:(\d+)/,
  ]] as const
) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.test(`deno task ${name} passes ${signal} on, and the exit code back`, async () => {
      await using child = startTask(name, ["--addr", "127.0.0.1:0"]);
      const [, port] = await child.says(pattern);
      child.kill(signal);
      const { code, signal: killed } = await child.ended();
      assertEquals([code, killed], [0, null]);
      await assertRejects(() => Deno.connect({ port: Number(port) }), Deno.errors.ConnectionRefused);
    });
  }

  Deno.test(`deno task ${name} passes the exit code of a wrong command line back`, async () => {
    await using child = startTask(name, ["--addr", "nonsense"]);
    const { code, stderr } = await child.ended();
    assertStrictEquals(code, 2);
    assertMatch(stderr, new RegExp(`^${name}: address "nonsense"`, "m"));
  });
}
