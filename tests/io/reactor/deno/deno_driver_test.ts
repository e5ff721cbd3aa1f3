import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { DenoDriver, Reactor } from "../../../../src/io/reactor/mod.ts";
import { registerDriverConformance } from "../../../support/driver_conformance.ts";
import {
  conformanceTests,
  type DriverUnderTest,
  temporaryDirectory,
} from "../../../support/driver_harness.ts";
import { runProgram } from "../../../support/driver_program.ts";
import { withWatchdog } from "../../../support/watchdog.ts";

const WATCHDOG_MS = 60_000;
const TARGET: DriverUnderTest = {
  title: "DenoDriver",
  runCount: 1,
  open: () => ({ driver: new DenoDriver(), ...temporaryDirectory() }),
};

registerDriverConformance(TARGET);

Deno.test("DenoDriver.listen() with reusePort says which flag it needs, and does not end the process", async () => {
  await withWatchdog(WATCHDOG_MS, async () => {
    const source = `
      import { DenoDriver } from "@millrace/millrace/reactor";
      const driver = new DenoDriver();
      const options = { backlog: 8, reusePort: true, noDelay: true };
      try {
        const first = driver.listen({ hostname: "127.0.0.1", port: 0 }, options);
        driver.listen(first.localAddress, options);
        console.log("shared");
      } catch (error) {
        console.log(error.constructor.name + ": " + error.message);
      }
      driver.close();
    `;
    const without = await runProgram(source);
    assertStrictEquals(without.code, 0, without.stderr);
    assertMatch(without.stdout, /^NotSupported: listen with reusePort, .*--unstable-net/);
    const withFlag = await runProgram(source, { flags: ["-A", "--unstable-net"] });
    assertEquals([withFlag.code, withFlag.stdout], [0, "shared\n"]);
  });
});

Deno.test("DenoDriver is open without the native library", async () => {
  await withWatchdog(WATCHDOG_MS, async () => {
    const { code, stdout, stderr } = await runProgram(
      `
        import { Reactor } from "@millrace/millrace/reactor";
        const reactor = Reactor.open();
        console.log(reactor.driver.name + ": " + reactor.fallbackReason);
        reactor.close();
      `,
      { environment: { MILLRACE_NATIVE: "off" } },
    );
    assertEquals([code, stderr], [0, ""]);
    assertStrictEquals(stdout, `deno: the native library: MILLRACE_NATIVE is "off"\n`);
  });
});

conformanceTests(TARGET)("names itself, and needs nobody to poll it", (harness) => {
  const { driver } = harness;
  assertEquals([driver.name, driver.delivery, driver.description], ["deno", "events", "Deno's own I/O"]);
  const reactor = new Reactor(new DenoDriver());
  assertStrictEquals(reactor.poll(), 0);
  reactor.close();
});
