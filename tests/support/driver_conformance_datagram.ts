import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { DatagramHandler, DriverDatagramSocket, IpAddress } from "../../src/io/reactor/mod.ts";
import { assertSystemError, type ConformanceTest, type Harness, rejection } from "./driver_harness.ts";
import { patternBytes } from "./driver_seed.ts";

const DATAGRAM_BYTES_MAX = 65_507;

/** Collects datagrams. */
class Received implements DatagramHandler {
  readonly datagrams: { readonly bytes: Uint8Array; readonly from: IpAddress }[] = [];
  readonly errors: Error[] = [];

  onDatagram(bytes: Uint8Array<ArrayBuffer>, byteLength: number, from: IpAddress): void {
    this.datagrams.push({ bytes: bytes.slice(0, byteLength), from });
  }

  onDatagramError(error: Error): void {
    this.errors.push(error);
  }
}

/** Registers what {@linkcode Driver.bindDatagram} and {@linkcode DriverDatagramSocket} promise. */
export function testDatagrams(test: ConformanceTest): void {
  test("DatagramSocket carries datagrams of every length both ways", async (harness) => {
    const [left, right] = [await bind(harness), await bind(harness)];
    const [atLeft, atRight] = [new Received(), new Received()];
    left.startReceiving(atLeft);
    right.startReceiving(atRight);
    const lengths = [0, 1, 1472, 9000, DATAGRAM_BYTES_MAX, 0, harness.random.below(DATAGRAM_BYTES_MAX)];
    for (const [index, byteLength] of lengths.entries()) {
      const bytes = patternBytes(harness.seed + index, byteLength);
      assertStrictEquals(await left.send(bytes, right.localAddress), byteLength);
      await harness.until(() => atRight.datagrams.length === index + 1);
      assertStrictEquals(await right.send(bytes, left.localAddress), byteLength);
      await harness.until(() => atLeft.datagrams.length === index + 1);
      assertEquals(atRight.datagrams[index], { bytes, from: left.localAddress });
      assertEquals(atLeft.datagrams[index], { bytes, from: right.localAddress });
    }
    assertEquals([...atLeft.errors, ...atRight.errors], []);
    left.close();
    right.close();
  });

  test("DatagramSocket works on IPv6", async (harness) => {
    const address = { hostname: "::1", port: 0 };
    const [left, right] = [await bind(harness, address), await bind(harness, address)];
    const received = new Received();
    right.startReceiving(received);
    await left.send(new Uint8Array([1, 2]), right.localAddress);
    await harness.until(() => received.datagrams.length === 1);
    assertEquals(received.datagrams[0], { bytes: new Uint8Array([1, 2]), from: left.localAddress });
    left.close();
    right.close();
  });

  test("DatagramSocket.send() sends in the order of the calls", async (harness) => {
    const [left, right] = [await bind(harness), await bind(harness)];
    const received = new Received();
    right.startReceiving(received);
    const sends = Array.from({ length: 50 }, (_, index) => {
      return left.send(new Uint8Array([index]), right.localAddress);
    });
    assertEquals(await Promise.all(sends), Array(50).fill(1));
    await harness.until(() => received.datagrams.length === 50);
    assertEquals(
      received.datagrams.map(({ bytes }) => bytes[0]),
      Array.from({ length: 50 }, (_, i) => i),
    );
    left.close();
    right.close();
  });

  test("DatagramSocket.send() to nobody succeeds, and receiving goes on", async (harness) => {
    const gone = await bind(harness);
    gone.close();
    await harness.sleep(2);
    const [left, right] = [await bind(harness), await bind(harness)];
    const received = new Received();
    left.startReceiving(received);
    for (let round = 0; round < 3; round++) {
      await left.send(new Uint8Array([9]), gone.localAddress).catch((error) => {
        // The echo of the datagram before, told to whoever asks next.
        assertSystemError(error, {
          type: Deno.errors.ConnectionRefused,
          operation: "send",
          code: "ECONNREFUSED",
        });
      });
      await harness.sleep(1);
    }
    await right.send(new Uint8Array([1]), left.localAddress);
    await harness.until(() => received.datagrams.length === 1);
    assertEquals(received.errors, []);
    left.close();
    right.close();
  });

  test("DatagramSocket.send() refuses what cannot be sent", async (harness) => {
    const socket = await bind(harness);
    const { localAddress } = socket;
    const tooLong = await rejection(socket.send(new Uint8Array(DATAGRAM_BYTES_MAX + 1), localAddress));
    assert(tooLong instanceof RangeError);
    const name = await rejection(socket.send(new Uint8Array(1), { hostname: "localhost", port: 9 }));
    assert(name instanceof TypeError);
    socket.close();
    const closed = await rejection(socket.send(new Uint8Array(1), localAddress));
    assertSystemError(closed, { type: Deno.errors.BadResource, operation: "send", code: "EBADF" });
  });

  test(".bindDatagram() fails with AddrInUse on a port that is taken", async (harness) => {
    const socket = await bind(harness);
    const error = await rejection(bind(harness, socket.localAddress));
    assertSystemError(error, { type: Deno.errors.AddrInUse, operation: "bind", code: "EADDRINUSE" });
    socket.close();
  });

  test(".bindDatagram() with reusePort shares a port", async (harness) => {
    const options = { reusePort: true };
    const address = { hostname: "127.0.0.1", port: 0 };
    const first = await harness.driver.bindDatagram(address, options).catch((error) => {
      // Named in the error, where a driver cannot.
      assert(error instanceof Deno.errors.NotSupported && /reusePort/.test(error.message), String(error));
    });
    if (first === undefined) return;
    const second = await harness.driver.bindDatagram(first.localAddress, options);
    assertEquals(second.localAddress, first.localAddress);
    first.close();
    second.close();
  });

  test(".bindDatagram() rejects what is no internet address", async (harness) => {
    await rejection(harness.driver.bindDatagram({ path: "/tmp/x" }, { reusePort: false }));
    await rejection(bind(harness, { hostname: "203.0.113.7", port: 0 }));
    await rejection(bind(harness, { hostname: "host.invalid", port: 0 }));
    await rejection(bind(harness, { hostname: "127.0.0.1", port: 65_536 }));
  });

  test("DatagramSocket.stopReceiving() passes nothing on until the next start", async (harness) => {
    const [left, right] = [await bind(harness), await bind(harness)];
    const received = new Received();
    right.startReceiving(received);
    right.stopReceiving();
    await harness.sleep(2);
    await left.send(new Uint8Array([1]), right.localAddress);
    await harness.sleep(5);
    assertStrictEquals(received.datagrams.length, 0);
    right.startReceiving(received);
    await left.send(new Uint8Array([2]), right.localAddress);
    await harness.until(() => received.datagrams.some(({ bytes }) => bytes[0] === 2));
    left.close();
    right.close();
  });

  test("DatagramSocket.close() is the last call its owner hears of, also inside one", async (harness) => {
    const [left, right] = [await bind(harness), await bind(harness)];
    const received = new Received();
    const stillThere: number[] = [];
    right.startReceiving({
      onDatagram(bytes, byteLength, from) {
        received.onDatagram(bytes, byteLength, from);
        right.close();
        right.close();
        stillThere.push(bytes[0]);
      },
      onDatagramError: (error) => received.onDatagramError(error),
    });
    await left.send(new Uint8Array([1]), right.localAddress);
    await left.send(new Uint8Array([1]), right.localAddress);
    await harness.until(() => received.datagrams.length > 0);
    await harness.sleep(5);
    assertStrictEquals(received.datagrams.length, 1);
    assertEquals(stillThere, [1], "the bytes are valid during the whole call");
    assertEquals(received.errors, []);
    left.close();
  });

  test("DatagramSocket.close() settles the sends that are under way", async (harness) => {
    const [left, right] = [await bind(harness), await bind(harness)];
    const sends = Array.from({ length: 20 }, () => left.send(new Uint8Array(1000), right.localAddress));
    if (harness.random.below(2) === 0) await harness.sleep(0);
    left.close();
    for (const result of await Promise.allSettled(sends)) {
      if (result.status === "fulfilled") assertStrictEquals(result.value, 1000);
      else assert(result.reason instanceof Error);
    }
    right.close();
  });
}

function bind(
  harness: Harness,
  address: IpAddress = { hostname: "127.0.0.1", port: 0 },
): Promise<DriverDatagramSocket> {
  return harness.driver.bindDatagram(address, { reusePort: false });
}
