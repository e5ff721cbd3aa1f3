import { assert, assertRejects, assertThrows, fail } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { serve } from "../../../src/io/http/mod.ts";
import { connect, listen, listenDatagram } from "../../../src/io/net/mod.ts";
import { fill, type Net, netTest } from "../../support/net_harness.ts";

const BAD_RESOURCE = Deno.errors.BadResource;

netTest("Reactor.close() rejects everything that waits with BadResource", async (net) => {
  const listener = net.listen();
  const unix = net.own(listen({ transport: "unix", path: net.path("socket"), reactor: net.reactor }));
  const datagrams = net.own(await listenDatagram({ port: 0, reactor: net.reactor }));
  const [client, server] = await net.pair();
  const [stuck] = await net.pair();
  const { waiting } = await fill(net, stuck);
  const { signal } = new AbortController();
  const calls = [
    listener.accept(),
    listener.accept({ timeoutMs: 3_600_000, signal }),
    unix.accept(),
    datagrams.receive(),
    client.read(new Uint8Array(8)),
    server.read(new Uint8Array(8), { timeoutMs: 3_600_000, signal }),
    waiting,
    stuck.write(new Uint8Array(100)),
    stuck.closeWrite(),
  ].map((call) => assertRejectsMatching(() => call, BAD_RESOURCE));
  net.reactor.close();
  await Promise.all(calls);
});

netTest("Reactor.close() rejects a connect() that waits", async (net) => {
  const listener = net.listen({ backlog: 1 });
  const outcomes = Array.from({ length: 8 }, () => {
    return net.connect(listener.addr.port).then(() => "connected", (error) => error);
  });
  await net.sleep(50);
  net.reactor.close();
  const found = await Promise.all(outcomes);
  assert(found.some((outcome) => outcome instanceof BAD_RESOURCE));
  for (const outcome of found) {
    assert(outcome === "connected" || outcome instanceof BAD_RESOURCE, `${outcome}`);
  }
});

/** Everything that can be asked for on a reactor that is closed. */
async function assertAllReject(net: Net): Promise<void> {
  const listener = net.listen();
  const datagrams = net.own(await listenDatagram({ port: 0, reactor: net.reactor }));
  const [client, server] = await net.pair();
  const address = datagrams.addr;
  const { readable, writable } = server;
  net.reactor.close();
  await assertRejectsMatching(() => client.read(new Uint8Array(1)), BAD_RESOURCE);
  await assertRejectsMatching(() => client.write(new Uint8Array(1)), BAD_RESOURCE);
  await assertRejectsMatching(() => client.closeWrite(), BAD_RESOURCE);
  await assertRejects(() => readable.getReader().read());
  await assertRejects(() => writable.getWriter().write(new Uint8Array(1)));
  await assertRejectsMatching(() => listener.accept(), BAD_RESOURCE);
  for await (const _ of listener) fail("a closed listener yielded a connection");
  await assertRejectsMatching(() => datagrams.receive(), BAD_RESOURCE);
  await assertRejectsMatching(() => datagrams.send(new Uint8Array(1), address), BAD_RESOURCE);
  const { reactor } = net;
  await assertRejects(() => connect({ port: listener.addr.port, reactor }));
  assertThrows(() => listen({ port: 0, reactor }));
  await assertRejects(() => listenDatagram({ port: 0, reactor }));
  for (const resource of [client, server, listener, datagrams]) {
    resource.close();
    if ("unref" in resource) {
      resource.unref();
      resource.ref();
    }
  }
}

netTest("Reactor.close() makes every later call reject, none throw, and none wait", assertAllReject);

netTest("Reactor.close() from within what it runs closes everything all the same", async (net) => {
  const [client, server] = await net.pair();
  const other = await net.pair();
  const waiting = assertRejectsMatching(() => other[0].read(new Uint8Array(1)), BAD_RESOURCE);
  const reading = client.read(new Uint8Array(1)).then(() => {
    net.reactor.close();
    return client.read(new Uint8Array(1));
  });
  await server.write(new Uint8Array(1));
  await assertRejectsMatching(() => reading, BAD_RESOURCE);
  await waiting;
});

netTest("Reactor.close() stops a server, with requests in flight and without", async (net) => {
  const handling = Promise.withResolvers<Response>();
  let asked = 0;
  const server = serve({ port: 0, hostname: "127.0.0.1", reactor: net.reactor }, () => {
    asked++;
    return handling.promise;
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const outcome = fetch(url).then(() => "answered", (error) => error);
  using idle = await Deno.connect({ port: server.addr.port });
  await net.until(() => asked === 1);
  net.reactor.close();
  await server.finished;
  assert(await outcome instanceof TypeError);
  const end = await idle.read(new Uint8Array(1)).catch((error) => error);
  assert(end === null || end instanceof Deno.errors.ConnectionReset, `${end}`);
  // An answer that comes too late does no harm.
  handling.resolve(new Response("late"));
  await server.shutdown();
  assertThrows(() => serve({ port: 0, reactor: net.reactor }, () => new Response()));
});
