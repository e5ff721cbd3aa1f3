import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import { assertSystemError, type ConformanceTest, type Harness } from "./driver_harness.ts";
import type { Peer } from "./driver_peer.ts";
import { patternBytes } from "./driver_seed.ts";

const SIZES = [1, 2, 1000, 16_384, 16_385, 65_537, 1 << 20];
const LARGE = 3 << 20;
/** More than any system keeps for one connection: who sends that much was never held up. */
const HELD_BYTES_MAX = 256 << 20;

/** Registers how bytes travel over a {@linkcode DriverSocket}. */
export function testStreams(test: ConformanceTest): void {
  for (const byteLength of [...SIZES, LARGE]) {
    test(`Socket carries ${byteLength} bytes both ways at once`, async (harness) => {
      const [client, server] = await harness.pair();
      await exchange(harness, client, server, byteLength);
    });
  }

  test("Socket carries bytes over a Unix socket", async (harness) => {
    const [client, server] = await harness.pair({ path: join(harness.directory, "stream") });
    await exchange(harness, client, server, 1 << 20);
  });

  test("Socket carries bytes on a hundred connections at once", async (harness) => {
    const listener = harness.listen();
    const pairs: [Peer, Peer][] = [];
    for (let index = 0; index < 100; index++) {
      const accepted = harness.accept(listener);
      pairs.push([await harness.connect(listener.localAddress), await accepted]);
    }
    await Promise.all(pairs.map(([client, server]) => exchange(harness, client, server, 20_000)));
    listener.close();
  });

  test("Socket.send() gives its buffer back before onSent()", async (harness) => {
    const [client, server] = await harness.pair();
    server.start();
    for (let round = 0; round < 10; round++) {
      await client.sendPiece(new Uint8Array([round]));
      assertStrictEquals(harness.driver.buffers.heldCount, 0);
    }
  });

  test("Socket.shutdownSend() ends one direction and leaves the other", async (harness) => {
    const [client, server] = await harness.pair();
    for (const [ending, other] of [[client, server], [server, client]]) {
      other.start();
      await ending.send(patternBytes(harness.seed, 100_000));
      ending.socket.shutdownSend();
      assertStrictEquals(await other.ended(), undefined);
      assertEquals(await other.receive(100_000), patternBytes(harness.seed, 100_000));
      if (ending === client) assertStrictEquals(client.end, undefined);
    }
  });

  test("Socket tells the end once", async (harness) => {
    const [client, server] = await harness.pair();
    server.start();
    client.socket.shutdownSend();
    assertStrictEquals(await server.ended(), undefined);
    for (let round = 0; round < 3; round++) {
      server.socket.stopReceiving();
      server.socket.startReceiving();
      await harness.sleep(1);
    }
    client.close();
    await harness.sleep(2);
    assertStrictEquals(server.endCount, 1);
  });

  test("Socket.close() of the other side is an end when everything was read", async (harness) => {
    const [client, server] = await harness.pair();
    server.start();
    await client.send(patternBytes(harness.seed, 1000));
    client.close();
    assertStrictEquals(await server.ended(), undefined);
    assertEquals(await server.receive(1000), patternBytes(harness.seed, 1000));
  });

  test("Socket.close() with data unread is an end or a reset for the other side", async (harness) => {
    const [client, server] = await harness.pair();
    await client.send(patternBytes(harness.seed, 10_000));
    await harness.sleep(5);
    client.start();
    server.close();
    const error = await client.ended();
    if (error !== undefined) {
      assertSystemError(error, {
        type: Deno.errors.ConnectionReset,
        operation: "receive",
        code: "ECONNRESET",
      });
    }
  });

  test("Socket.send() fails once the other side has closed", async (harness) => {
    const [client, server] = await harness.pair();
    server.close();
    const error = await sendUntilError(client);
    const { operation, code } = error as Error & { operation?: string; code?: string };
    assertStrictEquals(operation, "send");
    assert(code === "EPIPE" || code === "ECONNRESET", `code is ${code}`);
    assert(error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset);
    assertStrictEquals(harness.driver.buffers.heldCount, 0);
  });

  test("Socket.send() to one that never reads fails when that one closes", async (harness) => {
    const [client, server] = await harness.pair();
    client.start();
    const failing = sendUntilError(client);
    await harness.sleep(20);
    server.close();
    await failing;
    await client.ended();
  });

  test("Socket.setNoDelay() and setKeepAlive() take both values", async (harness) => {
    const [client, server] = await harness.pair();
    for (const on of [true, false, true]) {
      client.socket.setNoDelay(on);
      client.socket.setKeepAlive(on);
    }
    await exchange(harness, client, server, 1000);
  });
}

/** Registers stopping, starting and closing of a {@linkcode DriverSocket}. */
export function testFlow(test: ConformanceTest): void {
  test("Socket.startReceiving() never calls back from inside", async (harness) => {
    const [client, server] = await harness.pair();
    await client.send(patternBytes(harness.seed, 50_000));
    client.socket.shutdownSend();
    while (server.end === undefined) {
      const before = [server.receivedBytes, server.endCount];
      server.start();
      assertEquals([server.receivedBytes, server.endCount], before);
      await harness.sleep(harness.random.below(2));
      server.socket.stopReceiving();
      await harness.sleep(harness.random.below(2));
    }
    assertEquals(await server.receive(50_000), patternBytes(harness.seed, 50_000));
  });

  test("Socket.stopReceiving() delivers nothing until the next start, then all in order", async (harness) => {
    const [client, server] = await harness.pair();
    const expected = patternBytes(harness.seed, 300_000);
    const sending = client.send(expected);
    while (server.receivedBytes < expected.byteLength) {
      const before = server.receivedBytes;
      if (harness.random.below(2) === 0) await harness.sleep(harness.random.below(2));
      assertStrictEquals(server.receivedBytes, before);
      server.start();
      await harness.sleep(harness.random.below(2));
      server.socket.stopReceiving();
    }
    await sending;
    assertEquals(await server.receive(expected.byteLength), expected);
  });

  test("Socket.stopReceiving() inside onReceive() holds the next piece back", async (harness) => {
    const [client, server] = await harness.pair();
    const expected = patternBytes(harness.seed, 200_000);
    const sending = client.send(expected);
    let pieces = 0;
    server.onPiece = () => {
      pieces++;
      server.socket.stopReceiving();
    };
    while (server.receivedBytes < expected.byteLength) {
      const before = pieces;
      server.start();
      await server.until(() => pieces > before);
      await harness.sleep(harness.random.below(2));
      assertStrictEquals(pieces, before + 1);
    }
    await sending;
    assertEquals(await server.receive(expected.byteLength), expected);
  });

  test("Socket.stopReceiving() holds back the end, too", async (harness) => {
    const [client, server] = await harness.pair();
    server.start();
    server.socket.stopReceiving();
    client.close();
    await harness.sleep(5);
    assertStrictEquals(server.end, undefined);
    assertStrictEquals(await server.start().ended(), undefined);
  });

  test("Socket that nobody reads stops the sender, at one buffer held", async (harness) => {
    const [client, server] = await harness.pair();
    const { buffers } = harness.driver;
    const chunk = new Uint8Array(buffers.bufferByteLength);
    let [sent, stalled] = [0, false];
    const sending = (async () => {
      while (!stalled && sent < HELD_BYTES_MAX) sent += await client.sendPiece(chunk);
    })();
    for (let before = -1; sent !== before;) {
      before = sent;
      await harness.sleep(50);
    }
    assert(sent < HELD_BYTES_MAX, "the sender was never held up");
    assertStrictEquals(buffers.heldCount, 1);
    assertStrictEquals(server.receivedBytes, 0);
    stalled = true;
    server.start();
    await sending;
    await server.until(() => server.receivedBytes === sent);
    assertStrictEquals(buffers.heldCount, 0);
  });

  test("Socket.close() is the last call the owner hears of", async (harness) => {
    for (let round = 0; round < 8; round++) {
      const [client, server] = await harness.pair();
      client.start();
      server.start();
      const sending = Promise.allSettled([
        client.send(patternBytes(round, 200_000)),
        server.send(patternBytes(round, 200_000)),
      ]);
      const closeAt = harness.random.below(200_000);
      server.onPiece = () => {
        if (server.receivedBytes >= closeAt && !server.closed) server.close();
      };
      await server.until(() => server.closed);
      await harness.sleep(harness.random.below(3));
      client.close();
      await sending;
    }
    await harness.sleep(2);
  });

  test("Socket.close() ends what is under way and frees its buffers", async (harness) => {
    const [client, server] = await harness.pair();
    client.start();
    // Fills the connection until a send cannot complete.
    const chunk = new Uint8Array(harness.driver.buffers.bufferByteLength);
    (async () => {
      while (!client.closed && client.sentCount * chunk.byteLength < HELD_BYTES_MAX) {
        await client.sendPiece(chunk);
      }
    })().catch(() => {});
    for (let before = -1; client.sentCount !== before;) {
      before = client.sentCount;
      await harness.sleep(50);
    }
    assertStrictEquals(harness.driver.buffers.heldCount, 1);
    client.close();
    await harness.until(() => harness.driver.buffers.heldCount === 0);
    server.start();
    await server.ended();
  });

  test("Socket.close() twice does nothing, and a closed socket does not receive", async (harness) => {
    const [client, server] = await harness.pair();
    client.close();
    client.close();
    client.socket.startReceiving();
    client.socket.stopReceiving();
    client.socket.setReferenced(false);
    assertStrictEquals(await server.start().ended(), undefined);
  });
}

/** Both sides send and check what the other sent. */
async function exchange(harness: Harness, client: Peer, server: Peer, byteLength: number): Promise<void> {
  const [upwards, downwards] = [harness.seed + 1, harness.seed + 2];
  const [sentUp, sentDown] = [patternBytes(upwards, byteLength), patternBytes(downwards, byteLength)];
  client.start();
  server.start();
  const [down, up] = await Promise.all([
    client.receive(byteLength),
    server.receive(byteLength),
    client.send(sentUp),
    server.send(sentDown),
  ]);
  assert(equal(up, sentUp), "what the server received differs from what the client sent");
  assert(equal(down, sentDown), "what the client received differs from what the server sent");
}

/** `assertEquals` of megabytes takes seconds. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index]);
}

async function sendUntilError(peer: Peer): Promise<unknown> {
  for (;;) {
    try {
      await peer.sendPiece(new Uint8Array(16_384));
    } catch (error) {
      return error;
    }
  }
}
