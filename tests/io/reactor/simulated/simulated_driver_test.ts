import { assert, assertEquals, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type DriverSocket,
  Reactor,
  SimulatedDriver,
  type SimulatedFaultOptions,
  SimulatedNetwork,
} from "../../../../src/io/reactor/mod.ts";
import { sleep } from "../../../../src/base/timer/mod.ts";
import { registerDriverConformance } from "../../../support/driver_conformance.ts";
import { Accepted, conformanceTests, Harness, rejection } from "../../../support/driver_harness.ts";
import { patternBytes, testSeeds, withSeed } from "../../../support/driver_seed.ts";
import { simulatedUnderTest } from "../../../support/driver_simulated.ts";
import { withWatchdog } from "../../../support/watchdog.ts";

const WATCHDOG_MS = 60_000;
const LISTENING = { backlog: 8, reusePort: false, noDelay: true };
const LOOPBACK = { hostname: "127.0.0.1", port: 0 };
/** Something goes wrong all the time. */
const STORM: SimulatedFaultOptions = {
  shortReadProbability: 0.2,
  shortWriteProbability: 0.2,
  resetProbability: 0.01,
  refuseProbability: 0.1,
  acceptFailureProbability: 0.1,
  syncFailureProbability: 0.1,
  delayProbability: 0.05,
  datagramLossProbability: 0.1,
  datagramReorderProbability: 0.1,
};

registerDriverConformance(simulatedUnderTest());
// Everything late, and nothing else wrong: what the contract promises, it promises for slow machines too.
registerDriverConformance(
  simulatedUnderTest({ delayProbability: 0.2, delayMsMax: 5 }, "SimulatedDriver (late)", 3),
);

/** A run that uses everything, as a list of what happened and when. */
async function traceOf(seed: number, faults: SimulatedFaultOptions): Promise<string[]> {
  const harness = new Harness(simulatedUnderTest(faults), seed);
  const { driver, random } = harness;
  const trace: string[] = [];
  const note = (what: string) => trace.push(`${driver.clock.nowMs()} ${what}`);
  try {
    const listener = harness.listen();
    let open = true;
    const accepting = {
      onAccept: (socket: DriverSocket) => {
        note("accept");
        const server = harness.peer(socket).start();
        server.onPiece = (byteLength) => note(`server got ${byteLength}`);
      },
      onAcceptError: (error: Error) => {
        note(`accept failed: ${error.message}`);
        harness.reactor.timers.schedule(1, () => {
          if (open) listener.startAccepting(accepting);
        });
      },
    };
    listener.startAccepting(accepting);
    await Promise.all(Array.from({ length: 5 }, async (_, index) => {
      try {
        const client = (await harness.connect(listener.localAddress)).start();
        note(`client ${index} connected`);
        await client.send(patternBytes(index, random.below(100_000)));
        note(`client ${index} sent`);
        client.close();
      } catch (error) {
        note(`client ${index}: ${(error as Error).message}`);
      }
    }));
    const file = await driver.openFile("/test/file", { read: true, write: true, create: true });
    await Promise.all(Array.from({ length: 20 }, async (_, index) => {
      try {
        note(`wrote ${await file.writeAt(patternBytes(index, random.below(5000)), random.below(10_000))}`);
        await file.sync();
        note(`read ${await file.readAt(new Uint8Array(5000), random.below(10_000))}`);
      } catch (error) {
        note(`file: ${(error as Error).message}`);
      }
    }));
    await harness.sleep(200);
    open = false;
    listener.close();
    // Ports count up in one network, and say nothing about the run.
    return trace.map((line) => line.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1"));
  } finally {
    harness.close();
  }
}

function simulatedTest(name: string, body: (seed: number) => Promise<void>, count = 10): void {
  Deno.test(name, async () => {
    for (const seed of testSeeds(count)) {
      await withSeed(seed, () => withWatchdog(WATCHDOG_MS, () => body(seed)));
    }
  });
}

simulatedTest("SimulatedDriver replays a run from its seed, to the last event", async (seed) => {
  const first = await traceOf(seed, STORM);
  assert(first.length > 40);
  assertEquals(await traceOf(seed, STORM), first);
  const other = await traceOf((seed + 1) >>> 0, STORM);
  assertNotEquals(other, first);
}, 5);

simulatedTest(
  "SimulatedDriver in a storm of faults ends everything, and gives every buffer back",
  async (seed) => {
    const harness = new Harness(simulatedUnderTest(STORM), seed);
    const { driver } = harness;
    const listener = harness.listen();
    let open = true;
    const accepting = {
      onAccept: (socket: DriverSocket) => {
        harness.peer(socket).start();
      },
      onAcceptError: () => {
        harness.reactor.timers.schedule(1, () => {
          if (open) listener.startAccepting(accepting);
        });
      },
    };
    listener.startAccepting(accepting);
    const results = await Promise.allSettled(Array.from({ length: 30 }, async (_, index) => {
      const client = (await harness.connect(listener.localAddress)).start();
      await client.send(patternBytes(index, 50_000));
      client.socket.shutdownSend();
      const file = await driver.openFile(`/test/${index}`, { read: true, write: true, create: true });
      for (let at = 0; at < 20_000;) at += await file.writeAt(new Uint8Array(20_000 - at), at);
      await file.sync();
      await file.close();
    }));
    for (const result of results) {
      if (result.status === "rejected") {
        assertStrictEquals(
          typeof result.reason.code,
          "string",
          String(result.reason),
        );
      }
    }
    await harness.finish();
    open = false;
    listener.close();
    await harness.sleep(200);
    assertStrictEquals((driver as SimulatedDriver).inFlightCount, 0);
    harness.close();
  },
);

Deno.test("SimulatedDriver.description names the seed that replays the run", () => {
  using driver = new SimulatedDriver({ seed: 4711 });
  assertEquals([driver.name, driver.description, driver.seed], [
    "simulated",
    "simulated (seed 4711)",
    4711,
  ]);
  using other = new SimulatedDriver({ network: new SimulatedNetwork({ seed: 5 }) });
  assertStrictEquals(other.seed, 5);
});

Deno.test("SimulatedDriver.poll() moves virtual time to the next event, and no further than told", () => {
  using driver = new SimulatedDriver({ seed: 1 });
  driver.faults.inject("open", "delay");
  driver.faults.settings.delayMsMax = 1000;
  let opened = false;
  driver.openFile("/a", { write: true, create: true }).then(() => opened = true);
  assertStrictEquals(driver.poll(0), 0);
  assertStrictEquals(driver.clock.nowMs(), 0);
  assertStrictEquals(driver.poll(0.0001), 0);
  assertStrictEquals(driver.clock.nowMs(), 0.0001);
  while (driver.poll(10) === 0);
  const ms = driver.clock.nowMs();
  assert(ms > 0 && ms <= 1001);
  assertStrictEquals(driver.inFlightCount, 0);
  assertStrictEquals(driver.turnMs, ms);
  assertStrictEquals(driver.poll(50), 0);
  assertStrictEquals(driver.clock.nowMs(), ms + 50);
  assertStrictEquals(opened, false, "promises settle after the poll");
});

Deno.test("SimulatedDriver.poll() of a program that only looks lets time pass all the same", () => {
  using driver = new SimulatedDriver();
  driver.openFile("/a", { write: true, create: true });
  let polls = 0;
  while (driver.inFlightCount > 0 && polls < 100_000) {
    driver.poll(0);
    polls++;
  }
  assert(polls < 100_000);
});

simulatedTest("SimulatedDriver: two machines on one network talk, each on its own reactor", async (seed) => {
  const network = new SimulatedNetwork({ seed });
  network.addHost("server.example", ["192.0.2.1"]);
  const [here, there] = [new SimulatedDriver({ network }), new SimulatedDriver({ network })];
  using client = new Reactor(here);
  using server = new Reactor(there);
  const listener = there.listen({ hostname: "server.example", port: 7000 }, LISTENING);
  const accepted = new Accepted();
  listener.startAccepting(accepted);
  const socket = await here.connect({ hostname: "server.example", port: 7000 }, { noDelay: true });
  assertEquals(socket.remoteAddress, { hostname: "192.0.2.1", port: 7000 });
  let received = 0;
  const receiving = { onReceive() {}, onReceiveEnd() {}, onSent() {}, onSendFailed() {} };
  socket.attach(receiving);
  while (accepted.sockets.length === 0) await sleep(1, { timers: server.timers });
  const [other] = accepted.sockets;
  other.attach({ ...receiving, onReceive: (_bytes, byteLength) => received += byteLength });
  other.startReceiving();
  const buffer = here.buffers.acquire();
  assert(buffer !== undefined);
  socket.send(buffer, 10_000);
  while (received < 10_000) await sleep(1, { timers: client.timers });
  assertStrictEquals(here.clock, there.clock);
  assertStrictEquals(server.timers.nowMs(), client.timers.nowMs());
});

simulatedTest("SimulatedDriver: a machine's timers are not overrun by another that is busy", async (seed) => {
  const network = new SimulatedNetwork({ seed });
  using left = new Reactor(new SimulatedDriver({ network }));
  using right = new Reactor(new SimulatedDriver({ network }));
  const late: number[] = [];
  await Promise.all([left, right].map(async (reactor) => {
    for (let round = 0; round < 50; round++) {
      const dueMs = reactor.timers.nowMs() + 1 + round % 3;
      await sleep(1 + round % 3, { timers: reactor.timers });
      late.push(reactor.timers.nowMs() - dueMs);
    }
  }));
  // One tick of the timers, and what a poll that waits may take.
  assert(Math.max(...late) <= 2, `${Math.max(...late)} ms late`);
}, 3);

simulatedTest("SimulatedDriver spoils memory that a callback or a send must not keep", async (seed) => {
  const harness = new Harness(simulatedUnderTest(), seed);
  const [client, server] = await harness.pair();
  let kept: Uint8Array | undefined;
  const { onReceive } = server;
  server.onReceive = (bytes, byteLength) => {
    kept = bytes;
    onReceive.call(server, bytes, byteLength);
  };
  server.start();
  const buffer = harness.driver.buffers.acquire();
  assert(buffer !== undefined);
  buffer.bytes.set([1, 2, 3]);
  client.socket.send(buffer, 3);
  assertEquals(await server.receive(3), new Uint8Array([1, 2, 3]));
  assert(kept?.every((byte) => byte === 0xdb));
  await client.until(() => client.sentCount === 1);
  assertStrictEquals(buffer.bytes[0], 0xdb);
  await harness.finish();
  harness.close();
}, 3);

simulatedTest(
  "SimulatedDriver: what is cancelled completes later, once, and perhaps with its result",
  async (seed) => {
    let [cancelled, finished] = [0, 0];
    for (let round = 0; round < 50; round++) {
      const driver = new SimulatedDriver({ seed: (seed + round) >>> 0 });
      const controller = new AbortController();
      const opening = driver.openFile("/a", { write: true, create: true, signal: controller.signal });
      driver.poll(0.03);
      controller.abort(new Error("given up"));
      const outcome = rejection(opening);
      // The kernel has been asked; the operation is still under way.
      if (driver.inFlightCount === 1) assertStrictEquals(driver.poll(0), 0);
      while (driver.inFlightCount > 0) driver.poll(1);
      if (driver.fileSystem.list("/").length > 0) finished++;
      else cancelled++;
      await outcome.catch(() => {});
      driver.close();
    }
    assert(cancelled > 0 && finished > 0, `${cancelled} cancelled, ${finished} finished`);
  },
  2,
);

simulatedTest("SimulatedDriver.crash() completes nothing and resets the other sides", async (seed) => {
  const network = new SimulatedNetwork({ seed });
  const [client, server] = [new SimulatedDriver({ network }), new SimulatedDriver({ network })];
  using reactor = new Reactor(client);
  const serverReactor = new Reactor(server);
  const listener = server.listen(LOOPBACK, LISTENING);
  const accepted = new Accepted();
  listener.startAccepting(accepted);
  const socket = await client.connect(listener.localAddress, { noDelay: true });
  const { promise, resolve } = Promise.withResolvers<Error | undefined>();
  socket.attach({ onReceive() {}, onReceiveEnd: resolve, onSent() {}, onSendFailed() {} });
  socket.startReceiving();
  while (accepted.sockets.length === 0) await sleep(1, { timers: serverReactor.timers });
  const calls: string[] = [];
  accepted.sockets[0].attach({
    onReceive: () => calls.push("onReceive"),
    onReceiveEnd: () => calls.push("onReceiveEnd"),
    onSent: () => calls.push("onSent"),
    onSendFailed: () => calls.push("onSendFailed"),
  });
  accepted.sockets[0].startReceiving();
  let settled = false;
  const opening = server.openFile("/a", { write: true, create: true });
  opening.then(() => settled = true, () => settled = true);
  await Promise.resolve();
  server.crash();
  server.crash();
  assertStrictEquals((await promise as { code?: string } | undefined)?.code, "ECONNRESET");
  await sleep(50, { timers: reactor.timers });
  assertEquals([calls, settled, server.inFlightCount], [[], false, 0]);
  assertThrows(() => server.listen(LOOPBACK, LISTENING), Deno.errors.BadResource);
  serverReactor.close();
  // The machine after it, on the same network and files.
  using again = new SimulatedDriver({ network, fileSystem: server.fileSystem });
  again.listen(listener.localAddress, LISTENING).close();
}, 5);

conformanceTests(simulatedUnderTest())(
  "holds no more bytes on the way than the network takes",
  async (harness) => {
    const network = new SimulatedNetwork({ seed: harness.seed, capacityBytes: 1000, segmentBytesMax: 100 });
    using reactor = new Reactor(new SimulatedDriver({ network }));
    const { driver } = reactor;
    const listener = driver.listen(LOOPBACK, LISTENING);
    const accepted = new Accepted();
    listener.startAccepting(accepted);
    const socket = await driver.connect(listener.localAddress, { noDelay: true });
    let sent = 0;
    socket.attach({ onReceive() {}, onReceiveEnd() {}, onSent: () => sent++, onSendFailed() {} });
    const first = driver.buffers.acquire();
    const second = driver.buffers.acquire();
    assert(first !== undefined && second !== undefined);
    socket.send(first, 1000);
    while (sent < 1) await sleep(1, { timers: reactor.timers });
    socket.send(second, 1);
    await sleep(100, { timers: reactor.timers });
    assertStrictEquals(sent, 1, "the thousand and first byte has to wait");
    socket.close();
    listener.close();
  },
);
