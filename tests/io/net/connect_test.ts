import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { connect, listen, listenDatagram } from "../../../src/io/net/mod.ts";
import { Reactor } from "../../../src/io/reactor/mod.ts";
import { assertSystemError, rejection } from "../../support/driver_harness.ts";
import { FakeSocket } from "../../support/net_fakes.ts";
import { netTest, readToEnd } from "../../support/net_harness.ts";

netTest("connect() and listen() take `localhost`", async (net) => {
  const listener = net.listen({ hostname: "localhost" });
  const client = await net.connect(listener.addr.port, { hostname: "localhost" });
  const server = net.own(await listener.accept());
  await client.write(new Uint8Array([1]));
  assertStrictEquals(await server.read(new Uint8Array(4)), 1);
});

netTest("connect() to `localhost` finds the one of its addresses that listens", async (net) => {
  const listener = net.listen({ hostname: "127.0.0.1" });
  const client = await net.connect(listener.addr.port, { hostname: "localhost" });
  assertStrictEquals(client.remoteAddr.hostname, "127.0.0.1");
});

netTest("connect() without a host name goes to 127.0.0.1", async (net) => {
  const listener = net.own(listen({ port: 0, reactor: net.reactor }));
  assertStrictEquals(listener.addr.hostname, "0.0.0.0");
  const client = await net.connect(listener.addr.port);
  assertEquals(client.remoteAddr, { ...listener.addr, hostname: "127.0.0.1" });
});

netTest("connect() works over IPv6", async (net) => {
  const listener = net.listen({ hostname: "::1" });
  assertStrictEquals(listener.addr.hostname, "::1");
  const client = await net.connect(listener.addr.port, { hostname: "::1" });
  const server = net.own(await listener.accept());
  assertEquals(client.localAddr, server.remoteAddr);
  assertStrictEquals(client.localAddr.hostname, "::1");
});

netTest("connect() rejects with ConnectionRefused where nobody listens", async (net) => {
  const listener = net.listen();
  const { port } = listener.addr;
  listener.close();
  await net.sleep(2);
  assertSystemError(await rejection(net.connect(port)), {
    type: Deno.errors.ConnectionRefused,
    operation: "connect",
    code: "ECONNREFUSED",
  });
});

netTest("connect() to `localhost` rejects with ConnectionRefused where nobody listens", async (net) => {
  const listener = net.listen();
  const { port } = listener.addr;
  listener.close();
  await net.sleep(2);
  const error = await rejection(net.connect(port, { hostname: "localhost" }));
  assert(error instanceof Deno.errors.ConnectionRefused, `${error}`);
  assertMatch(error.message, new RegExp(`:${port}`), "the message names the address");
});

netTest("connect(), listen() and listenDatagram() say NotFound for a host nobody knows", async (net) => {
  const { reactor } = net;
  const hostname = "no-such-host.invalid";
  const failures = [
    await rejection(net.connect(9, { hostname })),
    await rejection(Promise.resolve().then(() => listen({ hostname, port: 0, reactor }))),
    await rejection(listenDatagram({ hostname, port: 0, reactor })),
  ];
  for (const error of failures) {
    assert(error instanceof Deno.errors.NotFound, `${error}`);
    assert(error.message.includes(hostname), error.message);
    const { operation, code } = error as Error & { operation?: string; code?: string };
    assertStrictEquals(operation, "resolve");
    assertMatch(code ?? "", /^(ENOTFOUND|EAI_[A-Z]+)$/);
  }
});

netTest("connect() rejects for a port that is none", async (net) => {
  for (const port of [-1, 65_536, 1.5, NaN]) {
    await assertRejects(() => net.connect(port), TypeError, undefined, `port ${port}`);
  }
});

netTest("connect() that was given up leaves no connection", async (net) => {
  const listener = net.listen();
  let [openCount, acceptedCount, givenUpCount] = [0, 0, 0];
  (async () => {
    for await (const conn of listener) {
      net.own(conn);
      acceptedCount++;
      openCount++;
      readToEnd(conn).catch(() => {}).finally(() => openCount--);
    }
  })();
  for (let round = 0; round < 300; round++) {
    const controller = new AbortController();
    const connecting = connect({
      port: listener.addr.port,
      reactor: net.reactor,
      signal: controller.signal,
      timeoutMs: net.random.below(4),
    });
    connecting.catch(() => {});
    if (net.random.below(2) === 0) await net.sleep(net.random.below(2));
    controller.abort();
    await connecting.then((conn) => conn.close(), () => givenUpCount++);
  }
  assert(givenUpCount > 0);
  await net.settled(() => acceptedCount);
  await net.until(() => openCount === 0);
});

Deno.test("connect() given up between the driver's answer and its own closes the connection", async () => {
  for (let turns = 0; turns < 6; turns++) {
    using reactor = Reactor.open({ driver: "deno" });
    const socket = new FakeSocket();
    const { promise, resolve } = Promise.withResolvers<FakeSocket>();
    reactor.driver.connect = () => promise;
    const controller = new AbortController();
    const connecting = connect({ port: 9, reactor, signal: controller.signal }).then(
      (conn) => conn,
      () => undefined,
    );
    resolve(socket);
    for (let turn = 0; turn < turns; turn++) await null;
    controller.abort();
    const conn = await connecting;
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertStrictEquals(socket.closed, conn === undefined, `after ${turns} turns`);
  }
});

netTest("listen(), connect() and listenDatagram() take Deno's own names of transports", async (net) => {
  const listener = net.own(
    listen({ transport: "tcp", port: 0, hostname: "127.0.0.1", reactor: net.reactor }),
  );
  const { port } = listener.addr;
  const conn = net.own(
    await connect({ transport: "tcp", port, hostname: "127.0.0.1", reactor: net.reactor }),
  );
  assertStrictEquals(conn.remoteAddr.port, port);
  net.own(await listener.accept());
  const datagrams = net.own(await listenDatagram({ transport: "udp", port: 0, reactor: net.reactor }));
  assertStrictEquals(datagrams.addr.transport, "udp");
});
