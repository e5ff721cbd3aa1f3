import { assert, assertEquals } from "@std/assert";
import { UringDriver } from "../../../../src/io/reactor/mod.ts";
import { conformanceTests } from "../../../support/driver_harness.ts";
import { URING_RUNGS, uringUnderTest } from "../../../support/driver_uring.ts";

for (const rung of URING_RUNGS) {
  const test = conformanceTests(uringUnderTest(rung));

  test(".statistics count completions and system calls, and trouble only when there is some", async (harness) => {
    const { driver } = harness;
    assert(driver instanceof UringDriver);
    const [client, server] = await harness.pair();
    const before = { ...driver.statistics };
    server.start();
    for (let round = 0; round < 10; round++) {
      await client.sendPiece(new Uint8Array(100));
      await server.receive(100);
    }
    const { completionCount, enterCount, bufferShortageCount, overflowCount } = driver.statistics;
    assert(completionCount - before.completionCount >= 20);
    assert(enterCount > before.enterCount);
    assertEquals([bufferShortageCount, overflowCount], [0, 0]);
  });

  test("closes a descriptor after everything that names it", async (harness) => {
    // The number of a closed socket is given to the next; nothing of the old one may reach it.
    for (let round = 0; round < 50; round++) {
      const [client, server] = await harness.pair();
      client.start();
      server.start();
      const sending = client.sendPiece(new Uint8Array([round])).catch(() => {});
      if (round % 2 === 0) await sending;
      client.close();
      const [next, other] = await harness.pair();
      other.start();
      await next.sendPiece(new Uint8Array([100 + round]));
      assertEquals(await other.receive(1), new Uint8Array([100 + round]));
      for (const peer of [server, next, other]) peer.close();
      await sending;
    }
  });
}
