import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { join } from "node:path";
import { UringDriver } from "../../../../src/io/reactor/mod.ts";
import { registerDriverConformance } from "../../../support/driver_conformance.ts";
import { Accepted, conformanceTests, type Harness } from "../../../support/driver_harness.ts";
import type { Peer } from "../../../support/driver_peer.ts";
import { runProgram } from "../../../support/driver_program.ts";
import { patternBytes } from "../../../support/driver_seed.ts";
import { URING_RUNGS, uringSkipReason, uringUnderTest } from "../../../support/driver_uring.ts";

for (const rung of URING_RUNGS) {
  registerDriverConformance(uringUnderTest(rung));

  conformanceTests(uringUnderTest(rung, { submissionEntries: 4 }))(
    "with 4 submission entries works off hundreds of operations asked for at once",
    async (harness) => {
      await manyFileOperations(harness, 300);
      await manyConnections(harness, 100);
    },
  );

  conformanceTests(uringUnderTest(rung, { submissionEntries: 4, completionEntries: 4 }))(
    "with 4 completion entries loses no completion",
    async (harness) => {
      const { driver } = harness;
      assert(driver instanceof UringDriver);
      await manyFileOperations(harness, 300);
      await manyConnections(harness, 100);
      assert(driver.statistics.overflowCount > 0, "the completion ring never overflowed");
    },
  );

  conformanceTests(uringUnderTest(rung, {
    submissionEntries: 1,
    completionEntries: 2,
    receiveBufferCount: 1,
    receiveBufferByteLength: 64,
    bufferByteLength: 1024,
    bufferCountMax: 4,
  }))("with the smallest rings and pools carries everything all the same", async (harness) => {
    const pairs = [await harness.pair(), await harness.pair(), await harness.pair()];
    await Promise.all(pairs.map(([client, server]) => exchange(client, server, 20_000)));
    const file = await harness.driver.openFile(join(harness.directory, "file"), {
      read: true,
      write: true,
      createNew: true,
    });
    const blocks = Array.from({ length: 20 }, (_, index) => patternBytes(index, 700));
    await Promise.all(blocks.map((block, index) => file.writeAt(block, index * 700)));
    for (const [index, block] of blocks.entries()) {
      const into = new Uint8Array(700);
      assertStrictEquals(await file.readAt(into, index * 700), 700);
      assertEquals(into, block);
    }
    await file.close();
  });
}

const skipReason = uringSkipReason();

Deno.test({
  name: "UringDriver.open() refuses settings that make no sense",
  ignore: skipReason !== undefined,
  fn() {
    for (const value of [0, 3, -4, 1.5, NaN, 2 ** 20]) {
      assertThrows(() => UringDriver.open({ submissionEntries: value }), RangeError);
      assertThrows(() => UringDriver.open({ completionEntries: value }), RangeError);
      assertThrows(() => UringDriver.open({ receiveBufferCount: value }), RangeError);
    }
    assertThrows(() => UringDriver.open({ bufferByteLength: 10 }), RangeError);
    assertThrows(() => UringDriver.open({ bufferCountMax: 0 }), RangeError);
  },
});

Deno.test({
  name: "UringDriver leaves no descriptor, thread or mapping behind",
  ignore: skipReason !== undefined,
  async fn() {
    // In a process of its own, where nobody else opens any.
    const { code, stdout, stderr } = await runProgram(`
      import { Reactor } from "@millrace/millrace/reactor";
      import { sleep } from "@millrace/millrace/timer";
      const listening = { backlog: 8, reusePort: false, noDelay: true };
      const receiving = { onReceive() {}, onReceiveEnd() {}, onSent() {}, onSendFailed() {} };
      async function round(rung: "full" | "basic", directory: string) {
        const reactor = Reactor.open({ driver: "uring", rung });
        const { driver } = reactor;
        const listener = driver.listen({ hostname: "127.0.0.1", port: 0 }, listening);
        const accepted: { close(): void }[] = [];
        listener.startAccepting({ onAccept: (socket) => accepted.push(socket), onAcceptError() {} });
        for (let index = 0; index < 5; index++) {
          const socket = await driver.connect(listener.localAddress, { noDelay: true });
          socket.attach(receiving);
          socket.startReceiving();
          if (index % 2 === 0) socket.close();
          const controller = new AbortController();
          const aborted = driver.connect(listener.localAddress, { noDelay: true, signal: controller.signal });
          controller.abort();
          await aborted.then((late) => late.close(), () => {});
        }
        await driver.connect({ hostname: "127.0.0.1", port: 1 }, { noDelay: true }).catch(() => {});
        const datagrams = await driver.bindDatagram({ hostname: "127.0.0.1", port: 0 }, { reusePort: false });
        datagrams.startReceiving({ onDatagram() {}, onDatagramError() {} });
        for (let index = 0; index < 3; index++) {
          const file = await driver.openFile(directory + "/file", { read: true, write: true, create: true });
          await file.writeAt(new Uint8Array(1000), 0);
          if (index === 0) await file.close();
          const controller = new AbortController();
          const opening = driver.openFile(directory + "/file", { read: true, signal: controller.signal });
          controller.abort();
          await opening.catch(() => {});
        }
        await sleep(5, { timers: reactor.timers });
        await new Promise((resolve) => setTimeout(resolve, 5));
        reactor.close();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const directory = Deno.makeTempDirSync();
      // The runtime opens files of its own whenever it likes; ours are of these kinds.
      const isOurs = (name: string) => {
        try {
          const target = Deno.readLinkSync("/proc/self/fd/" + name);
          return /^(socket|pipe|anon_inode):/.test(target) || target.startsWith(directory);
        } catch {
          return false;
        }
      };
      const count = () => ({
        descriptors: [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => isOurs(name)).length,
        wakers: [...Deno.readDirSync("/proc/self/task")].filter(({ name }) => {
          try {
            return Deno.readTextFileSync("/proc/self/task/" + name + "/comm").includes("millrace");
          } catch {
            return false;
          }
        }).length,
        mappings: Deno.readTextFileSync("/proc/self/maps").split("\\n").filter((line) => line.includes("io_uring")).length,
      });
      // The runtime starts its signal thread, with a pair of sockets, when it first needs it; and the first rounds open what
      // it keeps.
      const ignore = () => {};
      Deno.addSignalListener("SIGUSR1", ignore);
      Deno.removeSignalListener("SIGUSR1", ignore);
      for (const rung of ["full", "basic"] as const) await round(rung, directory);
      // The waker's thread ends, and closes what it has, in its own time: what is there is what stays the same for a while.
      const settled = async () => {
        let found = count();
        for (let looks = 0; looks < 20 || found.wakers > 0; looks++) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          const now = count();
          if (JSON.stringify(now) !== JSON.stringify(found)) looks = 0;
          found = now;
        }
        return found;
      };
      const before = await settled();
      for (let index = 0; index < 5; index++) for (const rung of ["full", "basic"] as const) await round(rung, directory);
      console.log(JSON.stringify([before, await settled()]));
      Deno.removeSync(directory, { recursive: true });
    `);
    assertStrictEquals(code, 0, stderr);
    const [before, after] = JSON.parse(stdout);
    // Fewer is what the runtime has closed of its own.
    assert(after.descriptors <= before.descriptors, stdout);
    assertEquals([after.wakers, after.mappings], [0, 0]);
  },
});

async function manyFileOperations(harness: Harness, count: number): Promise<void> {
  const path = join(harness.directory, "many");
  const file = await harness.driver.openFile(path, { read: true, write: true, create: true });
  const writes = Array.from(
    { length: count },
    (_, index) => file.writeAt(patternBytes(index, 64), index * 64),
  );
  assertEquals(await Promise.all(writes), Array(count).fill(64));
  const reads = Array.from({ length: count }, async (_, index) => {
    const into = new Uint8Array(64);
    assertStrictEquals(await file.readAt(into, index * 64), 64);
    return into;
  });
  for (const [index, bytes] of (await Promise.all(reads)).entries()) {
    assertEquals(bytes, patternBytes(index, 64));
  }
  await file.close();
}

async function manyConnections(harness: Harness, count: number): Promise<void> {
  const listener = harness.listen();
  const accepted = new Accepted();
  listener.startAccepting(accepted);
  const clients = await Promise.all(
    Array.from({ length: count }, () => harness.connect(listener.localAddress)),
  );
  await harness.until(() => accepted.sockets.length === count);
  assertEquals(accepted.errors, []);
  const servers = accepted.sockets.map((socket) => harness.peer(socket).start());
  await Promise.all(clients.map((client, index) => client.send(new Uint8Array([index]))));
  const received = await Promise.all(servers.map(async (server) => (await server.receive(1))[0]));
  assertEquals(received.sort((a, b) => a - b), Array.from({ length: count }, (_, index) => index));
  for (const peer of [...clients, ...servers]) peer.close();
  listener.close();
}

async function exchange(client: Peer, server: Peer, byteLength: number): Promise<void> {
  client.start();
  server.start();
  const bytes = patternBytes(byteLength, byteLength);
  const [down, up] = await Promise.all([
    client.receive(byteLength),
    server.receive(byteLength),
    client.send(bytes),
    server.send(bytes),
  ]);
  assertEquals(down, bytes);
  assertEquals(up, bytes);
}
