import { assertThrows } from "@std/assert";
import { closeDescriptor, socketPair } from "../../../../ffi/mod.ts";
import { adoptingDriver } from "../../../support/driver_adopting.ts";
import { registerDriverConformance } from "../../../support/driver_conformance.ts";
import { Accepted, conformanceTests } from "../../../support/driver_harness.ts";
import { URING_RUNGS, uringUnderTest } from "../../../support/driver_uring.ts";

for (const rung of URING_RUNGS) registerDriverConformance(adoptingDriver(uringUnderTest(rung)));

conformanceTests(uringUnderTest("full"))("Driver.adopt() refuses what does not listen", (harness) => {
  const options = { backlog: 8, reusePort: false, noDelay: true };
  const [first, second] = socketPair();
  assertThrows(() => harness.driver.adopt(first, options), Deno.errors.InvalidData);
  assertThrows(() => harness.driver.adopt(1_000_000, options), Deno.errors.BadResource);
  assertThrows(() => harness.driver.adopt(-1, options), Deno.errors.BadResource);
  closeDescriptor(first);
  closeDescriptor(second);
});

conformanceTests(adoptingDriver(uringUnderTest("full")))("Listener takes all of a burst", async (harness) => {
  const listener = harness.listen();
  const accepted = new Accepted();
  const clients = await Promise.all(
    Array.from({ length: 100 }, () => harness.connect(listener.localAddress)),
  );
  listener.startAccepting(accepted);
  await harness.until(() => accepted.sockets.length === clients.length);
  for (const socket of accepted.sockets) socket.close();
  listener.close();
});
