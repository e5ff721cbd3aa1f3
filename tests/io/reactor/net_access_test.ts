import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { netAccessMissing, requireNetAccess } from "../../../src/io/reactor/net_access.ts";
import { runProgram } from "../../support/driver_program.ts";
import { uringSkipReason } from "../../support/driver_uring.ts";
import { withWatchdog } from "../../support/watchdog.ts";

const WATCHDOG_MS = 60_000;

interface Outcome {
  readonly notCapable: boolean;
  readonly message: string;
}

/** What the calls in `body` reject with, in a program with the permissions that `flags` grant. */
async function outcomes(flags: readonly string[], body: string): Promise<Outcome[]> {
  const { code, stdout, stderr } = await runProgram(
    `
    import { connect, listenDatagram } from "@millrace/millrace/net";
    import { Reactor } from "@millrace/millrace/reactor";
    const outcomes = [];
    async function attempt(call) {
      try {
        const conn = await call();
        conn.close();
        outcomes.push({ notCapable: false, message: "opened" });
      } catch (error) {
        outcomes.push({ notCapable: error instanceof Deno.errors.NotCapable, message: error.message });
      }
    }
    ${body}
    console.log(JSON.stringify(outcomes));
  `,
    { flags: ["--no-prompt", "--allow-env", "--allow-read", "--allow-ffi", ...flags] },
  );
  assertStrictEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("netAccessMissing() names the operation, the host and the flag", () => {
  const error = netAccessMissing("resolve", "example.com");
  assert(error instanceof Deno.errors.NotCapable);
  assertMatch(error.message, /^resolve example\.com: no net access to "example\.com" .*--allow-net$/);
});

Deno.test("requireNetAccess() resolves with --allow-net", async () => {
  await requireNetAccess("bind", "127.0.0.1", 0);
  await requireNetAccess("bind", "::1", 8000);
});

Deno.test("DenoDriver.bindDatagram() rejects with NotCapable without --allow-net, and with it for another address", async () => {
  await withWatchdog(WATCHDOG_MS, async () => {
    const body = `
      using reactor = Reactor.open({ driver: "deno" });
      for (const hostname of ["127.0.0.1", "::1"]) {
        await attempt(() => listenDatagram({ port: 0, hostname, reactor }));
      }
    `;
    const [first, second] = await outcomes([], body);
    assert(first.notCapable && second.notCapable);
    assertMatch(first.message, /^bind 127\.0\.0\.1:0: .*--allow-net$/);
    assertMatch(second.message, /^bind \[::1\]:0: .*--allow-net$/);
    const granted = await outcomes(["--allow-net=127.0.0.1"], body);
    assertEquals(granted.map(({ notCapable }) => notCapable), [false, true]);
    assertStrictEquals(granted[0].message, "opened");
  });
});

for (const driver of ["deno", "uring"]) {
  Deno.test({
    name: `a host name rejects with NotCapable without --allow-net (${driver})`,
    ignore: driver === "uring" && uringSkipReason() !== undefined,
    async fn() {
      await withWatchdog(WATCHDOG_MS, async () => {
        const [connecting, binding] = await outcomes(
          [],
          `
          using reactor = Reactor.open({ driver: "${driver}" });
          await attempt(() => connect({ port: 1, hostname: "localhost", reactor }));
          await attempt(() => listenDatagram({ port: 0, hostname: "localhost", reactor }));
        `,
        );
        for (const { notCapable, message } of [connecting, binding]) {
          assert(notCapable, message);
          assertMatch(message, /localhost.*--allow-net/);
        }
      });
    },
  });
}
