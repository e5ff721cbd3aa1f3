import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import {
  DATAGRAM_QUEUE_MAX,
  type DatagramConn,
  listenDatagram,
  type ListenDatagramOptions,
} from "../../../src/io/net/mod.ts";
import { CountedAbort } from "../../base/timer/support.ts";
import { assertSystemError, rejection } from "../../support/driver_harness.ts";
import { patternBytes } from "../../support/driver_seed.ts";
import { assertSameBytes, type Net, netTest } from "../../support/net_harness.ts";

async function bind(net: Net, options: Partial<ListenDatagramOptions> = {}): Promise<DatagramConn> {
  return net.own(await listenDatagram({ port: 0, reactor: net.reactor, ...options }));
}

for (const hostname of ["127.0.0.1", "::1", "localhost"]) {
  netTest(`DatagramConn carries datagrams both ways on ${hostname}`, async (net) => {
    const [left, right] = [await bind(net, { hostname }), await bind(net, { hostname })];
    for (const byteLength of [0, 1, 1472, 9000, 65_507]) {
      const bytes = patternBytes(net.seed, byteLength);
      for (const [from, to] of [[left, right], [right, left]]) {
        const receiving = to.receive();
        assertStrictEquals(await from.send(bytes, to.addr), byteLength);
        const [found, sender] = await receiving;
        assertSameBytes(found, bytes);
        assertEquals(sender, from.addr);
      }
    }
  });
}

netTest(
  "DatagramConn.receive() gives a view of the caller's memory, and drops what does not fit",
  async (net) => {
    const [left, right] = [await bind(net), await bind(net)];
    const into = new Uint8Array(4);
    for (let round = 0; round < 3; round++) {
      // Waiting at first, from the queue afterwards.
      const receiving = round === 0 ? right.receive(into) : undefined;
      await left.send(new Uint8Array([1, 2, 3, 4, 5, 6]), right.addr);
      await net.sleep(5);
      const [found] = await (receiving ?? right.receive(into));
      assertEquals(found, new Uint8Array([1, 2, 3, 4]));
      assertStrictEquals(found.buffer, into.buffer);
    }
  },
);

netTest("DatagramConn.receive() whose memory was taken away loses nothing", async (net) => {
  const [left, right] = [await bind(net), await bind(net)];
  const into = new Uint8Array(8);
  const receiving = right.receive(into).then(() => {}, () => {});
  structuredClone(into.buffer, { transfer: [into.buffer] });
  await left.send(new Uint8Array([1]), right.addr);
  await receiving;
  await left.send(new Uint8Array([2]), right.addr);
  assertEquals((await right.receive())[0], new Uint8Array([1]));
  assertEquals((await right.receive())[0], new Uint8Array([2]));
});

netTest("DatagramConn.receive() rejects with Busy while another waits", async (net) => {
  const [left, right] = [await bind(net), await bind(net)];
  const first = right.receive();
  await assertRejects(() => right.receive(), Deno.errors.Busy);
  await left.send(new Uint8Array([1]), right.addr);
  assertEquals((await first)[0], new Uint8Array([1]));
});

netTest("DatagramConn.receive() can be given up, and leaves nothing behind", async (net) => {
  const [left, right] = [await bind(net), await bind(net)];
  const abort = new CountedAbort();
  await assertRejectsMatching(() => right.receive(undefined, { signal: abort.signal, timeoutMs: 5 }), {
    name: "TimeoutError",
  });
  assertStrictEquals(abort.listenerCount, 0);
  const given = assertRejectsMatching(() => right.receive(undefined, { signal: abort.signal }), {
    message: "enough",
  });
  abort.abort(new Error("enough"));
  await given;
  await assertRejectsMatching(() => right.receive(undefined, { signal: abort.signal }), {
    message: "enough",
  });
  await assertRejects(() => right.receive(undefined, { timeoutMs: -1 }), RangeError);
  assertStrictEquals(abort.listenerCount, 0);
  const next = right.receive();
  await left.send(new Uint8Array([1]), right.addr);
  assertEquals((await next)[0], new Uint8Array([1]));
});

netTest("DatagramConn keeps a bounded number of datagrams that nobody takes, the oldest", async (net) => {
  const [left, right] = [await bind(net), await bind(net)];
  const first = right.receive();
  await left.send(new Uint8Array([255]), right.addr);
  await first;
  const count = 4 * DATAGRAM_QUEUE_MAX;
  for (let index = 0; index < count; index++) {
    await left.send(new Uint8Array([index]), right.addr);
    if (index % 16 === 0) await net.sleep(1);
  }
  await net.sleep(10);
  const seen: number[] = [];
  for (;;) {
    const received = await right.receive(undefined, { timeoutMs: 30 }).catch((error) => {
      assertStrictEquals(error.name, "TimeoutError");
      return undefined;
    });
    if (received === undefined) break;
    seen.push(received[0][0]);
  }
  assert(seen.length >= DATAGRAM_QUEUE_MAX, `${seen.length} datagrams were kept`);
  assertEquals(
    seen.slice(0, DATAGRAM_QUEUE_MAX),
    Array.from({ length: DATAGRAM_QUEUE_MAX }, (_, i) => i),
  );
  assertEquals(seen, [...seen].sort((a, b) => a - b), "the order changed");
  // It goes on afterwards.
  const next = right.receive();
  await left.send(new Uint8Array([7]), right.addr);
  assertEquals((await next)[0], new Uint8Array([7]));
});

netTest("DatagramConn as an iterable yields datagrams until it is closed", async (net) => {
  const [left, right] = [await bind(net), await bind(net)];
  const seen: number[] = [];
  const reading = (async () => {
    for await (const [bytes] of right) seen.push(bytes[0]);
  })();
  for (let index = 0; index < 5; index++) {
    await left.send(new Uint8Array([index]), right.addr);
    await net.until(() => seen.length === index + 1);
  }
  right.close();
  await reading;
  assertEquals(seen, [0, 1, 2, 3, 4]);
});

netTest("DatagramConn.close() rejects what waits, and every later call", async (net) => {
  const conn = await bind(net);
  const waiting = assertRejects(() => conn.receive(), Deno.errors.BadResource);
  conn.close();
  conn.close();
  conn[Symbol.dispose]();
  await waiting;
  await assertRejects(() => conn.receive(), Deno.errors.BadResource);
  await assertRejects(() => conn.send(new Uint8Array(1), conn.addr), Deno.errors.BadResource);
});

netTest("DatagramConn.send() refuses what it cannot send", async (net) => {
  const conn = await bind(net);
  await assertRejects(() => conn.send(new Uint8Array(65_508), conn.addr), RangeError);
  await assertRejects(() => conn.send(new Uint8Array(1), { transport: "unix", path: "/tmp/x" }), TypeError);
  await assertRejects(() => conn.send(new Uint8Array(1), { ...conn.addr, hostname: "no-such-host.invalid" }));
  for (const port of [-1, 65_536]) {
    await assertRejects(
      () => conn.send(new Uint8Array(1), { ...conn.addr, port }),
      TypeError,
      undefined,
      `port ${port}`,
    );
    await assertRejects(() => bind(net, { port }), TypeError, undefined, `port ${port}`);
  }
  await assertRejects(() => conn.joinMulticastV4(), Deno.errors.NotSupported);
  await assertRejects(() => conn.joinMulticastV6(), Deno.errors.NotSupported);
});

netTest("DatagramConn.send() sends in the order of its calls", async (net) => {
  const [left, right] = [await bind(net), await bind(net)];
  const sends: Promise<number>[] = [];
  for (let index = 0; index < 20; index++) sends.push(left.send(new Uint8Array([index]), right.addr));
  const seen: number[] = [];
  for (let index = 0; index < 20; index++) seen.push((await right.receive())[0][0]);
  await Promise.all(sends);
  assertEquals(seen, Array.from({ length: 20 }, (_, index) => index));
});

netTest("DatagramConn understands a socket of Node's API", async (net) => {
  const { createSocket } = await import("node:dgram");
  const conn = await bind(net);
  const theirs = createSocket("udp4");
  try {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    theirs.on("message", (message: Uint8Array) => resolve(message));
    theirs.send(new Uint8Array([1, 2]), conn.addr.port, conn.addr.hostname);
    const [bytes, from] = await conn.receive();
    assertEquals(bytes, new Uint8Array([1, 2]));
    await conn.send(new Uint8Array([3]), from);
    assertEquals(new Uint8Array(await promise), new Uint8Array([3]));
  } finally {
    theirs.close();
  }
});

netTest(
  "listenDatagram() rejects with AddrInUse on a port that is taken, and shares with reusePort",
  async (net) => {
    const conn = await bind(net);
    assertSystemError(await rejection(bind(net, { port: conn.addr.port })), {
      type: Deno.errors.AddrInUse,
      operation: "bind",
      code: "EADDRINUSE",
    });
    const sharing = bind(net, { reusePort: true });
    // Node's API, on which the other driver stands, has no such option in Deno.
    if (net.driver === "deno") {
      await assertRejects(() => sharing, Deno.errors.NotSupported);
      return;
    }
    const first = await sharing;
    const second = await bind(net, { reusePort: true, port: first.addr.port });
    assertStrictEquals(second.addr.port, first.addr.port);
  },
);
