import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type Address,
  type DriverListener,
  SimulatedDriver,
  SimulatedNetwork,
} from "../../../../src/io/reactor/mod.ts";

const OPTIONS = { backlog: 8, reusePort: false, noDelay: true };

function listen(driver: SimulatedDriver, address: Address, reusePort = false): DriverListener {
  return driver.listen(address, { ...OPTIONS, reusePort });
}

Deno.test("SimulatedNetwork refuses options that make no sense", () => {
  for (const value of [0, -1, 1.5, NaN]) {
    assertThrows(() => new SimulatedNetwork({ capacityBytes: value }), RangeError);
    assertThrows(() => new SimulatedNetwork({ segmentBytesMax: value }), RangeError);
  }
  for (const value of [-1, NaN, Infinity]) {
    assertThrows(() => new SimulatedNetwork({ latencyMsMax: value }), RangeError);
  }
  assertThrows(() => new SimulatedNetwork({ seed: -1 }), RangeError);
});

Deno.test("SimulatedNetwork.addHost() makes a name and its addresses known", async () => {
  const network = new SimulatedNetwork();
  const driver = new SimulatedDriver({ network });
  assertThrows(() => listen(driver, { hostname: "broker.example", port: 1 }), Deno.errors.NotFound);
  assertThrows(() => listen(driver, { hostname: "192.0.2.1", port: 1 }), Deno.errors.AddrNotAvailable);
  network.addHost("Broker.Example", ["192.0.2.1", "2001:DB8::1"]);
  const listener = listen(driver, { hostname: "broker.example", port: 9092 });
  assertEquals(listener.localAddress, { hostname: "192.0.2.1", port: 9092 });
  const second = listen(driver, { hostname: "2001:db8:0::1", port: 9092 });
  assertEquals(second.localAddress, { hostname: "2001:db8::1", port: 9092 });
  const connecting = driver.connect({ hostname: "BROKER.example", port: 9092 }, { noDelay: true });
  while (driver.inFlightCount > 0) driver.poll(1);
  const socket = await connecting;
  assertEquals(socket.remoteAddress, { hostname: "192.0.2.1", port: 9092 });
  driver.close();
});

Deno.test("SimulatedNetwork lets nobody have an address that another one covers", () => {
  const network = new SimulatedNetwork();
  const [left, right] = [new SimulatedDriver({ network }), new SimulatedDriver({ network })];
  const taken = (address: Address) => {
    assertThrows(() => listen(right, address), Deno.errors.AddrInUse, undefined, JSON.stringify(address));
  };
  const first = listen(left, { hostname: "127.0.0.1", port: 5000 });
  for (const hostname of ["127.0.0.1", "0.0.0.0", "::", "localhost"]) taken({ hostname, port: 5000 });
  listen(right, { hostname: "127.0.0.2", port: 5000 }).close();
  listen(right, { hostname: "::1", port: 5000 }).close();
  first.close();
  const wildcard = listen(left, { hostname: "0.0.0.0", port: 5000 });
  taken({ hostname: "127.0.0.1", port: 5000 });
  listen(right, { hostname: "::1", port: 5000 }).close();
  wildcard.close();
  listen(left, { hostname: "::", port: 5000 });
  taken({ hostname: "::1", port: 5000 });
  taken({ hostname: "127.0.0.1", port: 5000 });
  listen(left, { path: "/socket" });
  taken({ path: "/socket" });
  left.close();
  right.close();
});

Deno.test("SimulatedNetwork shares a port only among those who all say so", () => {
  using driver = new SimulatedDriver();
  const shared = listen(driver, { hostname: "127.0.0.1", port: 6000 }, true);
  listen(driver, shared.localAddress, true);
  assertThrows(() => listen(driver, shared.localAddress), Deno.errors.AddrInUse);
  const alone = listen(driver, { hostname: "127.0.0.1", port: 6001 });
  assertThrows(() => listen(driver, alone.localAddress, true), Deno.errors.AddrInUse);
});

Deno.test("SimulatedNetwork gives free ports, each once", () => {
  using driver = new SimulatedDriver();
  const ports = Array.from({ length: 200 }, () => {
    const { localAddress } = listen(driver, { hostname: "127.0.0.1", port: 0 });
    assert("port" in localAddress);
    return localAddress.port;
  });
  assertStrictEquals(new Set(ports).size, 200);
  assert(ports.every((port) => port >= 49_152 && port <= 65_535));
});

Deno.test("SimulatedNetwork.clock is the time of all its drivers", () => {
  const network = new SimulatedNetwork({ seed: 3 });
  const [left, right] = [new SimulatedDriver({ network }), new SimulatedDriver({ network })];
  left.poll(7);
  assertEquals([network.clock.nowMs(), right.clock.nowMs(), network.seed], [7, 7, 3]);
  network.clock.advance(3);
  assertStrictEquals(left.clock.nowMs(), 10);
  left.close();
  right.close();
});
