import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { connect, listen, type UnixConn, type UnixListener } from "../../../src/io/net/mod.ts";
import { assertSystemError, rejection } from "../../support/driver_harness.ts";
import { patternBytes } from "../../support/driver_seed.ts";
import {
  assertSameBytes,
  type Net,
  netTest,
  readPieces,
  readToEnd,
  writePieces,
} from "../../support/net_harness.ts";

/** Longest path that fits into the address of a Unix socket on Linux, in bytes. */
const PATH_BYTES_MAX = 107;

function listenUnix(net: Net, path: string): UnixListener {
  return net.own(listen({ transport: "unix", path, reactor: net.reactor }));
}

async function connectUnix(net: Net, path: string): Promise<UnixConn> {
  return net.own(await connect({ transport: "unix", path, reactor: net.reactor }));
}

netTest("UnixConn carries megabytes both ways at once", async (net) => {
  const path = net.path("socket");
  const listener = listenUnix(net, path);
  const client = await connectUnix(net, path);
  const server = net.own(await listener.accept());
  const [up, down] = [patternBytes(net.seed, 2 << 20), patternBytes(net.seed + 1, 2 << 20)];
  const [, , atServer, atClient] = await Promise.all([
    writePieces(client, up, net.random),
    writePieces(server, down, net.random),
    readPieces(server, up.byteLength, net.random),
    readPieces(client, down.byteLength, net.random),
  ]);
  assertSameBytes(atServer, up);
  assertSameBytes(atClient, down);
});

netTest("UnixConn half closes both ways", async (net) => {
  const path = net.path("socket");
  const listener = listenUnix(net, path);
  const client = await connectUnix(net, path);
  const server = net.own(await listener.accept());
  for (const [ending, other] of [[client, server], [server, client]]) {
    const writing = ending.write(new Uint8Array(300_000));
    const [bytes] = await Promise.all([readToEnd(other), writing, ending.closeWrite()]);
    assertStrictEquals(bytes.byteLength, 300_000);
  }
});

netTest("UnixConn and UnixListener know their path", async (net) => {
  const path = net.path("socket");
  const listener = listenUnix(net, path);
  assertEquals(listener.addr, { transport: "unix", path });
  const client = await connectUnix(net, path);
  const server = net.own(await listener.accept());
  assertEquals(client.remoteAddr, { transport: "unix", path });
  assertEquals(server.localAddr, { transport: "unix", path });
  for (const unnamed of [client.localAddr, server.remoteAddr]) assertStrictEquals(unnamed.transport, "unix");
});

netTest("UnixListener understands Deno's own client", async (net) => {
  const path = net.path("socket");
  const listener = listenUnix(net, path);
  const client = net.own(await Deno.connect({ transport: "unix", path }));
  const server = net.own(await listener.accept());
  await client.write(new Uint8Array([1, 2, 3]));
  const into = new Uint8Array(8);
  assertStrictEquals(await server.read(into), 3);
  await server.write(into.subarray(0, 3));
  assertStrictEquals(await client.read(into), 3);
});

netTest("listen() throws AddrInUse for a path that is taken, also by a file or a dead socket", (net) => {
  const taken = net.path("taken");
  listenUnix(net, taken);
  const file = net.path("file");
  Deno.writeTextFileSync(file, "");
  for (const path of [taken, file]) {
    assertThrowsMatching(() => listenUnix(net, path), (error) => {
      assertSystemError(error, { type: Deno.errors.AddrInUse, operation: "bind", code: "EADDRINUSE" });
      assert((error as Error).message.includes(path));
      return true;
    });
  }
});

netTest("listen() and connect() take the longest path there is, and refuse a longer one", async (net) => {
  const directory = net.path("");
  const longest = directory + "x".repeat(PATH_BYTES_MAX - directory.length);
  const listener = listenUnix(net, longest);
  assertStrictEquals(listener.addr.path, longest);
  const client = await connectUnix(net, longest);
  assertStrictEquals(client.remoteAddr.path, longest);
  for (const path of [`${longest}x`, "", "/tmp/a\0b"]) {
    assertThrows(() => listenUnix(net, path), TypeError, undefined, path);
    await assertRejects(() => connectUnix(net, path), TypeError, undefined, path);
  }
});

netTest("connect() to a path with nothing there rejects with NotFound", async (net) => {
  const path = net.path("missing");
  assertSystemError(await rejection(connectUnix(net, path)), {
    type: Deno.errors.NotFound,
    operation: "connect",
    code: "ENOENT",
  });
});

netTest("connect() to a socket nobody listens on any more rejects with ConnectionRefused", async (net) => {
  const path = net.path("dead");
  // A file of the kind, and no listener.
  const child = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--no-lock",
      `Deno.listen({ transport: "unix", path: ${JSON.stringify(path)} }); Deno.kill(Deno.pid, "SIGKILL");`,
    ],
    stdout: "null",
    stderr: "null",
  }).output();
  assertStrictEquals(child.success, false);
  assert((await Deno.stat(path)).isSocket);
  assertSystemError(await rejection(connectUnix(net, path)), {
    type: Deno.errors.ConnectionRefused,
    operation: "connect",
    code: "ECONNREFUSED",
  });
});

netTest("listen() in a directory that does not exist throws NotFound", (net) => {
  assertThrowsMatching(() => listenUnix(net, net.path("missing/socket")), (error) => {
    assertSystemError(error, { type: Deno.errors.NotFound, operation: "bind", code: "ENOENT" });
    return true;
  });
});

netTest("UnixListener.close() rejects what waits", async (net) => {
  const listener = listenUnix(net, net.path("socket"));
  const waiting = assertRejects(() => listener.accept(), Deno.errors.BadResource);
  listener.close();
  await waiting;
});
