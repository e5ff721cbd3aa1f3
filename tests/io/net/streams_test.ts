import { Buffer } from "node:buffer";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { patternBytes } from "../../support/driver_seed.ts";
import {
  assertSameBytes,
  fill,
  netTest,
  readPieces,
  readToEnd,
  writePieces,
} from "../../support/net_harness.ts";

const LARGE_BYTES = 2 << 20;

/** All bytes of a stream. */
async function collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(stream));
}

netTest("TcpConn.readable piped to writable is an echo, and closes the connection", async (net) => {
  const [client, server] = await net.pair();
  const bytes = patternBytes(net.seed, LARGE_BYTES);
  const echoing = server.readable.pipeTo(server.writable);
  const reading = readToEnd(client);
  await writePieces(client, bytes, net.random);
  await client.closeWrite();
  assertSameBytes(await reading, bytes);
  await echoing;
  await assertRejects(() => server.read(new Uint8Array(1)), Deno.errors.BadResource);
});

netTest("TcpConn.readable and writable are the same streams each time", async (net) => {
  const [client] = await net.pair();
  assertStrictEquals(client.readable, client.readable);
  assertStrictEquals(client.writable, client.writable);
});

netTest("TcpConn.readable ends with the other side's direction", async (net) => {
  const [client, server] = await net.pair();
  const bytes = patternBytes(net.seed, LARGE_BYTES);
  const [found] = await Promise.all([
    collect(server.readable),
    writePieces(client, bytes, net.random).then(() => client.closeWrite()),
  ]);
  assertSameBytes(found, bytes);
  // This direction goes on.
  await server.write(new Uint8Array([1]));
  assertEquals(await readPieces(client, 1, net.random), new Uint8Array([1]));
});

netTest("TcpConn.readable serves a BYOB reader, in the reader's own memory", async (net) => {
  const [client, server] = await net.pair();
  const bytes = patternBytes(net.seed, 300_000);
  const writing = writePieces(client, bytes, net.random).then(() => client.closeWrite());
  const reader = server.readable.getReader({ mode: "byob" });
  const found = new Uint8Array(bytes.byteLength);
  let memory = new ArrayBuffer(5000);
  for (let at = 0;;) {
    const { value, done } = await reader.read(new Uint8Array(memory, 0, 1 + net.random.below(5000)));
    if (done) break;
    found.set(value, at);
    at += value.byteLength;
    memory = value.buffer;
    assertStrictEquals(memory.byteLength, 5000);
  }
  await writing;
  assertSameBytes(found, bytes);
  assertStrictEquals((await reader.read(new Uint8Array(8))).done, true);
});

netTest("TcpConn.readable loses nothing when a reader is released while it waits", async (net) => {
  const [client, server] = await net.pair();
  const reader = server.readable.getReader();
  const waiting = assertRejects(() => reader.read(), TypeError);
  await net.sleep(2);
  reader.releaseLock();
  await waiting;
  const bytes = patternBytes(net.seed, 50_000);
  const [found] = await Promise.all([
    collect(server.readable),
    client.write(bytes).then(() => client.closeWrite()),
  ]);
  assertSameBytes(found, bytes);
});

netTest("TcpConn.readable cancelled closes the connection", async (net) => {
  const [client, server] = await net.pair();
  const reader = server.readable.getReader();
  const waiting = reader.read();
  await net.sleep(2);
  await reader.cancel(new Error("enough"));
  assertStrictEquals((await waiting).done, true);
  await assertRejects(() => server.write(new Uint8Array(1)), Deno.errors.BadResource);
  assertStrictEquals(await client.read(new Uint8Array(1)), null);
});

netTest("TcpConn.readable of a connection that is reset ends, or fails with ConnectionReset", async (net) => {
  const [client, server] = await net.pair();
  await server.write(new Uint8Array(10));
  await net.sleep(5);
  const reader = server.readable.getReader();
  const outcome = reader.read().then(({ done }) => done, (error) => error);
  // Closing with data unread resets, which may overtake the end.
  client.close();
  const found = await outcome;
  assert(found === true || found instanceof Deno.errors.ConnectionReset, `${found}`);
  await (found === true ? reader.closed : assertRejects(() => reader.closed, Deno.errors.ConnectionReset));
});

netTest("TcpConn.readable of a closed connection is an error", async (net) => {
  const [, server] = await net.pair();
  const { readable } = server;
  const reading = assertRejects(() => readable.getReader().read(), Deno.errors.BadResource);
  server.close();
  await reading;
});

netTest("TcpConn.readable does not read ahead of a reader that has stopped", async (net) => {
  const [client, server] = await net.pair();
  const reader = server.readable.getReader();
  await client.write(new Uint8Array(10));
  await reader.read();
  const { takenBytes, waiting } = await fill(net, client);
  waiting.catch(() => {});
  assert(takenBytes < 64 << 20, `${takenBytes} bytes were taken of a connection nobody reads`);
});

netTest("TcpConn.writable closed ends this direction and leaves the other", async (net) => {
  const [client, server] = await net.pair();
  const reading = collect(client.readable);
  const writer = client.writable.getWriter();
  await writer.write(new Uint8Array([1, 2, 3]));
  await writer.close();
  assertSameBytes(await readToEnd(server), new Uint8Array([1, 2, 3]));
  await server.write(new Uint8Array([4]));
  await server.closeWrite();
  assertSameBytes(await reading, new Uint8Array([4]));
});

netTest(
  "TcpConn.writable closed leaves what has arrived, and the end behind it, for the reader",
  async (net) => {
    const [client, server] = await net.pair();
    const bytes = patternBytes(net.seed, 30_000);
    const reader = client.readable.getReader({ mode: "byob" });
    const first = reader.read(new Uint8Array(1));
    await server.write(bytes);
    await server.closeWrite();
    const parts = [(await first).value as Uint8Array];
    await net.sleep(5);
    await client.writable.close();
    await net.sleep(5);
    reader.releaseLock();
    parts.push(await collect(client.readable));
    assertSameBytes(Buffer.concat(parts), bytes);
  },
);

netTest("TcpConn is closed when both its streams have ended, in either order", async (net) => {
  for (const writableFirst of [true, false]) {
    const [client, server] = await net.pair();
    const reading = collect(server.readable);
    if (writableFirst) {
      await server.writable.close();
      await client.closeWrite();
      await reading;
    } else {
      await client.closeWrite();
      await reading;
      await server.writable.close();
    }
    await net.sleep(1);
    await assertRejects(
      () => server.read(new Uint8Array(1)),
      Deno.errors.BadResource,
      undefined,
      `writable first: ${writableFirst}`,
    );
  }
});

netTest(
  "TcpConn.writable aborted closes the connection, and what was written is not waited for",
  async (net) => {
    const [client, server] = await net.pair();
    const { waiting } = await fill(net, client);
    const rejected = assertRejects(() => waiting, Deno.errors.BadResource);
    const writer = client.writable.getWriter();
    const writing = assertRejects(() => writer.write(new Uint8Array(100)));
    const aborting = writer.abort(new Error("enough"));
    // The stream waits for its own write to settle first.
    client.close();
    await Promise.all([rejected, writing, aborting.catch(() => {})]);
    await readToEnd(server).catch(() => {});
  },
);

netTest("TcpConn.writable has a writer wait for a side that does not read", async (net) => {
  const [client, server] = await net.pair();
  const writer = client.writable.getWriter();
  let [written, stalled] = [0, false];
  const writing = (async () => {
    while (!stalled) {
      await writer.ready;
      await writer.write(new Uint8Array(65_536));
      written++;
    }
  })();
  const count = await net.settled(() => written);
  stalled = true;
  const reading = readToEnd(server);
  await writing;
  await writer.close();
  assertStrictEquals((await reading).byteLength, (count + 1) * 65_536);
});

netTest("TcpConn.writable fails when the other side is gone", async (net) => {
  const [client, server] = await net.pair();
  server.close();
  const writer = client.writable.getWriter();
  await assertRejects(() =>
    (async () => {
      for (;;) await writer.write(new Uint8Array(10_000));
    })()
  );
  await assertRejects(() => writer.closed);
});

netTest("TcpConn.readable goes through the transforms of the platform", async (net) => {
  const [client, server] = await net.pair();
  const text = "Hello wörld! ".repeat(20_000);
  const sending = new Blob([text]).stream()
    .pipeThrough(new CompressionStream("gzip"))
    .pipeTo(client.writable);
  const found = await new Response(server.readable.pipeThrough(new DecompressionStream("gzip"))).text();
  await sending;
  assertStrictEquals(found, text);
});
