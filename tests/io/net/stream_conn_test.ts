import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { patternBytes } from "../../support/driver_seed.ts";
import {
  assertGone,
  assertSameBytes,
  netTest,
  readPieces,
  readToEnd,
  writePieces,
} from "../../support/net_harness.ts";

const LARGE_BYTES = 3 << 20;

for (const hostname of ["127.0.0.1", "::1"]) {
  netTest(`TcpConn carries megabytes both ways at once on ${hostname}`, async (net) => {
    const [client, server] = await net.pair({ hostname });
    const [up, down] = [patternBytes(net.seed, LARGE_BYTES), patternBytes(net.seed + 1, LARGE_BYTES)];
    const [, , atServer, atClient] = await Promise.all([
      writePieces(client, up, net.random),
      writePieces(server, down, net.random),
      readPieces(server, up.byteLength, net.random),
      readPieces(client, down.byteLength, net.random),
    ]);
    assertSameBytes(atServer, up);
    assertSameBytes(atClient, down);
  });
}

netTest("TcpConn understands Deno's own client and server", async (net) => {
  const bytes = patternBytes(net.seed, 1 << 20);
  const ours = net.listen();
  const theirs = net.own(Deno.listen({ port: 0, hostname: "127.0.0.1" }));
  const pairs = [
    [net.own(await Deno.connect({ port: ours.addr.port })), net.own(await ours.accept())],
    [await net.connect(theirs.addr.port), net.own(await theirs.accept())],
  ];
  for (const [client, server] of pairs) {
    const [up, down] = await Promise.all([
      readPieces(server, bytes.byteLength, net.random),
      readPieces(client, bytes.byteLength, net.random),
      writePieces(client, bytes, net.random),
      writePieces(server, bytes, net.random),
    ]);
    assertSameBytes(up, bytes);
    assertSameBytes(down, bytes);
    await client.closeWrite();
    assertStrictEquals(await server.read(new Uint8Array(1)), null);
    await server.closeWrite();
    assertStrictEquals(await client.read(new Uint8Array(1)), null);
  }
});

netTest("TcpConn carries one byte at a time", async (net) => {
  const [client, server] = await net.pair();
  const bytes = patternBytes(net.seed, 500);
  const echoing = (async () => {
    const into = new Uint8Array(1);
    while (await server.read(into) !== null) await server.write(into);
  })();
  const into = new Uint8Array(1);
  for (const byte of bytes) {
    await client.write(new Uint8Array([byte]));
    assertStrictEquals(await client.read(into), 1);
    assertStrictEquals(into[0], byte);
  }
  client.close();
  await echoing.catch((error) => assert(error instanceof Deno.errors.ConnectionReset, `${error}`));
});

netTest("TcpConn.localAddr and remoteAddr are those of the other side, swapped", async (net) => {
  const [client, server] = await net.pair();
  assertStrictEquals(client.localAddr.transport, "tcp");
  assertStrictEquals(client.localAddr.hostname, "127.0.0.1");
  assertEquals(client.localAddr, server.remoteAddr);
  assertEquals(client.remoteAddr, server.localAddr);
});

netTest("TcpConn.closeWrite() ends one direction and leaves the other, on both sides", async (net) => {
  const [client, server] = await net.pair();
  const bytes = patternBytes(net.seed, 300_000);
  for (const [ending, other] of [[client, server], [server, client]]) {
    const reading = readToEnd(other);
    // Not awaited: what was written before goes out before the end.
    const writing = ending.write(bytes);
    await ending.closeWrite();
    assertStrictEquals(await writing, bytes.byteLength);
    assertSameBytes(await reading, bytes);
    await assertRejects(() => ending.write(new Uint8Array(1)), Deno.errors.BrokenPipe);
    for (let round = 0; round < 3; round++) assertStrictEquals(await other.read(new Uint8Array(1)), null);
  }
});

netTest("TcpConn.closeWrite() may be called again, and after the other side has gone", async (net) => {
  const [client, server] = await net.pair();
  await Promise.all([client.closeWrite(), client.closeWrite()]);
  await client.closeWrite();
  assertStrictEquals(await server.read(new Uint8Array(1)), null);
  client.close();
  await net.sleep(5);
  await server.write(new Uint8Array(10)).catch(() => {});
  await net.sleep(5);
  await server.write(new Uint8Array(10)).catch(() => {});
  await server.closeWrite().catch((error) => {
    assert(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset);
  });
  await assertRejects(() => client.closeWrite(), Deno.errors.BadResource);
});

netTest("TcpConn.read() gives what arrived before the end, then null", async (net) => {
  const [client, server] = await net.pair();
  const bytes = patternBytes(net.seed, 20_000);
  await client.write(bytes);
  client.close();
  await net.sleep(5);
  assertSameBytes(await readToEnd(server), bytes);
  assertStrictEquals(await server.read(new Uint8Array(8)), null);
});

netTest("TcpConn.read() into no room takes nothing", async (net) => {
  const [client, server] = await net.pair();
  await client.write(new Uint8Array([7]));
  assertStrictEquals(await server.read(new Uint8Array(0)), 0);
  const into = new Uint8Array(4);
  assertStrictEquals(await server.read(into), 1);
  assertStrictEquals(into[0], 7);
});

netTest("TcpConn.read() fills only the view it is given", async (net) => {
  const [client, server] = await net.pair();
  await client.write(new Uint8Array(100).fill(1));
  const memory = new Uint8Array(64);
  assertStrictEquals(await server.read(memory.subarray(16, 32)), 16);
  assertEquals(memory, new Uint8Array(64).fill(1, 16, 32));
  // Once more, from what is stored by now.
  assertStrictEquals(await server.read(memory.subarray(40, 48)), 8);
  assertEquals(memory, new Uint8Array(64).fill(1, 16, 32).fill(1, 40, 48));
});

netTest("TcpConn.read() rejects with Busy while another read waits, which goes on", async (net) => {
  const [client, server] = await net.pair();
  const into = new Uint8Array(4);
  const first = server.read(into);
  await assertRejects(() => server.read(new Uint8Array(4)), Deno.errors.Busy);
  await client.write(new Uint8Array([1, 2, 3]));
  assertStrictEquals(await first, 3);
  assertEquals(into, new Uint8Array([1, 2, 3, 0]));
});

netTest("TcpConn.read() whose memory was taken away loses nothing", async (net) => {
  const [client, server] = await net.pair();
  const into = new Uint8Array(8);
  const reading = server.read(into).then((count) => count, (error) => error);
  structuredClone(into.buffer, { transfer: [into.buffer] });
  const other = await net.pair();
  await client.write(new Uint8Array([1, 2, 3]));
  const outcome = await reading;
  assert(outcome === 0 || outcome instanceof TypeError, `settled with ${outcome}`);
  const next = new Uint8Array(8);
  assertStrictEquals(await server.read(next), 3);
  assertEquals(next.subarray(0, 3), new Uint8Array([1, 2, 3]));
  // Others on the same reactor have not suffered.
  await other[0].write(new Uint8Array([9]));
  assertStrictEquals(await other[1].read(next), 1);
});

netTest("TcpConn.write() keeps the order of calls that do not wait for each other", async (net) => {
  const [client, server] = await net.pair();
  const bytes = patternBytes(net.seed, 1 << 20);
  const writes: Promise<number>[] = [];
  const lengths: number[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const piece = bytes.subarray(at, at + 1 + net.random.below(20_000));
    lengths.push(piece.byteLength);
    writes.push(client.write(piece));
    at += piece.byteLength;
  }
  assertSameBytes(await readPieces(server, bytes.byteLength, net.random), bytes);
  assertEquals(await Promise.all(writes), lengths);
});

netTest("TcpConn.write() settles calls in their order", async (net) => {
  const [client, server] = await net.pair();
  const order: number[] = [];
  const writes = Array.from({ length: 200 }, (_, index) => {
    return client.write(new Uint8Array(1 + net.random.below(5000))).then(() => order.push(index));
  });
  const reading = readToEnd(server);
  await Promise.all(writes);
  assertEquals(order, Array.from({ length: 200 }, (_, index) => index));
  await client.closeWrite();
  await reading;
});

netTest("TcpConn.write() of nothing resolves to 0", async (net) => {
  const [client] = await net.pair();
  assertStrictEquals(await client.write(new Uint8Array(0)), 0);
});

netTest(
  "TcpConn.write() leaves the caller's bytes alone, and may have them back when it resolves",
  async (net) => {
    const [client, server] = await net.pair();
    const data = new Uint8Array(40_000);
    const reading = readPieces(server, 20 * data.byteLength, net.random);
    for (let round = 0; round < 20; round++) {
      data.fill(round);
      await client.write(data);
      assert(data.every((byte) => byte === round));
    }
    const bytes = await reading;
    for (let round = 0; round < 20; round++) {
      assert(bytes.subarray(round * 40_000, (round + 1) * 40_000).every((byte) => byte === round));
    }
  },
);

netTest("TcpConn.write() rejects once the other side is gone", async (net) => {
  const [client, server] = await net.pair();
  server.close();
  const failure = await (async () => {
    for (;;) await client.write(new Uint8Array(1000));
  })().catch((error) => error);
  assertGone(failure, "send");
  await assertRejects(() => client.write(new Uint8Array(1)));
});

netTest("TcpConn.setNoDelay() and setKeepAlive() take both values", async (net) => {
  const [client, server] = await net.pair({ noDelay: false });
  for (const on of [true, false]) {
    client.setNoDelay(on);
    client.setKeepAlive(on);
    server.setNoDelay(on);
    server.setKeepAlive(on);
  }
  client.setNoDelay();
  client.setKeepAlive();
  await client.write(new Uint8Array([1]));
  assertStrictEquals(await server.read(new Uint8Array(4)), 1);
});
