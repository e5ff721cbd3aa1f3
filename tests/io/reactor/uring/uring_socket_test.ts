import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { UringDriver } from "../../../../src/io/reactor/mod.ts";
import { conformanceTests } from "../../../support/driver_harness.ts";
import { patternBytes } from "../../../support/driver_seed.ts";
import { URING_RUNGS, uringUnderTest } from "../../../support/driver_uring.ts";

// Two buffers of 64 bytes: a batch of data finds them all in use, and the kernel answers ENOBUFS, which ends a multishot.
const SHORT = { receiveBufferCount: 2, receiveBufferByteLength: 64 };

for (const rung of URING_RUNGS) {
  const test = conformanceTests(uringUnderTest(rung, SHORT));

  test("Socket receives every byte although the kernel runs out of buffers", async (harness) => {
    const { driver } = harness;
    assert(driver instanceof UringDriver);
    const pairs = [await harness.pair(), await harness.pair(), await harness.pair(), await harness.pair()];
    await Promise.all(pairs.map(async ([client, server], index) => {
      const bytes = patternBytes(harness.seed + index, 200_000);
      server.start();
      const [received] = await Promise.all([server.receive(bytes.byteLength), client.send(bytes)]);
      assertEquals(received, bytes);
      client.socket.shutdownSend();
      assertStrictEquals(await server.ended(), undefined);
    }));
    assert(driver.statistics.bufferShortageCount > 0, "the kernel never ran out of buffers");
  });

  test("Socket that stops and starts all the time loses nothing when buffers are short", async (harness) => {
    const [client, server] = await harness.pair();
    const bytes = patternBytes(harness.seed, 50_000);
    let pieces = 0;
    server.onPiece = () => {
      if (++pieces % 3 !== 0) return;
      server.socket.stopReceiving();
      if (pieces % 2 === 0) server.start();
      else harness.reactor.timers.schedule(0, () => server.start());
    };
    server.start();
    const [received] = await Promise.all([server.receive(bytes.byteLength), client.send(bytes)]);
    assertEquals(received, bytes);
  });

  test("Socket that nobody reads keeps no more than one batch of buffers", async (harness) => {
    const [client, server] = await harness.pair();
    server.start();
    await client.send(new Uint8Array(10));
    await server.receive(10);
    server.socket.stopReceiving();
    let sent = 0;
    let stopped = false;
    const sending = (async () => {
      while (!stopped) sent += await client.sendPiece(new Uint8Array(1000));
    })();
    for (let before = -1; sent !== before;) {
      before = sent;
      await harness.sleep(50);
    }
    // What is delivered at once on the next start, before anything new can come in, is what was kept.
    let delivered = 0;
    server.onPiece = (byteLength) => delivered += byteLength;
    server.start();
    await server.until(() => delivered > 0);
    assert(delivered <= SHORT.receiveBufferCount * SHORT.receiveBufferByteLength * 2);
    server.onPiece = () => {};
    stopped = true;
    await sending;
    await server.until(() => server.receivedBytes === 10 + sent);
  });
}

conformanceTests(uringUnderTest("full"))(
  "Socket with a send the kernel has keeps that buffer when it is closed",
  async (harness) => {
    const [client, server] = await harness.pair();
    const { buffers } = harness.driver;
    for (let before = -1; client.sentCount !== before;) {
      before = client.sentCount;
      while (client.sentCount > 0 && buffers.heldCount > 0 && client.sentCount === before) {
        await harness.sleep(20);
        break;
      }
      if (buffers.heldCount === 0) await client.beginSend(new Uint8Array(buffers.bufferByteLength));
      await harness.sleep(20);
    }
    assertStrictEquals(buffers.heldCount, 1);
    client.close();
    // Closing has asked for the send to be cancelled. The kernel has not been entered since, so it may still read.
    assertStrictEquals(buffers.heldCount, 1);
    await harness.until(() => buffers.heldCount === 0);
    server.close();
  },
);
