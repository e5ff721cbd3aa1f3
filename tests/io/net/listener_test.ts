import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
  fail,
} from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { ACCEPT_QUEUE_MAX, connect, listen, type TcpConn } from "../../../src/io/net/mod.ts";
import { assertSystemError } from "../../support/driver_harness.ts";
import { netTest } from "../../support/net_harness.ts";

netTest("Listener.accept() passes connections in the order in which they came", async (net) => {
  const listener = net.listen();
  const clients: TcpConn[] = [];
  for (let index = 0; index < 20; index++) clients.push(await net.connect(listener.addr.port));
  for (const client of clients) {
    const server = net.own(await listener.accept());
    assertEquals(server.remoteAddr, client.localAddr);
  }
});

netTest("Listener.accept() called many times at once serves the calls in their order", async (net) => {
  const listener = net.listen();
  const order: number[] = [];
  const accepting = Array.from({ length: 10 }, (_, index) =>
    listener.accept().then((conn) => {
      net.own(conn);
      order.push(index);
    }));
  for (let index = 0; index < 10; index++) await net.connect(listener.addr.port);
  await Promise.all(accepting);
  assertEquals(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

netTest("Listener keeps in the backlog what nobody accepts, and loses none of it", async (net) => {
  const listener = net.listen();
  // Makes it accept without anybody who takes.
  await assertRejectsMatching(() => listener.accept({ timeoutMs: 1 }), { name: "TimeoutError" });
  const count = 3 * ACCEPT_QUEUE_MAX;
  const clients: TcpConn[] = [];
  for (let index = 0; index < count; index++) {
    const client = await net.connect(listener.addr.port);
    await client.write(new Uint8Array([index]));
    clients.push(client);
  }
  await net.sleep(10);
  const seen = new Set<number>();
  for (let index = 0; index < count; index++) {
    const server = net.own(await listener.accept());
    const into = new Uint8Array(4);
    assertStrictEquals(await server.read(into), 1);
    seen.add(into[0]);
  }
  assertStrictEquals(seen.size, count);
  await assertRejectsMatching(() => listener.accept({ timeoutMs: 1 }), { name: "TimeoutError" });
});

netTest("Listener.close() rejects every accept() that waits, and later ones", async (net) => {
  const listener = net.listen();
  const waiting = [listener.accept(), listener.accept()].map((accepting) =>
    assertRejects(() => accepting, Deno.errors.BadResource)
  );
  listener.close();
  listener.close();
  listener[Symbol.dispose]();
  await Promise.all(waiting);
  await assertRejects(() => listener.accept(), Deno.errors.BadResource);
  listener.ref();
  listener.unref();
});

netTest("Listener.close() closes connections that nobody has taken", async (net) => {
  const listener = net.listen();
  await assertRejectsMatching(() => listener.accept({ timeoutMs: 1 }), { name: "TimeoutError" });
  const client = await net.connect(listener.addr.port);
  await net.sleep(5);
  listener.close();
  const end = await client.read(new Uint8Array(1)).catch((error) => error);
  assert(end === null || end instanceof Deno.errors.ConnectionReset, `${end}`);
});

netTest("Listener as an iterable yields connections until it is closed", async (net) => {
  const listener = net.listen();
  const served: number[] = [];
  const serving = (async () => {
    for await (const conn of listener) served.push(net.own(conn).remoteAddr.port);
  })();
  const clients = [await net.connect(listener.addr.port), await net.connect(listener.addr.port)];
  await net.until(() => served.length === 2);
  listener.close();
  await serving;
  assertEquals(served, clients.map((client) => client.localAddr.port));
  for await (const _ of listener) fail("a closed listener yielded a connection");
});

netTest("Listener is closed by leaving its iteration, as Deno's is", async (net) => {
  for (const start of [() => net.listen(), () => Deno.listen({ port: 0, hostname: "127.0.0.1" })]) {
    const listener = start();
    const addr = listener.addr as Deno.NetAddr;
    await net.connect(addr.port);
    for await (const conn of listener) {
      net.own(conn);
      break;
    }
    await assertRejects(() => listener.accept(), Deno.errors.BadResource);
  }
});

netTest("listen() throws AddrInUse, with operation and code, on a port that is taken", (net) => {
  const listener = net.listen();
  assertThrowsMatching(() => net.listen({ port: listener.addr.port }), (error) => {
    assertSystemError(error, { type: Deno.errors.AddrInUse, operation: "bind", code: "EADDRINUSE" });
    assertMatch((error as Error).message, new RegExp(`127\\.0\\.0\\.1:${listener.addr.port}`));
    return true;
  });
});

netTest(
  "listen() takes the port of a listener that was closed, although its connections live",
  async (net) => {
    const first = net.listen();
    const client = await net.connect(first.addr.port);
    const server = net.own(await first.accept());
    first.close();
    await net.until(() => {
      try {
        net.listen({ port: first.addr.port });
        return true;
      } catch (error) {
        assert(error instanceof Deno.errors.AddrInUse, `${error}`);
        return false;
      }
    });
    await client.write(new Uint8Array([1]));
    assertStrictEquals(await server.read(new Uint8Array(2)), 1);
  },
);

netTest("listen() with backlog lets connections wait, and accepts them later", async (net) => {
  const listener = net.listen({ backlog: 1 });
  const controller = new AbortController();
  const attempts = Array.from(
    { length: 6 },
    () =>
      connect({ port: listener.addr.port, reactor: net.reactor, signal: controller.signal })
        .then((conn) => net.own(conn), () => undefined),
  );
  let connected = 0;
  for (const attempt of attempts) attempt.then((conn) => connected += conn === undefined ? 0 : 1);
  const before = await net.settled(() => connected);
  assert(before >= 1 && before < 6, `${before} of 6 connected to a backlog of 1`);
  for (let index = 0; index < before; index++) net.own(await listener.accept());
  controller.abort();
  await Promise.all(attempts);
});

netTest(
  "listen() with reusePort shares a port, and every connection finds one of the listeners",
  async (net) => {
    // Deno allows the option with --unstable-net only.
    if (net.driver === "deno" && !("listenDatagram" in Deno)) {
      assertThrows(() => net.listen({ reusePort: true }), Deno.errors.NotSupported);
      return;
    }
    const first = net.listen({ reusePort: true });
    const listeners = [first, net.listen({ reusePort: true, port: first.addr.port })];
    let served = 0;
    const serving = listeners.map(async (listener) => {
      for await (const conn of listener) {
        await conn.write(new Uint8Array([1]));
        conn.close();
        served++;
      }
    });
    const clients = await Promise.all(Array.from({ length: 40 }, () => net.connect(first.addr.port)));
    for (const client of clients) assertStrictEquals(await client.read(new Uint8Array(4)), 1);
    await net.until(() => served === 40);
    for (const listener of listeners) listener.close();
    await Promise.all(serving);
  },
);

netTest("listen() refuses what is no address", (net) => {
  for (const port of [-1, 65_536, 1.5, NaN]) {
    assertThrows(() => net.listen({ port }), TypeError, undefined, `port ${port}`);
  }
  assertThrows(() => net.listen({ hostname: "203.0.113.7" }), Deno.errors.AddrNotAvailable);
});

netTest("listen() on :: takes IPv6 and gives its address", async (net) => {
  const listener = net.own(listen({ port: 0, hostname: "::", reactor: net.reactor }));
  assertStrictEquals(listener.addr.hostname, "::");
  const client = await net.connect(listener.addr.port, { hostname: "::1" });
  const server = net.own(await listener.accept());
  assertStrictEquals(server.remoteAddr.hostname, "::1");
  assertStrictEquals(client.remoteAddr.port, listener.addr.port);
});
