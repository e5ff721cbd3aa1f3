import { assert, assertEquals, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "./assertions.ts";
import { join } from "node:path";
import type { DriverListener, DriverSocket } from "../../src/io/reactor/mod.ts";
import { CountedAbort } from "../base/timer/support.ts";
import {
  Accepted,
  assertSystemError,
  type ConformanceTest,
  type Harness,
  rejection,
} from "./driver_harness.ts";

const LOOPBACK = { hostname: "127.0.0.1", port: 0 };

/** Registers what {@linkcode Driver.listen} and {@linkcode DriverListener} promise. */
export function testListening(test: ConformanceTest): void {
  test(".listen() takes a free port for port 0", (harness) => {
    const [first, second] = [harness.listen(), harness.listen()];
    for (const { localAddress } of [first, second]) {
      assert("port" in localAddress && localAddress.hostname === "127.0.0.1" && localAddress.port > 0);
    }
    assertNotEquals(first.localAddress, second.localAddress);
    first.close();
    second.close();
  });

  test(".listen() fails with AddrInUse on a port that is taken", (harness) => {
    const listener = harness.listen();
    let error: unknown;
    try {
      harness.listen(listener.localAddress);
    } catch (thrown) {
      error = thrown;
    }
    assertSystemError(error, { type: Deno.errors.AddrInUse, operation: "bind", code: "EADDRINUSE" });
    listener.close();
  });

  test(".listen() takes the port again after close()", async (harness) => {
    const listener = harness.listen();
    const { localAddress } = listener;
    listener.close();
    // Closing may take until the next turns of the loop.
    for (;;) {
      try {
        harness.listen(localAddress).close();
        break;
      } catch (error) {
        assertSystemError(error, { type: Deno.errors.AddrInUse, operation: "bind", code: "EADDRINUSE" });
        await harness.sleep(1);
      }
    }
  });

  test(".listen() fails with AddrNotAvailable for an address of another machine", (harness) => {
    // Of the block for documentation (RFC 5737), so nobody has it.
    const listen = () => harness.listen({ hostname: "203.0.113.7", port: 0 });
    assertThrowsMatching(listen, (error) => {
      assertSystemError(error, {
        type: Deno.errors.AddrNotAvailable,
        operation: "bind",
        code: "EADDRNOTAVAIL",
      });
      return true;
    });
  });

  test(".listen() throws for what is no address", (harness) => {
    assertThrows(() => harness.listen({ hostname: "127.0.0.1", port: 65_536 }));
    assertThrows(() => harness.listen({ hostname: "127.0.0.1", port: -1 }));
    assertThrows(() => harness.listen({ hostname: "no such host", port: 0 }));
    assertThrows(() => harness.listen({ path: "" }));
    assertThrows(() => harness.listen({ path: `/${"x".repeat(200)}` }));
  });

  test(".listen() with reusePort shares a port", async (harness) => {
    const first = shared(harness);
    // Named in the error, where a driver cannot.
    if (first === undefined) return;
    const second = harness.listen(first.localAddress, { reusePort: true });
    const accepted = new Accepted();
    first.startAccepting(accepted);
    second.startAccepting(accepted);
    for (let index = 0; index < 8; index++) await harness.connect(first.localAddress);
    await harness.until(() => accepted.sockets.length === 8);
    closeAll(accepted.sockets);
    first.close();
    second.close();
  });

  test("Listener.startAccepting() passes connections with both their addresses", async (harness) => {
    const listener = harness.listen();
    const accepting = harness.accept(listener);
    const client = await harness.connect(listener.localAddress);
    const server = await accepting;
    assertEquals(server.socket.localAddress, listener.localAddress);
    assertEquals(client.socket.remoteAddress, listener.localAddress);
    assertEquals(server.socket.remoteAddress, client.socket.localAddress);
    listener.close();
  });

  test("Listener.startAccepting() never calls back from inside", async (harness) => {
    const listener = harness.listen();
    const clients = [
      await harness.connect(listener.localAddress),
      await harness.connect(listener.localAddress),
    ];
    const accepted = new Accepted();
    for (let round = 0; round < 20; round++) {
      const before = accepted.sockets.length;
      listener.startAccepting(accepted);
      assertStrictEquals(accepted.sockets.length, before);
      if (round % 3 === 0) await harness.sleep(0);
      listener.stopAccepting();
    }
    listener.startAccepting(accepted);
    await harness.until(() => accepted.sockets.length === clients.length);
    closeAll(accepted.sockets);
    listener.close();
  });

  test("Listener.stopAccepting() keeps for the next start what came meanwhile", async (harness) => {
    const listener = harness.listen();
    const first = new Accepted();
    listener.startAccepting(first);
    await harness.connect(listener.localAddress);
    await harness.until(() => first.sockets.length === 1);
    listener.stopAccepting();
    const count = 1 + harness.random.below(10);
    for (let index = 0; index < count; index++) await harness.connect(listener.localAddress);
    await harness.sleep(5);
    assertStrictEquals(first.sockets.length, 1);
    const second = new Accepted();
    listener.startAccepting(second);
    await harness.until(() => second.sockets.length === count);
    assertStrictEquals(first.sockets.length, 1);
    assertEquals([...first.errors, ...second.errors], []);
    closeAll([...first.sockets, ...second.sockets]);
    listener.close();
  });

  test("Listener.startAccepting() right after stopAccepting() goes on", async (harness) => {
    const listener = harness.listen();
    const accepted = new Accepted();
    listener.startAccepting(accepted);
    for (let index = 0; index < 10; index++) {
      listener.stopAccepting();
      listener.startAccepting(accepted);
      await harness.connect(listener.localAddress);
    }
    await harness.until(() => accepted.sockets.length === 10);
    assertEquals(accepted.errors, []);
    closeAll(accepted.sockets);
    listener.close();
  });

  test("Listener.close() inside onAccept() leaves that connection open", async (harness) => {
    const listener = harness.listen();
    const { promise, resolve } = Promise.withResolvers<DriverSocket>();
    listener.startAccepting({
      onAccept(socket) {
        listener.close();
        resolve(socket);
      },
      onAcceptError: () => {},
    });
    const client = await harness.connect(listener.localAddress);
    const server = harness.peer(await promise);
    await server.send(new Uint8Array([1, 2, 3]));
    assertEquals(await client.start().receive(3), new Uint8Array([1, 2, 3]));
  });

  test("Listener.close() closes connections that were not passed on", async (harness) => {
    const listener = harness.listen();
    const accepted = new Accepted();
    listener.startAccepting(accepted);
    listener.stopAccepting();
    const client = await harness.connect(listener.localAddress);
    await harness.sleep(2);
    listener.close();
    const error = await client.start().ended();
    if (error !== undefined) assertSystemError(error, RESET_BY_PEER);
    assertEquals(accepted, new Accepted());
  });

  test("Listener.close() refuses later connections, and may be called twice", async (harness) => {
    const listener = harness.listen();
    listener.startAccepting(new Accepted());
    listener.close();
    listener.close();
    await harness.sleep(2);
    const error = await rejection(harness.connect(listener.localAddress));
    assertSystemError(error, CONNECTION_REFUSED);
    assertThrowsMatching(() => listener.startAccepting(new Accepted()), { name: "InvariantError" });
  });

  test(".listen() works on IPv6", async (harness) => {
    const [client, server] = await harness.pair({ hostname: "::1", port: 0 });
    const { localAddress, remoteAddress } = server.socket;
    assert("hostname" in localAddress && localAddress.hostname === "::1");
    assert("hostname" in remoteAddress && remoteAddress.hostname === "::1");
    await client.send(new Uint8Array([6]));
    assertEquals(await server.start().receive(1), new Uint8Array([6]));
  });

  test(".listen() works on a name", async (harness) => {
    const listener = harness.listen({ hostname: "localhost", port: 0 });
    const accepting = harness.accept(listener);
    await harness.connect(listener.localAddress);
    await accepting;
    listener.close();
  });

  test(".listen() works on a Unix socket, whose clients have no name", async (harness) => {
    const path = join(harness.directory, "socket");
    const [client, server] = await harness.pair({ path });
    assertEquals(server.socket.localAddress, { path });
    assertEquals(server.socket.remoteAddress, { path: "" });
    assertEquals(client.socket.remoteAddress, { path });
    await server.send(new Uint8Array([7]));
    assertEquals(await client.start().receive(1), new Uint8Array([7]));
  });
}

const RESET_BY_PEER = { type: Deno.errors.ConnectionReset, operation: "receive", code: "ECONNRESET" };
const CONNECTION_REFUSED = {
  type: Deno.errors.ConnectionRefused,
  operation: "connect",
  code: "ECONNREFUSED",
};

/** Registers what {@linkcode Driver.connect} promises. */
export function testConnecting(test: ConformanceTest): void {
  test(".connect() fails with ConnectionRefused where nobody listens", async (harness) => {
    const listener = harness.listen();
    const { localAddress } = listener;
    listener.close();
    await harness.sleep(2);
    assertSystemError(await rejection(harness.connect(localAddress)), CONNECTION_REFUSED);
  });

  test(".connect() fails with NotFound for a name that does not exist", async (harness) => {
    const error = await rejection(harness.connect({ hostname: "host.invalid", port: 1 }));
    assert(error instanceof Deno.errors.NotFound, String(error));
    const { operation, code } = error as Error & { operation?: unknown; code?: unknown };
    assertStrictEquals(operation, "resolve");
    assertStrictEquals(typeof code, "string");
  });

  test(".connect() fails with NotFound for a Unix socket that does not exist", async (harness) => {
    const error = await rejection(harness.connect({ path: join(harness.directory, "missing") }));
    assertSystemError(error, { type: Deno.errors.NotFound, operation: "connect", code: "ENOENT" });
  });

  test(".connect() rejects what is no address", async (harness) => {
    await rejection(harness.connect({ hostname: "127.0.0.1", port: 65_536 }));
    await rejection(harness.connect({ path: "" }));
    assertStrictEquals(harness.driver.buffers.heldCount, 0);
  });

  test(".connect() rejects with the reason of a signal that is aborted already", async (harness) => {
    const listener = harness.listen();
    const abort = new CountedAbort();
    const reason = new Error("given up");
    abort.abort(reason);
    assertStrictEquals(await rejection(harness.connect(listener.localAddress, abort.signal)), reason);
    assertStrictEquals(abort.listenerCount, 0);
    listener.close();
  });

  test(".connect() rejects with the signal's reason while it waits", async (harness) => {
    // A full backlog lets no more connections in, and says nothing.
    const listener = harness.listen(LOOPBACK, { backlog: 1 });
    const abort = new CountedAbort();
    const attempts = Array.from({ length: 8 }, () => harness.connect(listener.localAddress, abort.signal));
    await harness.sleep(20);
    const reason = new Error("given up");
    abort.abort(reason);
    const results = await Promise.allSettled(attempts);
    const rejected = results.filter((result) => result.status === "rejected");
    assert(rejected.length > 0);
    for (const { reason: found } of rejected) assertStrictEquals(found, reason);
    await harness.until(() => abort.listenerCount === 0);
    await harness.until(() => harness.driver.buffers.heldCount === 0);
    listener.close();
  });

  test(".connect() that was aborted leaves no connection open", async (harness) => {
    const listener = harness.listen();
    const accepted = new Accepted();
    listener.startAccepting(accepted);
    for (let round = 0; round < 10; round++) {
      const controller = new AbortController();
      const connecting = harness.connect(listener.localAddress, controller.signal);
      if (harness.random.below(2) === 0) await harness.sleep(0);
      controller.abort(new Error("given up"));
      await connecting.then((peer) => peer.close(), () => {});
    }
    await harness.sleep(5);
    for (const socket of accepted.sockets) await harness.peer(socket).start().ended();
    listener.close();
  });

  test(".connect() leaves no listener on its signal", async (harness) => {
    const listener = harness.listen();
    listener.startAccepting(new Accepted());
    const abort = new CountedAbort();
    await harness.connect(listener.localAddress, abort.signal);
    assertStrictEquals(abort.listenerCount, 0);
    listener.close();
  });
}

function shared(harness: Harness): DriverListener | undefined {
  try {
    return harness.listen(LOOPBACK, { reusePort: true });
  } catch (error) {
    assert(error instanceof Deno.errors.NotSupported && /reusePort/.test(error.message), String(error));
    return undefined;
  }
}

function closeAll(sockets: readonly DriverSocket[]): void {
  for (const socket of sockets) socket.close();
}
