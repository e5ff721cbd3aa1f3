import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type DriverFile,
  Reactor,
  SimulatedDriver,
  type SimulatedFaultOptions,
  SimulatedFaults,
} from "../../../../src/io/reactor/mod.ts";
import { Accepted, Harness, rejection } from "../../../support/driver_harness.ts";
import { testSeeds, withSeed } from "../../../support/driver_seed.ts";
import { simulatedUnderTest } from "../../../support/driver_simulated.ts";
import { withWatchdog } from "../../../support/watchdog.ts";

const WATCHDOG_MS = 30_000;

function faultTest(name: string, body: (harness: Harness, driver: SimulatedDriver) => Promise<void>): void {
  Deno.test(name, async () => {
    for (const seed of testSeeds(10)) {
      await withSeed(seed, () =>
        withWatchdog(WATCHDOG_MS, async () => {
          const harness = new Harness(simulatedUnderTest(), seed);
          try {
            await body(harness, harness.driver as SimulatedDriver);
          } finally {
            harness.close();
          }
        }));
    }
  });
}

function openFile(driver: SimulatedDriver): Promise<DriverFile> {
  return driver.openFile("/test/file", { read: true, write: true, create: true });
}

Deno.test("SimulatedFaults refuses what is no probability, no error and no count", () => {
  for (const value of [-0.1, 1.1, NaN]) {
    assertThrows(() => new SimulatedFaults({ resetProbability: value }), RangeError);
  }
  const faults = new SimulatedFaults();
  assertThrows(() => faults.inject("read", "ENOTANERROR"), TypeError);
  for (const count of [0, -1, 1.5, NaN]) assertThrows(() => faults.inject("read", "EIO", count), RangeError);
});

faultTest(
  "SimulatedFaults.inject() hits the next operations of its kind, in order, and no others",
  async (_, driver) => {
    const file = await openFile(driver);
    await file.writeAt(new Uint8Array(100), 0);
    driver.faults.inject("read", "EIO", 2);
    driver.faults.inject("read", "EAGAIN");
    assertStrictEquals(await file.writeAt(new Uint8Array(100), 0), 100);
    const codes: unknown[] = [];
    for (let round = 0; round < 4; round++) {
      const outcome = await file.readAt(new Uint8Array(100), 0).catch((error) => error.code);
      codes.push(outcome);
    }
    assertEquals(codes, ["EIO", "EIO", "EAGAIN", 100]);
  },
);

faultTest("SimulatedFaults.clearInjected() withdraws what has not happened", async (_, driver) => {
  const file = await openFile(driver);
  driver.faults.inject("fsync", "EIO", Infinity);
  assertStrictEquals((await rejection(file.sync()) as { code: string }).code, "EIO");
  driver.faults.clearInjected();
  await file.sync();
});

faultTest(
  'SimulatedFaults "short" makes reads and writes take less, but never nothing',
  async (_, driver) => {
    const file = await openFile(driver);
    driver.faults.inject("write", "short", 20);
    for (let round = 0; round < 20; round++) {
      const count = await file.writeAt(new Uint8Array(50), 0);
      assert(count >= 1 && count < 50, `wrote ${count}`);
    }
    await file.writeAt(new Uint8Array(50), 0);
    driver.faults.inject("read", "short", 20);
    for (let round = 0; round < 20; round++) {
      const count = await file.readAt(new Uint8Array(50), 0);
      assert(count >= 1 && count < 50, `read ${count}`);
    }
    driver.faults.inject("write", "short");
    assertStrictEquals(await file.writeAt(new Uint8Array(1), 0), 1);
  },
);

faultTest('SimulatedFaults "never" keeps an operation until it is cancelled', async (harness, driver) => {
  const file = await openFile(driver);
  driver.faults.inject("read", "never");
  const controller = new AbortController();
  let settled = false;
  const reading = file.readAt(new Uint8Array(1), 0, { signal: controller.signal });
  reading.then(() => settled = true, () => settled = true);
  await harness.sleep(10_000);
  assertEquals([settled, driver.inFlightCount], [false, 1]);
  controller.abort(new Error("given up"));
  await rejection(reading);
  await harness.until(() => driver.inFlightCount === 0);
});

faultTest('SimulatedFaults "delay" makes an operation late, within its bound', async (_, driver) => {
  driver.faults.settings.delayMsMax = 1000;
  const file = await openFile(driver);
  let longestMs = 0;
  for (let round = 0; round < 30; round++) {
    driver.faults.inject("fsync", "delay");
    const startMs = driver.clock.nowMs();
    await file.sync();
    longestMs = Math.max(longestMs, driver.clock.nowMs() - startMs);
  }
  assert(longestMs > 200 && longestMs < 1010, `${longestMs} ms`);
});

faultTest(
  "SimulatedFaults.settings.enospcAfterBytes lets so many bytes in, the last write being short",
  async (_, driver) => {
    const file = await openFile(driver);
    driver.faults.settings.enospcAfterBytes = 130;
    assertStrictEquals(await file.writeAt(new Uint8Array(100), 0), 100);
    assertStrictEquals(await file.writeAt(new Uint8Array(100), 100), 30);
    const error = await rejection(file.writeAt(new Uint8Array(1), 130)) as Error & { code: string };
    assertEquals([error.code, error.constructor], ["ENOSPC", Error]);
    driver.faults.settings.enospcAfterBytes = Infinity;
    assertStrictEquals(await file.writeAt(new Uint8Array(1), 130), 1);
  },
);

faultTest("SimulatedFaults ECONNRESET ends a connection for both sides", async (harness, driver) => {
  const [client, server] = await harness.pair();
  server.start();
  driver.faults.inject("send", "ECONNRESET");
  const error = await rejection(client.sendPiece(new Uint8Array(10)));
  assert(error instanceof Deno.errors.ConnectionReset);
  assert(await server.ended() instanceof Deno.errors.ConnectionReset);
  const later = await rejection(server.sendPiece(new Uint8Array(10)));
  assert(later instanceof Deno.errors.BrokenPipe);
});

faultTest(
  "SimulatedFaults ECONNREFUSED hits a connect although somebody listens",
  async (harness, driver) => {
    const listener = harness.listen();
    driver.faults.inject("connect", "ECONNREFUSED");
    assert(
      await rejection(harness.connect(listener.localAddress)) instanceof Deno.errors.ConnectionRefused,
    );
    await harness.connect(listener.localAddress);
  },
);

faultTest(
  "SimulatedFaults EMFILE stops accepting and leaves the connection for the next start",
  async (harness, driver) => {
    const listener = harness.listen();
    const accepted = new Accepted();
    driver.faults.inject("accept", "EMFILE");
    listener.startAccepting(accepted);
    const client = await harness.connect(listener.localAddress);
    await harness.until(() => accepted.errors.length === 1);
    assertEquals(accepted.errors.map((error) => (error as { code?: string }).code), ["EMFILE"]);
    assertStrictEquals(accepted.sockets.length, 0);
    await harness.sleep(10);
    listener.startAccepting(accepted);
    await harness.until(() => accepted.sockets.length === 1);
    assertEquals(accepted.sockets[0].remoteAddress, client.socket.localAddress);
  },
);

faultTest(
  "SimulatedFaults of datagrams lose some and turn the order of some round",
  async (harness, driver) => {
    const bind = () => driver.bindDatagram({ hostname: "127.0.0.1", port: 0 }, { reusePort: false });
    const [left, right] = [await bind(), await bind()];
    const received: number[] = [];
    right.startReceiving({ onDatagram: (bytes) => received.push(bytes[0]), onDatagramError: () => {} });
    driver.faults.settings.datagramLossProbability = 0.2;
    driver.faults.settings.datagramReorderProbability = 0.2;
    for (let index = 0; index < 200; index++) await left.send(new Uint8Array([index]), right.localAddress);
    await harness.sleep(300);
    assert(received.length > 100 && received.length < 200, `${received.length} of 200 arrived`);
    assert(
      received.some((number, index) => index > 0 && number < received[index - 1]),
      "none was overtaken",
    );
    assertStrictEquals(new Set(received).size, received.length);
  },
);

Deno.test("SimulatedFaults come as often as their probability says", async () => {
  for (const probability of [0, 1]) {
    const faults: SimulatedFaultOptions = {
      shortReadProbability: probability,
      syncFailureProbability: probability,
    };
    const driver = new SimulatedDriver({ faults });
    using _reactor = new Reactor(driver);
    const file = await driver.openFile("/file", { read: true, write: true, create: true });
    await file.writeAt(new Uint8Array(100), 0);
    for (let round = 0; round < 20; round++) {
      assertStrictEquals(await file.readAt(new Uint8Array(100), 0) < 100, probability === 1);
      assertStrictEquals(await file.sync().then(() => false, () => true), probability === 1);
    }
  }
});
