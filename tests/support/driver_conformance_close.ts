import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { join } from "node:path";
import { Accepted, type ConformanceTest, rejection } from "./driver_harness.ts";

/** Registers what {@linkcode Driver.close} promises. */
export function testClosing(test: ConformanceTest): void {
  test(".close() ends everything that is open, and calls nobody afterwards", async (harness) => {
    const { driver } = harness;
    const listener = harness.listen();
    listener.startAccepting(new Accepted());
    const [client, server] = await harness.pair();
    const silent = await harness.connect(listener.localAddress);
    client.start();
    server.start();
    silent.start();
    const stuck = harness.listen({ hostname: "127.0.0.1", port: 0 }, { backlog: 1 });
    const connecting = Array.from({ length: 6 }, () => harness.connect(stuck.localAddress));
    const datagrams = await driver.bindDatagram({ hostname: "127.0.0.1", port: 0 }, { reusePort: false });
    datagrams.startReceiving({ onDatagram: () => {}, onDatagramError: () => {} });
    const file = await driver.openFile(join(harness.directory, "file"), { write: true, create: true });
    const writing = file.writeAt(new Uint8Array(100_000), 0);
    await harness.sleep(5);
    await client.beginSend(new Uint8Array(1000));
    for (const peer of [client, server, silent]) peer.closed = true;
    harness.reactor.close();
    harness.reactor.close();
    await Promise.allSettled([...connecting, writing, file.close()]);
    await hostSleep(10);
    assertStrictEquals(driver.buffers.heldCount, 0);
    for (const peer of [client, server, silent]) assertEquals(peer.callsAfterClose, []);
  });

  for (const when of ["data", "end"] as const) {
    test(`.close() inside a callback that tells of ${when} ends everything`, async (harness) => {
      const pairs = [await harness.pair(), await harness.pair(), await harness.pair()];
      const { promise, resolve } = Promise.withResolvers<void>();
      let calls = 0;
      for (const [client, server] of pairs) {
        const { onReceive, onReceiveEnd } = server;
        const close = () => {
          calls++;
          harness.reactor.close();
          resolve();
        };
        server.onReceive = (bytes, byteLength) => {
          onReceive.call(server, bytes, byteLength);
          if (when === "data") close();
        };
        server.onReceiveEnd = (error) => {
          onReceiveEnd.call(server, error);
          if (when === "end") close();
        };
        server.start();
        client.start();
      }
      // All of them in one batch, if they come that soon.
      await Promise.allSettled(pairs.map(([client]) => client.beginSend(new Uint8Array(100))));
      if (when === "end") {
        await Promise.all(pairs.map(([client]) => client.until(() => client.sentCount > 0)));
        for (const [client] of pairs) client.socket.shutdownSend();
      }
      await promise;
      await hostSleep(10);
      assertStrictEquals(harness.driver.buffers.heldCount, 0);
      const before = [calls, ...pairs.flat().map(({ endCount, receivedBytes }) => endCount + receivedBytes)];
      await hostSleep(10);
      const after = [calls, ...pairs.flat().map(({ endCount, receivedBytes }) => endCount + receivedBytes)];
      assertEquals(after, before);
    });
  }

  test(".close() lets nothing be asked for afterwards", async (harness) => {
    harness.reactor.close();
    const { driver } = harness;
    const address = { hostname: "127.0.0.1", port: 0 };
    const options = { read: true, write: true, create: true };
    assertThrows(() => harness.listen());
    await rejection(harness.connect({ hostname: "127.0.0.1", port: 9 }));
    await rejection(driver.bindDatagram(address, { reusePort: false }));
    await rejection(driver.openFile(join(harness.directory, "file"), options));
    assertStrictEquals(driver.buffers.heldCount, 0);
  });
}

/** Real time: the driver's may stand still once it is closed. */
function hostSleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
