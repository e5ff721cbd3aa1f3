import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { closeDescriptor, createSharedObject, writeAt } from "../../../ffi/mod.ts";
import { encodeHeader } from "../../../src/ipc/memory/layout.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { runProgram } from "../../support/driver_program.ts";
import { type Child, startProgram } from "../../support/net_child.ts";
import {
  descriptorCount,
  killedAt,
  listed,
  MEMORY_URL,
  RegionNames,
  TemporaryDirectory,
  until,
} from "./support.ts";

nameSkipReason("SharedMemory between processes", nativeSkipReason());

/** A process that has opened `name`, done `then` to it, said so, and waits for its end. */
async function opener(name: string, then = ""): Promise<Child> {
  const child = await startProgram(`
    import { SharedMemory } from ${MEMORY_URL};
    const region = SharedMemory.connect(${JSON.stringify(name)});
    ${then}
    console.log("opened");
    setInterval(() => {}, 1000);
  `);
  await child.says(/opened/);
  return child;
}

nativeTest("SharedMemory is the same memory in two processes", async () => {
  using names = new RegionNames();
  const name = names.next();
  using region = SharedMemory.create(name, { byteLength: 100_000 });
  const words = new Int32Array(region.bytes.buffer);
  region.bytes[99_999] = 7;
  await using child = await opener(
    name,
    `
    const words = new Int32Array(region.bytes.buffer, 0, 10);
    Atomics.store(words, 1, region.byteLength + region.bytes[99_999]);
    setInterval(() => Atomics.add(words, 0, 1), 1);
    `,
  );
  assertStrictEquals(Atomics.load(words, 1), 100_007);
  await until(() => Atomics.load(words, 0) > 3);
  child.kill("SIGKILL");
  await child.ended();
  assert(Atomics.load(words, 0) > 3);
});

nativeTest("SharedMemory outlives its creator, until its name is taken away", async () => {
  using names = new RegionNames();
  const name = names.next();
  const { code } = await runProgram(`
    import { SharedMemory } from ${MEMORY_URL};
    const region = SharedMemory.create("${name}", { byteLength: 10 });
    region.bytes.fill(3);
    Deno.exit(0);
  `);
  assertStrictEquals(code, 0);
  assertEquals([listed(name)?.state, listed(name)?.inUse], ["ready", false]);
  using region = SharedMemory.connect(name);
  assert(region.bytes.every((byte) => byte === 3));
});

nativeTest(
  "SharedMemory in a directory keeps what a killed process wrote, and none of its locks",
  async () => {
    using temporary = new TemporaryDirectory();
    const { directory } = temporary;
    await using child = await startProgram(`
    import { SharedMemory } from ${MEMORY_URL};
    const region = SharedMemory.create("a", { byteLength: 100_000, directory: ${JSON.stringify(directory)} });
    if (!region.tryLock(3)) throw new Error("lock");
    region.bytes.fill(6);
    console.log("filled");
    setInterval(() => {}, 1000);
  `);
    await child.says(/filled/);
    using region = SharedMemory.connect("a", { directory });
    assertEquals(SharedMemory.removeAbandoned({ directory }), []);
    assert(region.isLocked(3));
    child.kill("SIGKILL");
    await until(() => !region.isLocked(3));
    assert(region.bytes.every((byte) => byte === 6));
  },
);

nativeTest(
  "SharedMemory.tryLock() holds between processes, while one is stopped, and until it dies",
  async () => {
    using names = new RegionNames();
    const name = names.next();
    using region = SharedMemory.create(name, { byteLength: 1 });
    assert(region.tryLock(8));
    await using child = await opener(
      name,
      `
    if (!region.tryLock(7) || region.tryLock(8) || !region.isLocked(8)) throw new Error("locks");
    `,
    );
    assertEquals([region.isLocked(7), region.tryLock(7), region.isLocked(6)], [true, false, false]);
    child.kill("SIGSTOP");
    for (let looks = 0; looks < 20; looks++) {
      assert(region.isLocked(7));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    child.kill("SIGCONT");
    assert(region.isLocked(7));
    child.kill("SIGKILL");
    // The system drops the lock on its own, and before anybody has waited for the process.
    await until(() => !region.isLocked(7));
    assert(region.tryLock(7));
  },
);

nativeTest("SharedMemory.removeAbandoned() and list() know who is alive, stopped ones included", async () => {
  using names = new RegionNames();
  const name = names.next();
  SharedMemory.create(name, { byteLength: 1 }).close();
  await using child = await opener(name);
  for (const signal of ["SIGSTOP", "SIGCONT"] as const) {
    child.kill(signal);
    assertStrictEquals(listed(name)?.inUse, true);
    assert(!SharedMemory.removeAbandoned({ prefix: name }).includes(name));
  }
  child.kill("SIGKILL");
  await until(() => listed(name)?.inUse === false);
  assert(SharedMemory.removeAbandoned({ prefix: name }).includes(name));
  assertStrictEquals(listed(name), undefined);
});

for (const where of ["memory", "a directory"]) {
  nativeTest(
    `SharedMemory.create() in ${where} killed at any of its calls leaves what can be told and removed`,
    async () => {
      using names = new RegionNames();
      using temporary = new TemporaryDirectory();
      const place = where === "memory" ? {} : { directory: temporary.directory };
      const states = new Set<string | undefined>();
      for (let call = 0;; call++) {
        const name = names.next();
        const options = `{ byteLength: 10_000, initialize: (bytes) => void bytes.fill(5), ...${
          JSON.stringify(place)
        } }`;
        const done = await killedAt(call, `SharedMemory.create("${name}", ${options});`);
        const info = listed(name, place);
        states.add(info?.state);
        if (done) {
          assert(call >= 8, `after ${call} calls`);
          break;
        }
        if (info === undefined) {
          assertThrows(() => SharedMemory.connect(name, place), Deno.errors.NotFound);
        } else {
          assertStrictEquals(info.inUse, false);
          if (info.state === "half-made") {
            assertThrowsMatching(() => SharedMemory.connect(name, place), {
              name: "NotFound",
              message: /: it is half-made: its creator has died$/,
            });
            if (call % 2 === 0) {
              assert(SharedMemory.removeAbandoned({ prefix: name, ...place }).includes(name));
            }
          } else {
            assertStrictEquals(info.state, "ready");
            const again = () => SharedMemory.create(name, { byteLength: 1, ...place });
            assertThrows(again, Deno.errors.AlreadyExists);
            using region = SharedMemory.connect(name, place);
            assert(region.bytes.every((byte) => byte === 5));
            SharedMemory.unlink(name, place);
          }
        }
        // In place of the half-made one, where that is there.
        const make = call % 3 === 0 ? "create" : "open";
        using region = SharedMemory[make](name, { byteLength: 1, ...place });
        assertEquals([region.byteLength, region.bytes[0]], [1, 0]);
        assertStrictEquals(descriptorCount(name), 1);
      }
      assertEquals([...states], [undefined, "half-made", "ready"]);
    },
  );
}

/** A region in the state in which a creator leaves it that is killed: with its header, or without. */
function makeHalfMade(name: string, withHeader: boolean): void {
  const fd = createSharedObject(`/millrace.${name}`);
  const header = { byteLength: 5, creatorPid: 1, creatorStartedMs: 0, createdMs: 0 };
  if (withHeader) writeAt(fd, encodeHeader(header), 0);
  closeDescriptor(fd);
}

nativeTest(
  "SharedMemory.open() killed at any of its calls over a half-made region blocks nobody",
  async () => {
    using names = new RegionNames();
    for (let call = 0;; call++) {
      const name = names.next();
      makeHalfMade(name, true);
      const done = await killedAt(call, `SharedMemory.open("${name}", { byteLength: 10 });`);
      using region = SharedMemory.open(name, { byteLength: 10 });
      assertEquals([region.byteLength, listed(name)?.state], [10, "ready"]);
      if (done) return;
    }
  },
);

nativeTest("SharedMemory.open() by several over a half-made region gives all of them the same", async () => {
  using names = new RegionNames();
  for (const withHeader of [true, false]) {
    const name = names.next();
    makeHalfMade(name, withHeader);
    const program = `
      import { SharedMemory } from ${MEMORY_URL};
      const until = ${Date.now() + 1000};
      while (Date.now() < until);
      const region = SharedMemory.open("${name}", { byteLength: 8 });
      console.log(Atomics.add(new Int32Array(region.bytes.buffer), 0, 1));
      Deno.exit(0);
    `;
    const openers = await Promise.all([1, 2, 3].map(() => runProgram(program)));
    const said = openers.map(({ stdout, stderr }) => stdout.trim() + stderr).sort();
    assertEquals(said, ["0", "1", "2"]);
  }
});

nativeTest("SharedMemory.open() waits for a creator that takes its time, and not for ever", async () => {
  using names = new RegionNames();
  const name = names.next();
  await using child = await startProgram(`
    import { SharedMemory } from ${MEMORY_URL};
    SharedMemory.create("${name}", { byteLength: 8, initialize(bytes) {
      Deno.stdout.writeSync(new TextEncoder().encode("initializing\\n"));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
      bytes.fill(7);
    } });
    setInterval(() => {}, 1000);
  `);
  await child.says(/initializing/);
  child.kill("SIGSTOP");
  const open = () => SharedMemory.open(name, { byteLength: 8 });
  const message = `open shared memory ${name}: others have been making or removing it for 2000 ms`;
  assertThrowsMatching(open, { name: "Busy", message });
  child.kill("SIGCONT");
  using region = open();
  assert(region.bytes.every((byte) => byte === 7));
});

nativeTest("SharedMemory.create() killed in initialize is repaired, and not before it is dead", async () => {
  using names = new RegionNames();
  const name = names.next();
  await using child = await startProgram(`
    import { SharedMemory } from ${MEMORY_URL};
    SharedMemory.create("${name}", { byteLength: 10_000, initialize(bytes) {
      bytes.fill(9, 0, 5000);
      Deno.stdout.writeSync(new TextEncoder().encode("initializing\\n"));
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    } });
  `);
  await child.says(/initializing/);
  const create = () => SharedMemory.create(name, { byteLength: 4, initialize: (bytes) => bytes.set([1, 2]) });
  for (const signal of ["SIGSTOP", "SIGCONT"] as const) {
    child.kill(signal);
    assertThrows(create, Deno.errors.AlreadyExists);
    assertThrows(() => SharedMemory.connect(name), Deno.errors.Busy);
    assertStrictEquals(listed(name)?.state, "being made");
  }
  child.kill("SIGKILL");
  await until(() => listed(name)?.state === "half-made");
  using region = create();
  assertEquals([...region.bytes], [1, 2, 0, 0]);
  using same = SharedMemory.connect(name);
  assertEquals([...same.bytes], [1, 2, 0, 0]);
});

nativeTest("SharedMemory.create() by several over a half-made region gives it to one", async () => {
  using names = new RegionNames();
  for (let round = 0; round < 5; round++) {
    const name = names.next();
    // Killed when it has made the file (3 calls), and when it has written the header too.
    await killedAt(round % 2 === 0 ? 3 : 5, `SharedMemory.create("${name}", { byteLength: 8 });`);
    assertStrictEquals(listed(name)?.state, "half-made");
    const workers = await Promise.all([1, 2, 3].map(() =>
      runProgram(`
        import { SharedMemory } from ${MEMORY_URL};
        const until = ${Date.now() + 1000};
        while (Date.now() < until);
        // On a busy machine the one that makes it may take longer than others wait for it.
        for (;;) try {
          SharedMemory.create("${name}", { byteLength: 8, initialize: (bytes) => void bytes.fill(7) });
          console.log("made");
          break;
        } catch (error) {
          if (error instanceof Deno.errors.Busy) continue;
          if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
          const { bytes } = SharedMemory.connect("${name}");
          console.log(bytes.every((byte) => byte === 7) ? "found" : "found it unfilled");
          break;
        }
        Deno.exit(0);
      `)
    ));
    assertEquals(workers.map(({ stdout, stderr }) => stdout.trim() + stderr).sort(), [
      "found",
      "found",
      "made",
    ]);
  }
});

nativeTest("SharedMemory.sync() killed at any moment leaves a region that others use", async () => {
  using temporary = new TemporaryDirectory();
  const { directory } = temporary;
  using region = SharedMemory.create("a", { byteLength: 1_000_000, directory });
  for (const afterMs of [0, 1, 3, 10, 30]) {
    await using child = await startProgram(`
      import { SharedMemory } from ${MEMORY_URL};
      const region = SharedMemory.connect("a", { directory: ${JSON.stringify(directory)} });
      if (!region.tryLock(1)) throw new Error("lock");
      console.log("syncing");
      for (let count = 1;; count++) {
        region.bytes.fill(count);
        await region.sync();
      }
    `);
    await child.says(/syncing/);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    child.kill("SIGKILL");
    await until(() => !region.isLocked(1));
    await region.sync();
    using same = SharedMemory.connect("a", { directory });
    assertEquals([same.byteLength, same.tryLock(1)], [1_000_000, true]);
  }
});

for (const operation of ["connect", "unlink", "removeAbandoned", "list"]) {
  nativeTest(
    `SharedMemory.${operation}() killed at any of its calls leaves the region whole or gone`,
    async () => {
      using names = new RegionNames();
      for (let call = 0;; call++) {
        const name = names.next();
        SharedMemory.create(name, { byteLength: 10 }).close();
        const argument = operation === "connect" || operation === "unlink" ? name : { prefix: name };
        const done = await killedAt(call, `SharedMemory.${operation}(${JSON.stringify(argument)});`);
        const info = listed(name);
        assert(info === undefined || info.state === "ready" && !info.inUse);
        if (info !== undefined) {
          SharedMemory.connect(name).close();
          SharedMemory.unlink(name);
        }
        if (done) return;
      }
    },
  );
}

nativeTest(
  "SharedMemory.create() and connect() race with removeAbandoned(), and nobody gets what is gone",
  async () => {
    using names = new RegionNames();
    const name = names.next();
    await using remover = await startProgram(`
    import { SharedMemory } from ${MEMORY_URL};
    for (let count = 0;; count++) {
      SharedMemory.removeAbandoned({ prefix: "${name}" });
      if (count === 0) console.log("removing");
      if (count % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
  `);
    await remover.says(/removing/);
    let opened = 0;
    for (let round = 0; round < 1000; round++) {
      const region = SharedMemory.create(name, { byteLength: 1 });
      // What is open is there for everybody.
      const same = SharedMemory.connect(name);
      region.bytes[0] = 1 + round % 250;
      assertStrictEquals(same.bytes[0], 1 + round % 250);
      same.close();
      region.close();
      try {
        using again = SharedMemory.connect(name);
        assertStrictEquals(again.bytes[0], 1 + round % 250);
        assertStrictEquals(listed(name)?.inUse, true);
        SharedMemory.unlink(name);
        opened++;
      } catch (error) {
        assert(error instanceof Deno.errors.NotFound, String(error));
      }
    }
    assert(opened <= 1000);
  },
);
