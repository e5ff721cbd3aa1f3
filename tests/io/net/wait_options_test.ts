import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals, fail } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { connect, type TcpConn } from "../../../src/io/net/mod.ts";
import { CountedAbort } from "../../base/timer/support.ts";
import { patternBytes } from "../../support/driver_seed.ts";
import {
  assertSameBytes,
  fill,
  type Net,
  netTest,
  readPieces,
  readToEnd,
} from "../../support/net_harness.ts";

/** One call that waits, with what it needs. */
interface Waiting {
  readonly name: string;
  start(net: Net): Promise<(options: { signal?: AbortSignal; timeoutMs?: number }) => Promise<unknown>>;
}

const WAITING: readonly Waiting[] = [
  {
    name: "TcpConn.read()",
    async start(net) {
      const [, server] = await net.pair();
      return (options) => server.read(new Uint8Array(8), options);
    },
  },
  {
    name: "TcpConn.write()",
    async start(net) {
      const [client] = await net.pair();
      const { waiting } = await fill(net, client);
      waiting.catch(() => {});
      return (options) => client.write(new Uint8Array(100_000), options);
    },
  },
  {
    name: "TcpConn.closeWrite()",
    async start(net) {
      const [client] = await net.pair();
      const { waiting } = await fill(net, client);
      waiting.catch(() => {});
      client.closeWrite().catch(() => {});
      return (options) => client.closeWrite(options);
    },
  },
  {
    name: "Listener.accept()",
    start(net) {
      const listener = net.listen();
      return Promise.resolve((options) => listener.accept(options));
    },
  },
  {
    name: "connect()",
    async start(net) {
      const listener = await fullListener(net);
      return (options) => connect({ ...options, port: listener.addr.port, reactor: net.reactor });
    },
  },
];

/** A listener whose backlog is full, so that connecting to it waits. */
async function fullListener(net: Net): Promise<Deno.Listener<Deno.Conn, Deno.NetAddr>> {
  const listener = net.listen({ backlog: 1 });
  for (;;) {
    try {
      await net.connect(listener.addr.port, { timeoutMs: 100 });
    } catch (error) {
      assertStrictEquals((error as Error).name, "TimeoutError", `${error}`);
      return listener;
    }
  }
}

for (const { name, start } of WAITING) {
  netTest(`${name} rejects with the reason of its signal`, async (net) => {
    const call = await start(net);
    for (const reason of [new Error("given up"), "a string", undefined]) {
      const abort = new CountedAbort();
      const outcome = call({ signal: abort.signal }).then(() => "resolved", (error) => ({ error }));
      assert(abort.listenerCount > 0);
      await net.sleep(2);
      abort.abort(reason);
      assertEquals(await outcome, { error: abort.signal.reason });
      assertStrictEquals(abort.listenerCount, 0);
    }
  });

  netTest(`${name} rejects with the reason of a signal that is aborted already`, async (net) => {
    const call = await start(net);
    const abort = new CountedAbort();
    abort.abort(new Error("given up before"));
    await assertRejectsMatching(() => call({ signal: abort.signal }), { message: "given up before" });
    assertStrictEquals(abort.listenerCount, 0);
  });

  netTest(`${name} rejects with a TimeoutError after timeoutMs, not before`, async (net) => {
    const call = await start(net);
    const abort = new CountedAbort();
    const fromMs = performance.now();
    await assertRejectsMatching(() => call({ timeoutMs: 20, signal: abort.signal }), (error) => {
      assert(error instanceof DOMException, `${error}`);
      assertStrictEquals(error.name, "TimeoutError");
      assertMatch(error.message, /^(read|write|closeWrite|accept|connect): .*20 ms/);
      return true;
    });
    assert(performance.now() - fromMs >= 19);
    assertStrictEquals(abort.listenerCount, 0);
    abort.abort();
  });

  netTest(`${name} with a timeoutMs that is none rejects, and leaves nothing behind`, async (net) => {
    const call = await start(net);
    for (const timeoutMs of [-1, NaN, Infinity]) {
      const abort = new CountedAbort();
      let outcome: unknown;
      try {
        outcome = call({ timeoutMs, signal: abort.signal });
      } catch (error) {
        fail(`threw instead of rejecting: ${error}`);
      }
      await assertRejects(() => outcome as Promise<unknown>, RangeError);
      assertStrictEquals(abort.listenerCount, 0, `timeoutMs ${timeoutMs}`);
    }
    // It has not taken the place of a call that waits.
    await assertRejectsMatching(() => call({ timeoutMs: 5 }), { name: "TimeoutError" });
  });
}

netTest("TcpConn.read() that was given up loses nothing", async (net) => {
  const [client, server] = await net.pair();
  const bytes = patternBytes(net.seed, 400_000);
  const parts: Uint8Array[] = [];
  let [at, sent, givenUp] = [0, 0, 0];
  while (at < bytes.byteLength) {
    const into = new Uint8Array(1 + net.random.below(3000));
    const controller = new AbortController();
    const reading = server.read(
      into,
      net.random.below(2) === 0 ? { signal: controller.signal } : {
        timeoutMs: net.random.below(2),
      },
    );
    reading.catch(() => {});
    if (sent < bytes.byteLength && sent - at < 3000 && net.random.below(3) > 0) {
      const piece = bytes.subarray(sent, sent + 1 + net.random.below(10_000));
      sent += piece.byteLength;
      const writing = client.write(piece);
      if (net.random.below(2) === 0) await writing;
    }
    if (net.random.below(2) === 0) await net.sleep(0);
    controller.abort();
    try {
      const count = await reading;
      assert(count !== null && count > 0);
      parts.push(into.subarray(0, count));
      at += count;
    } catch (error) {
      assert(error instanceof DOMException, `${error}`);
      givenUp++;
    }
  }
  assert(givenUp > 0);
  const found = new Uint8Array(at);
  for (let offset = 0; parts.length > 0;) {
    const part = parts.shift() as Uint8Array;
    found.set(part, offset);
    offset += part.byteLength;
  }
  assertSameBytes(found, bytes);
});

netTest("Listener.accept() that was given up loses no connection", async (net) => {
  const listener = net.listen();
  const ports = new Set<number>();
  const clients: TcpConn[] = [];
  let [accepted, givenUp] = [0, 0];
  const count = 150;
  while (accepted < count) {
    const controller = new AbortController();
    const options = net.random.below(2) === 0
      ? { signal: controller.signal }
      : { timeoutMs: net.random.below(2) };
    const accepting = listener.accept(options);
    accepting.catch(() => {});
    if (clients.length < count && net.random.below(3) > 0) {
      clients.push(await net.connect(listener.addr.port));
    } else if (net.random.below(2) === 0) await net.sleep(net.random.below(2));
    controller.abort();
    try {
      const conn = net.own(await accepting);
      ports.add(conn.remoteAddr.port);
      accepted++;
    } catch (error) {
      assert(error instanceof DOMException, `${error}`);
      givenUp++;
    }
  }
  assert(givenUp > 0);
  assertEquals([...ports].sort(), clients.map((client) => client.localAddr.port).sort());
});

netTest("TcpConn.write() that was given up before its turn sends none of it", async (net) => {
  const [client, server] = await net.pair();
  const { takenBytes, waiting } = await fill(net, client);
  const controller = new AbortController();
  // Behind more than the queue takes, so none of it is copied yet.
  const large = client.write(new Uint8Array(1 << 20));
  const given = client.write(new Uint8Array(50_000).fill(1), { signal: controller.signal });
  const after = client.write(new Uint8Array(1000).fill(2));
  controller.abort();
  await assertRejectsMatching(() => given, { name: "AbortError" });
  const reading = readToEnd(server);
  assertEquals(await Promise.all([waiting, large, after]), [65_536, 1 << 20, 1000]);
  await client.closeWrite();
  const bytes = await reading;
  assertStrictEquals(bytes.byteLength, takenBytes + 65_536 + (1 << 20) + 1000);
  assert(!bytes.includes(1), "bytes of a write that was given up arrived");
});

netTest("TcpConn.write() that was given up halfway does not hold up those after it", async (net) => {
  const [client, server] = await net.pair();
  const { waiting } = await fill(net, client);
  waiting.catch(() => {});
  await assertRejectsMatching(() => client.write(new Uint8Array(1 << 20), { timeoutMs: 5 }), {
    name: "TimeoutError",
  });
  const after = client.write(new Uint8Array(1000));
  const reading = readToEnd(server);
  assertStrictEquals(await after, 1000);
  await client.closeWrite();
  await reading;
});

netTest("TcpConn.closeWrite() goes on although the last write was given up", async (net) => {
  const [client, server] = await net.pair();
  const { takenBytes } = await fill(net, client);
  const controller = new AbortController();
  const last = client.write(new Uint8Array(1000), { signal: controller.signal });
  const ending = client.closeWrite();
  controller.abort();
  await assertRejectsMatching(() => last, { name: "AbortError" });
  const bytes = await readToEnd(server);
  await ending;
  assert(bytes.byteLength >= takenBytes + 65_536);
});

netTest("TcpConn.closeWrite() after a write that was given up waits for what is on its way", async (net) => {
  const [client, server] = await net.pair();
  const { takenBytes, waiting } = await fill(net, client);
  waiting.catch(() => {});
  const controller = new AbortController();
  const written = client.write(new Uint8Array(1000), { signal: controller.signal });
  controller.abort();
  await assertRejectsMatching(() => written, { name: "AbortError" });
  const ending = client.closeWrite();
  const bytes = await readToEnd(server);
  await ending;
  assert(bytes.byteLength >= takenBytes + 65_536);
});

netTest("TcpConn.read() with a deadline that was met leaves no timer", async (net) => {
  const [client, server] = await net.pair();
  const abort = new CountedAbort();
  const { signal } = abort;
  for (let round = 0; round < 10; round++) {
    const into = new Uint8Array(4);
    const reading = server.read(into, { signal, timeoutMs: 3_600_000 });
    assertStrictEquals(await client.write(new Uint8Array([round]), { signal, timeoutMs: 3_600_000 }), 1);
    assertStrictEquals(await reading, 1);
  }
  assertStrictEquals(abort.listenerCount, 0);
  abort.abort();
  await client.write(new Uint8Array([1]));
  assertEquals(await readPieces(server, 1, net.random), new Uint8Array([1]));
});
