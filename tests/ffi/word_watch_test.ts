import { assertStrictEquals } from "@std/assert";
import { futexWake, WordWatch } from "../../ffi/mod.ts";
import { SharedMemory } from "../../src/ipc/memory/mod.ts";
import { RegionNames } from "../ipc/memory/support.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../support/driver_native.ts";

nameSkipReason("WordWatch", nativeSkipReason());

const LONG_MS = 60_000;

/** Words that a native thread can wait on, and words that it cannot. */
function eachMemory(name: string, body: (words: Int32Array) => Promise<void>): void {
  nativeTest(`${name} (on memory of a region)`, async () => {
    using names = new RegionNames();
    using region = SharedMemory.create(names.next(), { byteLength: 64 });
    await body(new Int32Array(region.bytes.buffer, region.bytes.byteOffset, 16));
  });
  nativeTest(`${name} (on other memory)`, () => body(new Int32Array(16)));
}

/** Changes the word, and wakes who sleeps on it. */
function change(words: Int32Array, index: number): void {
  Atomics.add(words, index, 1);
  futexWake(words, index, 2 ** 31 - 1, true);
}

eachMemory("WordWatch.wait() ends when it is woken, came too late, or its time is over", async (words) => {
  using watch = new WordWatch(words, 3);
  await watch.wait(1, LONG_MS);
  await watch.wait(0, 5);
  for (let round = 0; round < 20; round++) {
    const wait = watch.wait(words[3], LONG_MS);
    if (round % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    change(words, 3);
    await wait;
  }
});

eachMemory("WordWatch.wait() may be called by several at once", async (words) => {
  using watch = new WordWatch(words, 0);
  const waits = [watch.wait(0, LONG_MS), watch.wait(0, LONG_MS), watch.wait(0, 5)];
  await waits[2];
  change(words, 0);
  await Promise.all(waits);
});

eachMemory("WordWatch.close() ends the waits under way, and those to come", async (words) => {
  const watch = new WordWatch(words, 0);
  const waits = [watch.wait(0, LONG_MS), watch.wait(0, LONG_MS)];
  watch.close();
  watch.close();
  await Promise.all(waits);
  await watch.wait(0, LONG_MS);
});

nativeTest("WordWatch.wait() ends when the memory of its word is closed", async () => {
  using names = new RegionNames();
  const region = SharedMemory.create(names.next(), { byteLength: 64 });
  const words = new Int32Array(region.bytes.buffer, region.bytes.byteOffset, 16);
  using watch = new WordWatch(words, 0);
  const wait = watch.wait(0, 20);
  region.close();
  await wait;
  assertStrictEquals(words.length, 0);
});
