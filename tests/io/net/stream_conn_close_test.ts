import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { assertGone, fill, netTest, readToEnd } from "../../support/net_harness.ts";

const BAD_RESOURCE = Deno.errors.BadResource;

netTest("TcpConn.close() rejects the read that waits with BadResource", async (net) => {
  const [, server] = await net.pair();
  const reading = assertRejectsMatching(() => server.read(new Uint8Array(8)), BAD_RESOURCE);
  server.close();
  await reading;
});

netTest("TcpConn.close() rejects every write that waits, and its buffers come back", async (net) => {
  const [client] = await net.pair();
  const { waiting } = await fill(net, client);
  const later = client.write(new Uint8Array(100));
  const rejected = [
    assertRejectsMatching(() => waiting, BAD_RESOURCE),
    assertRejectsMatching(() => later, BAD_RESOURCE),
  ];
  assert(net.reactor.driver.buffers.heldCount > 0);
  client.close();
  await Promise.all(rejected);
  await net.until(() => net.reactor.driver.buffers.heldCount === 0);
});

netTest("TcpConn.close() rejects the closeWrite() that waits", async (net) => {
  const [client] = await net.pair();
  const { waiting } = await fill(net, client);
  const rejected = [
    assertRejectsMatching(() => client.closeWrite(), BAD_RESOURCE),
    assertRejectsMatching(() => waiting, BAD_RESOURCE),
  ];
  client.close();
  await Promise.all(rejected);
});

netTest("TcpConn.close() twice does nothing, and every call afterwards rejects", async (net) => {
  const [client, server] = await net.pair();
  client.close();
  client.close();
  client[Symbol.dispose]();
  await assertRejectsMatching(() => client.read(new Uint8Array(1)), BAD_RESOURCE);
  await assertRejectsMatching(() => client.write(new Uint8Array(1)), BAD_RESOURCE);
  await assertRejectsMatching(() => client.closeWrite(), BAD_RESOURCE);
  client.ref();
  client.unref();
  assertStrictEquals(await server.read(new Uint8Array(1)), null);
});

netTest("TcpConn.close() right after a write has resolved loses nothing", async (net) => {
  for (let round = 0; round < 20; round++) {
    const [client, server] = await net.pair();
    const byteLength = 1 + net.random.below(200_000);
    const reading = readToEnd(server);
    assertStrictEquals(await client.write(new Uint8Array(byteLength)), byteLength);
    client.close();
    assertStrictEquals((await reading).byteLength, byteLength);
    server.close();
  }
});

netTest("TcpConn is closed at the end of its `using` block", async (net) => {
  const [client, server] = await net.pair();
  {
    using owned = client;
    await owned.write(new Uint8Array([1]));
  }
  assertStrictEquals((await readToEnd(server)).byteLength, 1);
  await assertRejectsMatching(() => client.read(new Uint8Array(1)), BAD_RESOURCE);
});

netTest("TcpConn.remoteAddr and localAddr stay known after close() once they were asked for", async (net) => {
  const [client, server] = await net.pair();
  const before = [client.localAddr, client.remoteAddr, server.localAddr, server.remoteAddr];
  client.close();
  server.close();
  assertEquals([client.localAddr, client.remoteAddr, server.localAddr, server.remoteAddr], before);
});

netTest("TcpConn.close() of one connection leaves the others", async (net) => {
  const pairs = [await net.pair(), await net.pair(), await net.pair()];
  const readings = pairs.map(([, server]) => server.read(new Uint8Array(4)).catch((error) => error));
  pairs[1][1].close();
  assert(await readings[1] instanceof BAD_RESOURCE);
  for (const index of [0, 2]) {
    await pairs[index][0].write(new Uint8Array(3));
    assertStrictEquals(await readings[index], 3);
  }
});

netTest("TcpConn.close() while the other side sends ends its writes", async (net) => {
  const [client, server] = await net.pair();
  const { waiting } = await fill(net, client);
  const rejected = assertRejectsMatching(() => waiting, (error) => {
    assertGone(error, "send");
    return true;
  });
  server.close();
  await rejected;
});
