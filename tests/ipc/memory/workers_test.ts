import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { descriptorCount, mappingCount, RegionNames, TemporaryDirectory, until } from "./support.ts";
import type { RegionOrder } from "./region_worker.ts";

nameSkipReason("SharedMemory in workers", nativeSkipReason());

/** A worker that has done what the order says. */
async function startWorker(order: RegionOrder): Promise<Worker> {
  const worker = new Worker(new URL("./region_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  worker.onmessage = resolve;
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  worker.postMessage(order);
  await promise;
  return worker;
}

nativeTest("SharedMemory is mapped once for all workers, and until the last has closed it", async () => {
  using names = new RegionNames();
  const name = names.next();
  const region = SharedMemory.create(name, { byteLength: 64 });
  const words = new Int32Array(region.bytes.buffer);
  const workers = await Promise.all([0, 1].map((lock) => startWorker({ name, lock, thenClose: false })));
  assertStrictEquals(mappingCount(name), 1);
  assertStrictEquals(descriptorCount(name), 3);
  assertStrictEquals(Atomics.load(words, 0), 2);
  region.close();
  // Those who have it open go on.
  assertStrictEquals(mappingCount(name), 1);
  using again = SharedMemory.connect(name);
  const before = Atomics.load(new Int32Array(again.bytes.buffer), 1);
  await until(() => Atomics.load(new Int32Array(again.bytes.buffer), 1) > before);
  for (const worker of workers) worker.terminate();
  await until(() => descriptorCount(name) === 1);
});

nativeTest(
  "SharedMemory of a worker that is terminated gives back its locks, descriptor and memory",
  async () => {
    using names = new RegionNames();
    const name = names.next();
    using region = SharedMemory.create(name, { byteLength: 64 });
    const worker = await startWorker({ name, lock: 5, thenClose: false });
    assertEquals([region.isLocked(5), descriptorCount(name)], [true, 2]);
    worker.terminate();
    await until(() => !region.isLocked(5));
    await until(() => descriptorCount(name) === 1);
    assertStrictEquals(mappingCount(name), 1);
    region.bytes[0] = 1;
    assert(region.tryLock(5));
  },
);

nativeTest(
  "SharedMemory of a worker that is terminated gives back its locks, though the process has it mapped by it",
  async () => {
    using names = new RegionNames();
    const name = names.next();
    SharedMemory.create(name, { byteLength: 64 }).close();
    const worker = await startWorker({ name, lock: 5, thenClose: false });
    using region = SharedMemory.connect(name);
    assert(region.isLocked(5));
    worker.terminate();
    await until(() => !region.isLocked(5));
    assertStrictEquals(mappingCount(name), 1);
  },
);

nativeTest("SharedMemory is unmapped when the last worker that had it open is terminated", async () => {
  using names = new RegionNames();
  const name = names.next();
  SharedMemory.create(name, { byteLength: 64 }).close();
  const workers = await Promise.all(
    [0, 1, 2].map((lock) => startWorker({ name, lock, thenClose: lock === 0 })),
  );
  assertStrictEquals(mappingCount(name), 1);
  for (const worker of workers) worker.terminate();
  await until(() => mappingCount(name) === 0 && descriptorCount(name) === 0);
  assert(SharedMemory.removeAbandoned({ prefix: name }).includes(name));
});

nativeTest("SharedMemory of a worker that is terminated while it syncs is given back", async () => {
  using temporary = new TemporaryDirectory();
  const { directory } = temporary;
  for (const waitMs of [0, 1, 5, 20]) {
    SharedMemory.create("a", { byteLength: 1_000_000, directory }).close();
    const worker = await startWorker({ name: "a", lock: 5, thenClose: false, directory });
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    worker.terminate();
    await until(() => mappingCount("a") === 0 && descriptorCount("a") === 0);
    assertEquals(SharedMemory.removeAbandoned({ directory }), ["a"]);
  }
});
