import { assert, assertMatch, assertStrictEquals } from "@std/assert";
import { HttpResponse, serve } from "../../src/io/http/mod.ts";
import { assertSameBytes, netTest, readToEnd } from "../support/net_harness.ts";

const LARGE_BYTES = 8 << 20;
const FEW = { bufferCountMax: 4, bufferByteLength: 4096 };

/** Asks for `path` on a connection of its own, and reads nothing. */
async function ask(port: number, path: string): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ port });
  await conn.write(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`));
  return conn;
}

netTest("serve() answers every client, one after the other, with fewer buffers than clients", async (net) => {
  const server = serve({ port: 0, hostname: "127.0.0.1", reactor: net.reactor }, () => {
    return new HttpResponse(new Uint8Array(100_000).fill(7));
  });
  const conns = await Promise.all(Array.from({ length: 60 }, () => ask(server.addr.port, "/")));
  await Promise.all(conns.map(async (conn) => {
    const bytes = await readToEnd(conn);
    conn.close();
    assertSameBytes(bytes.subarray(-100_000), new Uint8Array(100_000).fill(7));
  }));
  await server.shutdown();
  assertStrictEquals(net.reactor.driver.buffers.heldCount, 0);
}, FEW);

netTest("serve() answers others when clients that read nothing have taken every buffer", async (net) => {
  const options = { port: 0, hostname: "127.0.0.1", reactor: net.reactor, writeTimeoutMs: 200 };
  const server = serve(options, (request) => {
    return request.pathname === "/large" ? new Response(endless()) : new HttpResponse("small");
  });
  const stuck = await Promise.all(Array.from({ length: 8 }, () => ask(server.addr.port, "/large")));
  await net.until(() => net.reactor.driver.buffers.exhausted);
  // What the stuck ones hold comes back when their time to take it is over.
  const conns = await Promise.all(Array.from({ length: 20 }, () => ask(server.addr.port, "/small")));
  for (const conn of conns) {
    assertMatch(new TextDecoder().decode(await readToEnd(conn)), /^HTTP\/1\.1 200 [^]*small$/);
    conn.close();
  }
  for (const conn of stuck) conn.close();
  await server.shutdown();
}, FEW);

netTest(
  "serve() answers others while a few clients that read nothing wait for room of their own",
  async (net) => {
    // Nobody's time is over in this test.
    const options = { port: 0, hostname: "127.0.0.1", reactor: net.reactor, writeTimeoutMs: 3_600_000 };
    const server = serve(options, (request) => {
      return request.pathname === "/large"
        ? new Response(endless())
        : new HttpResponse(new Uint8Array(50_000));
    });
    const stuck = await Promise.all(Array.from({ length: 10 }, () => ask(server.addr.port, "/large")));
    const { buffers } = net.reactor.driver;
    await net.settled(() => buffers.heldCount);
    assertStrictEquals(buffers.exhausted, false);
    const conns = await Promise.all(Array.from({ length: 50 }, () => ask(server.addr.port, "/small")));
    for (const conn of conns) {
      assert((await readToEnd(conn)).byteLength > 50_000);
      conn.close();
    }
    for (const conn of stuck) conn.close();
    server.stopNow();
    await server.finished;
  },
  { bufferCountMax: 80, bufferByteLength: 4096 },
);

netTest(
  "HttpServer.shutdown() ends when the streamed answer in flight has, and not only after its limit",
  async (net) => {
    const options = { port: 0, hostname: "127.0.0.1", reactor: net.reactor, shutdownTimeoutMs: 3_600_000 };
    const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
    const server = serve(options, () => new Response(readable));
    using conn = await Deno.connect({ port: server.addr.port });
    // With keep-alive: the answer's head promises nothing about the end.
    await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
    const writer = writable.getWriter();
    await writer.write(new Uint8Array([65]));
    assert(await conn.read(new Uint8Array(1000)));
    const stopped = server.shutdown();
    await writer.write(new Uint8Array([66]));
    await writer.close();
    assertMatch(new TextDecoder().decode(await readToEnd(conn)), /B\r\n0\r\n\r\n$/);
    await stopped;
  },
);

/** More than any connection takes while its client reads nothing. */
function endless(): ReadableStream<Uint8Array<ArrayBuffer>> {
  const piece = new Uint8Array(LARGE_BYTES / 64);
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(piece);
    },
  });
}
