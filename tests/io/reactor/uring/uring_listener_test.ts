import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { UringDriver } from "../../../../src/io/reactor/mod.ts";
import { Accepted, conformanceTests } from "../../../support/driver_harness.ts";
import { runProgram } from "../../../support/driver_program.ts";
import { URING_RUNGS, uringSkipReason, uringUnderTest } from "../../../support/driver_uring.ts";

for (const rung of URING_RUNGS) {
  conformanceTests(uringUnderTest(rung, { submissionEntries: 2, completionEntries: 2 }))(
    "Listener accepts everybody although its multishot ends early",
    async (harness) => {
      const { driver } = harness;
      assert(driver instanceof UringDriver);
      // Connected before accepting begins: the multishot finds them all at once, fills the two completion entries, and
      // ends, because it posts no completion that would have to wait in the kernel.
      const listener = harness.listen();
      const { localAddress } = listener;
      assert("port" in localAddress);
      const conns = await Promise.all(Array.from({ length: 50 }, () => Deno.connect(localAddress)));
      const before = driver.statistics.overflowCount;
      const accepted = new Accepted();
      listener.startAccepting(accepted);
      await harness.until(() => accepted.sockets.length === conns.length);
      assert(driver.statistics.overflowCount >= before);
      assertEquals(accepted.errors, []);
      for (const conn of conns) conn.close();
      for (const socket of accepted.sockets) socket.close();
      listener.close();
    },
  );
}

Deno.test({
  name: "UringDriver Listener tells that the process has too many open files, and goes on when it has fewer",
  ignore: uringSkipReason() !== undefined,
  async fn() {
    // A limit of its own, which no other test must feel.
    const { code, stdout, stderr } = await runProgram(
      `
      import { Reactor, type DriverSocket } from "@millrace/millrace/reactor";
      import { sleep } from "@millrace/millrace/timer";
      using reactor = Reactor.open({ driver: "uring" });
      const { driver } = reactor;
      // Deno opens descriptors for signals when it first needs them, and panics where it may not.
      const nothing = () => {};
      Deno.addSignalListener("SIGWINCH", nothing);
      Deno.removeSignalListener("SIGWINCH", nothing);
      const listener = driver.listen({ hostname: "127.0.0.1", port: 0 }, { backlog: 8, reusePort: false, noDelay: true });
      const errors: unknown[] = [];
      const sockets: DriverSocket[] = [];
      const handler = {
        onAccept: (socket: DriverSocket) => sockets.push(socket),
        onAcceptError: (error: Error) => errors.push((error as { code?: string }).code),
      };
      // The listener's first accept has to meet the limit with its connection waiting.
      const clients = [await driver.connect(listener.localAddress, { noDelay: true })];
      const files: Deno.FsFile[] = [];
      try {
        for (;;) files.push(Deno.openSync("/dev/null"));
      } catch {
        // As many as there may be.
      }
      listener.startAccepting(handler);
      while (errors.length === 0) await sleep(1, { timers: reactor.timers });
      // Long enough for the reactor to sleep, for which it would like to open some more.
      await sleep(20, { timers: reactor.timers });
      for (const file of files) file.close();
      listener.startAccepting(handler);
      while (sockets.length === 0) await sleep(1, { timers: reactor.timers });
      for (const socket of [...sockets, ...clients]) socket.close();
      console.log(JSON.stringify(errors));
    `,
      { openFilesMax: 128 },
    );
    assertStrictEquals(code, 0, stderr);
    assertEquals(JSON.parse(stdout), ["EMFILE"]);
  },
});
