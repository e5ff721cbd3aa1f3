import { assert, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { RECEIVE_QUEUE_BYTES, type TcpConn } from "../../../src/io/net/mod.ts";
import { SEND_QUEUE_BUFFERS_MAX } from "../../../src/io/reactor/mod.ts";
import { patternBytes } from "../../support/driver_seed.ts";
import { assertSameBytes, fill, netTest, readPieces, readToEnd } from "../../support/net_harness.ts";

/** Buffers of one connection: those that wait, and the one under way. */
const CONNECTION_BUFFERS_MAX = SEND_QUEUE_BUFFERS_MAX + 1;

netTest("TcpConn.write() waits for a side that never reads, with few buffers held", async (net) => {
  const [client, server] = await net.pair();
  const { takenBytes, waiting } = await fill(net, client);
  const { buffers } = net.reactor.driver;
  assert(
    buffers.heldCount >= 1 && buffers.heldCount <= CONNECTION_BUFFERS_MAX,
    `${buffers.heldCount} held`,
  );
  const more = Array.from({ length: 100 }, () => client.write(new Uint8Array(100_000)));
  let settledCount = 0;
  for (const write of more) write.finally(() => settledCount++);
  await net.sleep(20);
  assertStrictEquals(settledCount, 0);
  assert(buffers.heldCount <= CONNECTION_BUFFERS_MAX, `${buffers.heldCount} held`);
  const reading = readPieces(server, takenBytes + 65_536 + 100 * 100_000, net.random);
  await Promise.all([waiting, ...more, reading]);
  assertStrictEquals(buffers.heldCount, 0);
});

netTest(
  "TcpConn.write() resolves when its bytes are with the kernel, whatever waits behind it",
  async (net) => {
    const [client] = await net.pair();
    let settled = false;
    const small = client.write(new Uint8Array(100)).then(() => settled = true);
    // More than any connection takes while nobody reads.
    const large = client.write(new Uint8Array(256 << 20));
    large.catch(() => {});
    await small;
    assertStrictEquals(settled, true);
    await assertRejectsMatching(() => client.write(new Uint8Array(1), { timeoutMs: 10 }), {
      name: "TimeoutError",
    });
  },
);

netTest("TcpConn.write() of many small pieces at once takes time in proportion", async (net) => {
  const [client, server] = await net.pair();
  const count = 30_000;
  const reading = readPieces(server, count * 8, net.random);
  const piece = new Uint8Array(8);
  const writes: Promise<number>[] = [];
  for (let index = 0; index < count; index++) writes.push(client.write(piece));
  await Promise.all(writes);
  await reading;
});

netTest("TcpConn that nobody reads stops its sender", async (net) => {
  const [client, server] = await net.pair();
  const bytes = patternBytes(net.seed, 65_536);
  // A first read, so that receiving is on, and then none.
  const into = new Uint8Array(1);
  const reading = server.read(into);
  await client.write(bytes);
  await reading;
  const { takenBytes, waiting } = await fill(net, client);
  assert(takenBytes < 64 << 20, `${takenBytes} bytes were taken of a connection nobody reads`);
  const found = await readPieces(server, takenBytes + 2 * 65_536 - 1, net.random);
  assertSameBytes(found.subarray(0, 65_535), bytes.subarray(1));
  await waiting;
});

netTest("TcpConn keeps receiving from one peer while another never reads", async (net) => {
  const [stuck] = await net.pair();
  const { waiting } = await fill(net, stuck);
  waiting.catch(() => {});
  const [client, server] = await net.pair();
  const bytes = patternBytes(net.seed, 1 << 20);
  const [found] = await Promise.all([readPieces(server, bytes.byteLength, net.random), client.write(bytes)]);
  assertSameBytes(found, bytes);
});

netTest("TcpConn loses nothing of a reader that stops and goes on", async (net) => {
  const [client, server] = await net.pair();
  const bytes = patternBytes(net.seed, 40 * RECEIVE_QUEUE_BYTES);
  const writing = client.write(bytes).then(() => client.closeWrite());
  const parts: Uint8Array[] = [];
  for (;;) {
    const into = new Uint8Array(1 + net.random.below(2 * RECEIVE_QUEUE_BYTES));
    const count = await server.read(into);
    if (count === null) break;
    parts.push(into.subarray(0, count));
    if (net.random.below(10) === 0) await net.sleep(net.random.below(8));
  }
  await writing;
  assertSameBytes(new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()), bytes);
});

const TINY_POOLS: [bufferCountMax: number, connectionCount: number][] = [[1, 20], [2, 50], [3, 100]];

for (const [bufferCountMax, connectionCount] of TINY_POOLS) {
  netTest(
    `TcpConn.write() on ${connectionCount} connections ends with ${bufferCountMax} buffers for all of them`,
    async (net) => {
      const pairs: [TcpConn, TcpConn][] = [];
      for (let index = 0; index < connectionCount; index++) pairs.push(await net.pair());
      await Promise.all(pairs.map(async ([client, server], index) => {
        const bytes = patternBytes(net.seed + index, 50_000 + net.random.below(50_000));
        const reading = readToEnd(server);
        await client.write(bytes);
        await client.closeWrite();
        assertSameBytes(await reading, bytes);
      }));
      assertStrictEquals(net.reactor.driver.buffers.heldCount, 0);
    },
    { bufferCountMax, bufferByteLength: 4096 },
  );
}

netTest("TcpConn.write() gets a buffer although another connection always wants one", async (net) => {
  const [greedy, greedyReader] = await net.pair();
  const others = [await net.pair(), await net.pair(), await net.pair()];
  let stop = false;
  const reading = readToEnd(greedyReader);
  const writing = (async () => {
    // Two at once, so that there is always one more that wants the buffer.
    const chunk = new Uint8Array(100_000);
    let before = greedy.write(chunk);
    while (!stop) {
      const next = greedy.write(chunk);
      await before;
      before = next;
    }
    await before;
    await greedy.closeWrite();
  })();
  for (let round = 0; round < 20; round++) {
    for (const [client, server] of others) {
      await client.write(new Uint8Array([round]));
      assertStrictEquals(await server.read(new Uint8Array(4)), 1);
    }
  }
  stop = true;
  await writing;
  await reading;
}, { bufferCountMax: 1, bufferByteLength: 4096 });

netTest("TcpConn.write() gets a buffer although one that waited before it was closed", async (net) => {
  for (let round = 0; round < 4; round++) {
    const [holder, holderReader] = await net.pair();
    const queued = [await net.pair(), await net.pair(), await net.pair(), await net.pair()];
    const { waiting } = await fill(net, holder);
    waiting.catch(() => {});
    const writes = queued.map(([client]) => client.write(new Uint8Array([1])).catch(() => undefined));
    await net.sleep(1);
    const closedIndex = net.random.below(3);
    for (let index = 0; index <= closedIndex; index++) queued[index][0].close();
    // Its only buffer comes back now.
    holder.close();
    for (let index = closedIndex + 1; index < queued.length; index++) {
      assertStrictEquals(await writes[index], 1);
      assertStrictEquals(await queued[index][1].read(new Uint8Array(4)), 1);
    }
    holderReader.close();
  }
}, { bufferCountMax: 1, bufferByteLength: 4096 });
