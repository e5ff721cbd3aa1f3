import { assertEquals, assertStrictEquals } from "@std/assert";
import { DenoDriver } from "../../../src/io/reactor/mod.ts";
import { RelayedListener } from "../../../src/io/reactor/relayed_listener.ts";
import {
  Accepted,
  conformanceTests,
  type Harness,
  temporaryDirectory,
} from "../../support/driver_harness.ts";
import type { Peer } from "../../support/driver_peer.ts";

const test = conformanceTests({
  title: "RelayedListener",
  runCount: 1,
  open: () => ({ driver: new DenoDriver(), ...temporaryDirectory() }),
});
const ADDRESS = { hostname: "192.0.2.1", port: 80 };
const PREFACE = '{"hostname":"203.0.113.5","port":1234}\n';
const TAKEN = "\x06";

function listen(harness: Harness): { listener: RelayedListener; path: string } {
  const path = `${harness.directory}/relay`;
  const listener = new RelayedListener(harness.listen({ path }), harness.driver.buffers, ADDRESS);
  return { listener, path };
}

async function offer(
  path: string,
  text = PREFACE,
): Promise<{ conn: Deno.UnixConn; read(): Promise<string> }> {
  const conn = await Deno.connect({ transport: "unix", path });
  await conn.write(new TextEncoder().encode(text));
  return {
    conn,
    async read() {
      const buffer = new Uint8Array(1024);
      const count = await conn.read(buffer);
      return count === null ? "" : new TextDecoder().decode(buffer.subarray(0, count));
    },
  };
}

async function take(harness: Harness, accepted: Accepted): Promise<Peer> {
  await harness.until(() => accepted.sockets.length === 1);
  return harness.peer(accepted.sockets[0]);
}

test("takes a connection with a byte, and knows where it comes from", async (harness) => {
  const { listener, path } = listen(harness);
  const accepted = new Accepted();
  listener.startAccepting(accepted);
  const { conn, read } = await offer(path);
  assertStrictEquals(await read(), TAKEN);
  const server = await take(harness, accepted);
  assertEquals(server.socket.localAddress, ADDRESS);
  assertEquals(server.socket.remoteAddress, { hostname: "203.0.113.5", port: 1234 });
  await conn.write(new TextEncoder().encode("ping"));
  assertStrictEquals(new TextDecoder().decode(await server.start().receive(4)), "ping");
  await server.send(new TextEncoder().encode("pong"));
  assertStrictEquals(await read(), "pong");
  conn.close();
  listener.close();
});

test("takes no connection that it does not pass on: one that is stopped leaves them to others", async (harness) => {
  const { listener, path } = listen(harness);
  const accepted = new Accepted();
  listener.startAccepting(accepted);
  const first = await offer(path);
  assertStrictEquals(await first.read(), TAKEN);
  await harness.until(() => accepted.sockets.length === 1);
  listener.stopAccepting();
  const second = await offer(path);
  await harness.sleep(20);
  listener.close();
  // Neither taken nor answered: whoever offers it knows that nothing of it was read.
  assertStrictEquals(await second.read().catch(() => ""), "");
  assertStrictEquals(accepted.sockets.length, 1);
  accepted.sockets[0].close();
  first.conn.close();
  second.conn.close();
});

test("goes on with those that were offered while it was stopped", async (harness) => {
  const { listener, path } = listen(harness);
  const accepted = new Accepted();
  listener.startAccepting(accepted);
  listener.stopAccepting();
  const offered = await offer(path);
  await harness.sleep(20);
  assertStrictEquals(accepted.sockets.length, 0);
  listener.startAccepting(accepted);
  assertStrictEquals(await offered.read(), TAKEN);
  await harness.until(() => accepted.sockets.length === 1);
  accepted.sockets[0].close();
  offered.conn.close();
  listener.close();
});

test("closes what begins with anything else", async (harness) => {
  const { listener, path } = listen(harness);
  const accepted = new Accepted();
  listener.startAccepting(accepted);
  for (const text of ["GET / HTTP/1.1\r\n", "null\n", "x".repeat(1000), ""]) {
    const offered = await offer(path, text);
    if (text === "") await offered.conn.closeWrite();
    assertStrictEquals(await offered.read().catch(() => ""), "", JSON.stringify(text));
    offered.conn.close();
  }
  assertStrictEquals(accepted.sockets.length, 0);
  listener.close();
});
