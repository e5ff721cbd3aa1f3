import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  closeDescriptor,
  createSharedObject,
  Mapping,
  native,
  resize,
  unlinkSharedObject,
} from "../../ffi/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../support/driver_native.ts";
import type { AddOrder } from "./add_worker.ts";
import { testName } from "../support/test_name.ts";

// Canaries: what the program is built on, of Deno and V8, and nobody promises. When one fails after an upgrade, whatever
// stands on it has to be looked at again.

const ADDITIONS = 500_000;

nameSkipReason("facts about mapped memory", nativeSkipReason());

nativeTest("Atomics on mapped memory are real: two threads that add lose nothing", async () => {
  const name = `/millrace_${testName()}`;
  const fd = createSharedObject(name);
  try {
    resize(fd, 4096);
    using mapping = Mapping.create(4096, fd);
    const words = new Int32Array(mapping.buffer);
    await Promise.all([addInWorker(name), addInWorker(name)]);
    assertStrictEquals(Atomics.load(words, 0), 2 * ADDITIONS);
  } finally {
    closeDescriptor(fd);
    unlinkSharedObject(name);
  }
});

nativeTest("Atomics.wait() refuses mapped memory, so that waiting needs the futex", () => {
  using mapping = Mapping.create(4096);
  const words = new Int32Array(mapping.buffer);
  assertThrows(() => Atomics.wait(words, 0, 0, 1), TypeError);
  assertStrictEquals(Atomics.notify(words, 0), 0);
});

nativeTest("a mapped buffer is copied by structured clone, not shared", () => {
  using mapping = Mapping.create(4096);
  const words = new Int32Array(mapping.buffer);
  const copy = new Int32Array(structuredClone(mapping.buffer));
  Atomics.store(words, 0, 5);
  assertStrictEquals(copy[0], 0);
});

nativeTest("a subarray is passed to native code by its own start", () => {
  const bytes = new Uint8Array(64).fill(7);
  bytes.set(new TextEncoder().encode("123456789"), 13);
  assertStrictEquals(native().millrace_crc32c(bytes.subarray(13, 22), 9, 0) >>> 0, 0xe3069283);
});

nativeTest("native code is given what a mapped view points at", () => {
  using mapping = Mapping.create(4096);
  const bytes = new Uint8Array(mapping.buffer, 100, 9);
  bytes.set(new TextEncoder().encode("123456789"));
  assertStrictEquals(native().millrace_crc32c(bytes, 9, 0) >>> 0, 0xe3069283);
});

nativeTest("an empty array is passed to native code without harm", () => {
  assertStrictEquals(native().millrace_crc32c(new Uint8Array(), 0, 0), 0);
  using mapping = Mapping.create(4096);
  const bytes = new Uint8Array(mapping.buffer);
  mapping.close();
  assertStrictEquals(native().millrace_crc32c(bytes, 0, 0), 0);
});

Deno.test("views of a transferred buffer have length 0, and their use does not crash", () => {
  const buffer = new ArrayBuffer(64);
  const bytes = new Uint8Array(buffer);
  const words = new Int32Array(buffer, 8, 2);
  const view = new DataView(buffer);
  const moved = buffer.transfer(0);
  assertStrictEquals(moved.byteLength, 0);
  assertEquals([buffer.byteLength, bytes.length, words.length, words.byteOffset], [0, 0, 0, 0]);
  assertStrictEquals(words[0], undefined);
  bytes[0] = 1;
  assertStrictEquals(bytes[0], undefined);
  assertThrows(() => Atomics.load(words, 0));
  assertThrows(() => view.getInt8(0), TypeError);
});

Deno.test("a number below 2^53 is split into its 32-bit words by plain stores", () => {
  const words = new Int32Array(2);
  for (const address of [0x7fff_ffff_f123, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 2 ** 52 + 12_345]) {
    words[0] = address;
    words[1] = address / 0x1_0000_0000;
    assertStrictEquals(new BigUint64Array(words.buffer)[0], BigInt(address));
  }
});

Deno.test("setImmediate() lets timers and promises run between", async () => {
  const order: string[] = [];
  setTimeout(() => order.push("timer"), 0);
  const untilMs = performance.now() + 5;
  while (performance.now() < untilMs);
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve));
  assertEquals(order, ["timer"]);
});

/** Has a worker map the object and add {@linkcode ADDITIONS} times one to word 0. */
function addInWorker(name: string): Promise<void> {
  const worker = new Worker(new URL("./add_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.onmessage = () => {
    worker.terminate();
    resolve();
  };
  worker.onerror = (event) => {
    event.preventDefault();
    worker.terminate();
    reject(new Error(event.message));
  };
  const order: AddOrder = { name, additions: ADDITIONS };
  worker.postMessage(order);
  return promise;
}
