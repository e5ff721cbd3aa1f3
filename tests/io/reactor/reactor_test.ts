import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { ManualClock } from "../../../src/base/mod.ts";
import {
  DenoDriver,
  type Driver,
  type DriverSocket,
  type IdleStrategy,
  Reactor,
  SimulatedDriver,
  UringDriver,
} from "../../../src/io/reactor/mod.ts";
import { sleep } from "../../../src/base/timer/mod.ts";
import { nameSkipReason } from "../../support/driver_native.ts";
import { Peer } from "../../support/driver_peer.ts";
import { uringSkipReason } from "../../support/driver_uring.ts";
import { withWatchdog } from "../../support/watchdog.ts";

const WATCHDOG_MS = 60_000;
const IDLE: readonly IdleStrategy[] = ["cooperate", "block", "spin"];
const HOUR_MS = 3_600_000;
const uringSkip = uringSkipReason();

nameSkipReason("Reactor on io_uring", uringSkip);

function reactorTest(name: string, body: () => Promise<void> | void, ignore = false): void {
  Deno.test({ name, ignore, fn: () => withWatchdog(WATCHDOG_MS, body) });
}

/** A test of each way to wait, on io_uring. */
function idleTest(name: string, body: (idle: IdleStrategy) => Promise<void>): void {
  for (const idle of IDLE) {
    reactorTest(`Reactor (uring, ${idle}) ${name}`, () => body(idle), uringSkip !== undefined);
  }
}

/** Two sockets of one reactor that are connected. */
async function connect(reactor: Reactor): Promise<[Peer, Peer]> {
  const { driver } = reactor;
  const options = { backlog: 8, reusePort: false, noDelay: true };
  const listener = driver.listen({ hostname: "127.0.0.1", port: 0 }, options);
  const { promise, resolve, reject } = Promise.withResolvers<DriverSocket>();
  listener.startAccepting({ onAccept: resolve, onAcceptError: reject });
  const client = await driver.connect(listener.localAddress, { noDelay: true });
  const server = await promise;
  listener.close();
  return [new Peer(client, driver.buffers), new Peer(server, driver.buffers)];
}

/** Keeps `count` pairs of sockets sending bytes to and fro until told to stop; counts the rounds. */
function saturate(pairs: readonly [Peer, Peer][]): { rounds: number; stop: () => Promise<void> } {
  const load = { rounds: 0, stop: () => Promise.resolve() };
  let stopped = false;
  const ends = pairs.map(async ([client, server]) => {
    client.start();
    server.start();
    while (!stopped) {
      await client.sendPiece(new Uint8Array(100));
      await server.receive(100);
      await server.sendPiece(new Uint8Array(100));
      await client.receive(100);
      load.rounds++;
    }
  });
  load.stop = async () => {
    stopped = true;
    await Promise.all(ends);
  };
  return load;
}

idleTest("lets promises, timers, signals and fetch progress under load", async (idle) => {
  using reactor = Reactor.open({ driver: "uring", idle });
  const pairs: [Peer, Peer][] = [];
  for (let index = 0; index < 16; index++) pairs.push(await connect(reactor));
  const load = saturate(pairs);
  const server = Deno.serve({ port: 0, onListen: () => {} }, () => new Response("answer"));
  let signals = 0;
  const onSignal = () => signals++;
  Deno.addSignalListener("SIGUSR2", onSignal);
  try {
    for (let round = 0; round < 5; round++) {
      await Promise.resolve();
      await new Promise((resolve) => setTimeout(resolve, 1));
      await new Promise((resolve) => setImmediate(resolve));
      await sleep(1, { timers: reactor.timers });
      const response = await fetch(`http://127.0.0.1:${server.addr.port}/`);
      assertStrictEquals(await response.text(), "answer");
      const before = signals;
      Deno.kill(Deno.pid, "SIGUSR2");
      while (signals === before) await new Promise((resolve) => setTimeout(resolve, 1));
      const rounds = load.rounds;
      while (load.rounds === rounds) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } finally {
    Deno.removeSignalListener("SIGUSR2", onSignal);
    await server.shutdown();
    await load.stop();
  }
});

idleTest("runs its timers while it sleeps, and none early", async (idle) => {
  using reactor = Reactor.open({ driver: "uring", idle });
  const [client] = await connect(reactor);
  client.start();
  for (const delayMs of [1, 20, 3]) {
    const startMs = reactor.timers.nowMs();
    await sleep(delayMs, { timers: reactor.timers });
    assert(reactor.timers.nowMs() - startMs >= delayMs);
  }
  client.close();
});

idleTest("wakes for an earlier timer than the one it sleeps for", async (idle) => {
  using reactor = Reactor.open({ driver: "uring", idle });
  const late = reactor.timers.schedule(HOUR_MS, () => {});
  await hostSleep(20);
  await sleep(2, { timers: reactor.timers });
  late.cancel();
});

idleTest("wakes for work that comes while it sleeps", async (idle) => {
  using reactor = Reactor.open({ driver: "uring", idle });
  const [client, server] = await connect(reactor);
  client.start();
  server.start();
  for (let round = 0; round < 5; round++) {
    // From Deno's event loop, when the reactor has nothing to do but wait for these two.
    await hostSleep(15);
    await client.sendPiece(new Uint8Array([round]));
    assertEquals(await server.receive(1), new Uint8Array([round]));
  }
});

idleTest("wakes for what comes from outside while it sleeps", async (idle) => {
  using reactor = Reactor.open({ driver: "uring", idle });
  const options = { backlog: 8, reusePort: false, noDelay: true };
  const listener = reactor.driver.listen({ hostname: "127.0.0.1", port: 0 }, options);
  const sockets: DriverSocket[] = [];
  listener.startAccepting({ onAccept: (socket) => sockets.push(socket), onAcceptError: () => {} });
  const { localAddress } = listener;
  assert("port" in localAddress);
  for (let round = 1; round <= 3; round++) {
    await hostSleep(15);
    const conn = await Deno.connect(localAddress);
    while (sockets.length < round) await hostSleep(1);
    conn.close();
  }
  listener.close();
});

idleTest("closes while it sleeps", async (idle) => {
  for (const sleepMs of [0, 2, 20]) {
    const reactor = Reactor.open({ driver: "uring", idle });
    const [client] = await connect(reactor);
    client.start();
    reactor.timers.schedule(HOUR_MS, () => {});
    await hostSleep(sleepMs);
    reactor.close();
    assertStrictEquals(reactor.closed, true);
    assertStrictEquals(reactor.driver.buffers.heldCount, 0);
  }
  await hostSleep(5);
});

idleTest("closes from within its own callbacks", async (idle) => {
  for (let round = 0; round < 10; round++) {
    const reactor = Reactor.open({ driver: "uring", idle });
    const [client, server] = await connect(reactor);
    const { promise, resolve } = Promise.withResolvers<void>();
    server.onPiece = () => {
      reactor.close();
      resolve();
    };
    server.start();
    await client.beginSend(new Uint8Array(10));
    await promise;
    const timed = Reactor.open({ driver: "uring", idle });
    await new Promise<void>((resolve) => {
      timed.timers.schedule(1, () => {
        timed.close();
        resolve();
      });
    });
  }
  await hostSleep(5);
});

reactorTest("Reactor (uring, cooperate) goes to sleep when there is nothing to do", async () => {
  using reactor = Reactor.open({ driver: "uring", idle: "cooperate" });
  const [client] = await connect(reactor);
  client.start();
  await hostSleep(50);
  const { sleepCount, busyTurnCount } = reactor.statistics;
  assert(sleepCount > 0);
  await hostSleep(50);
  assertEquals([reactor.statistics.sleepCount, reactor.statistics.busyTurnCount], [
    sleepCount,
    busyTurnCount,
  ]);
}, uringSkip !== undefined);

const POLLED: readonly [name: string, open: () => Driver, skip: string | undefined][] = [
  ["uring", () => UringDriver.open(), uringSkip],
  ["simulated", () => new SimulatedDriver(), undefined],
];

for (const [name, open, skip] of POLLED) {
  reactorTest(`Reactor (${name}) with manual runs only when polled`, async () => {
    using reactor = new Reactor(open(), { manual: true });
    const options = { backlog: 8, reusePort: false, noDelay: true };
    const listener = reactor.driver.listen({ hostname: "127.0.0.1", port: 0 }, options);
    let accepted = 0;
    listener.startAccepting({ onAccept: () => accepted++, onAcceptError: () => {} });
    const connecting = reactor.driver.connect(listener.localAddress, { noDelay: true });
    let connected = false;
    connecting.then(() => connected = true);
    await hostSleep(20);
    assertEquals([accepted, connected], [0, false]);
    let turns = 0;
    while (accepted === 0 || !connected) {
      turns += reactor.poll();
      // Virtual time moves in polls that may wait.
      if (reactor.driver instanceof SimulatedDriver) reactor.driver.poll(1);
      await hostSleep(1);
    }
    if (name === "uring") assert(turns >= 2);
  }, skip !== undefined);

  reactorTest(`Reactor.poll() (${name}) throws once closed`, () => {
    const reactor = new Reactor(open(), { manual: true });
    reactor.close();
    assertThrowsMatching(() => reactor.poll(), { name: "InvariantError" });
  }, skip !== undefined);
}

reactorTest("Reactor (simulated) runs its timers in virtual time", async () => {
  const driver = new SimulatedDriver();
  using reactor = new Reactor(driver);
  assert(driver.clock instanceof ManualClock);
  await sleep(HOUR_MS, { timers: reactor.timers });
  assert(driver.clock.nowMs() >= HOUR_MS);
});

reactorTest("Reactor (deno) uses the host's timers", async () => {
  using reactor = new Reactor(new DenoDriver());
  const startMs = reactor.timers.nowMs();
  await sleep(5, { timers: reactor.timers });
  assert(reactor.timers.nowMs() - startMs >= 5);
  assertStrictEquals(reactor.poll(), 0);
});

function hostSleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
