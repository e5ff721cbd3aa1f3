import { assertEquals, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../../../support/assertions.ts";
import { DATAGRAM_BYTES_MAX } from "../../../../src/io/reactor/uring/uring_datagram_socket.ts";
import { conformanceTests } from "../../../support/driver_harness.ts";
import { patternBytes } from "../../../support/driver_seed.ts";
import { URING_RUNGS, uringUnderTest } from "../../../support/driver_uring.ts";

const LOOPBACK = { hostname: "127.0.0.1", port: 0 };

for (const rung of URING_RUNGS) {
  const test = conformanceTests(uringUnderTest(rung));

  test("DatagramSocket talks to one of Deno's, in both directions", async (harness) => {
    const { createSocket } = await import("node:dgram");
    const socket = await harness.driver.bindDatagram(LOOPBACK, { reusePort: false });
    const other = createSocket("udp4");
    await new Promise<void>((resolve) => other.bind(0, "127.0.0.1", resolve));
    const { port } = other.address();
    const arrived = new Promise<Uint8Array>((resolve) => other.once("message", resolve));
    const received: Uint8Array[] = [];
    socket.startReceiving({
      onDatagram: (bytes, byteLength, from) => {
        assertEquals(from, { hostname: "127.0.0.1", port });
        received.push(bytes.slice(0, byteLength));
      },
      onDatagramError: () => {},
    });
    const bytes = patternBytes(harness.seed, DATAGRAM_BYTES_MAX);
    assertStrictEquals(await socket.send(bytes, { hostname: "127.0.0.1", port }), bytes.byteLength);
    assertEquals(new Uint8Array(await arrived), bytes);
    other.send(bytes.subarray(0, 100), socket.localAddress.port, "127.0.0.1");
    await harness.until(() => received.length === 1);
    assertEquals(received[0], bytes.subarray(0, 100));
    other.close();
    socket.close();
  });

  test("DatagramSocket that is closed with everything under way frees its memory", async (harness) => {
    for (let round = 0; round < 20; round++) {
      const socket = await harness.driver.bindDatagram(LOOPBACK, { reusePort: false });
      const handler = { onDatagram: () => {}, onDatagramError: () => {} };
      socket.startReceiving(handler);
      const sends = [1, 2, 3].map(() => socket.send(new Uint8Array(10), socket.localAddress));
      if (round % 2 === 0) await sends[0];
      if (round % 3 === 0) socket.stopReceiving();
      socket.close();
      await Promise.allSettled(sends);
      assertThrowsMatching(() => socket.startReceiving(handler), { name: "InvariantError" });
    }
  });
}
