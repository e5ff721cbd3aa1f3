import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  closeDescriptor,
  createSharedObject,
  Mapping,
  openSharedObject,
  PinnedMemory,
  resize,
  sizeOf,
  unlinkSharedObject,
} from "../../ffi/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../support/driver_native.ts";
import { testName } from "../support/test_name.ts";

const PAGE_BYTES = 4096;

nameSkipReason("shared memory", nativeSkipReason());

/** A shared object of two pages, unlinked afterwards. */
function withSharedObject(body: (fd: number, name: string) => void): void {
  const name = `/millrace_${testName()}`;
  const fd = createSharedObject(name);
  try {
    resize(fd, 2 * PAGE_BYTES);
    body(fd, name);
  } finally {
    closeDescriptor(fd);
    unlinkSharedObject(name);
  }
}

nativeTest("createSharedObject() makes a name that openSharedObject() finds, once", () => {
  withSharedObject((fd, name) => {
    assertThrows(() => createSharedObject(name), Deno.errors.AlreadyExists);
    const again = openSharedObject(name);
    assertNotStrictEquals(again, fd);
    assertStrictEquals(sizeOf(again), 2 * PAGE_BYTES);
    closeDescriptor(again);
  });
});

nativeTest("unlinkSharedObject() takes the name away and leaves the memory", () => {
  const name = `/millrace_${testName()}`;
  const fd = createSharedObject(name);
  resize(fd, PAGE_BYTES);
  using mapping = Mapping.create(PAGE_BYTES, fd);
  unlinkSharedObject(name);
  assertThrows(() => openSharedObject(name), Deno.errors.NotFound);
  assertThrows(() => unlinkSharedObject(name), Deno.errors.NotFound);
  closeDescriptor(fd);
  const bytes = new Uint8Array(mapping.buffer);
  bytes[0] = 7;
  assertStrictEquals(bytes[0], 7);
});

nativeTest("createSharedObject() refuses names that are none", () => {
  for (const name of ["", "/", "/with/slash", "/with\0zero", `/${"x".repeat(300)}`]) {
    assertThrows(() => createSharedObject(name), Error, undefined, name);
  }
});

nativeTest("resize() and sizeOf() fail on what is no descriptor", () => {
  for (const fd of [-1, -(2 ** 31), 2 ** 20]) {
    assertThrows(() => resize(fd, 1), Deno.errors.BadResource);
    assertThrows(() => sizeOf(fd), Deno.errors.BadResource);
  }
  assertThrows(() => closeDescriptor(-1), Deno.errors.BadResource);
});

nativeTest("Mapping.create() fails where nothing can be mapped", () => {
  withSharedObject((fd) => {
    assertThrows(() => Mapping.create(0, fd), Deno.errors.InvalidData);
    assertThrows(() => Mapping.create(0), Deno.errors.InvalidData);
    assertThrows(() => Mapping.create(PAGE_BYTES, fd, 1), Deno.errors.InvalidData);
    assertThrows(() => Mapping.create(PAGE_BYTES, 2 ** 20), Deno.errors.BadResource);
    assertThrows(() => Mapping.create(PAGE_BYTES, -2), Deno.errors.BadResource);
    assertThrows(() => Mapping.create(2 ** 50));
  });
});

nativeTest("Mapping shows the same memory through every mapping of an object", () => {
  withSharedObject((fd) => {
    using whole = Mapping.create(2 * PAGE_BYTES, fd);
    using second = Mapping.create(PAGE_BYTES, fd, PAGE_BYTES);
    const words = new Int32Array(whole.buffer);
    const other = new Int32Array(second.buffer);
    Atomics.store(words, PAGE_BYTES / 4, 42);
    assertStrictEquals(Atomics.load(other, 0), 42);
    assertStrictEquals(Atomics.compareExchange(other, 0, 42, 43), 42);
    assertStrictEquals(Atomics.load(words, PAGE_BYTES / 4), 43);
  });
});

nativeTest("Mapping.close() leaves views of length 0, whose use throws and does not crash", () => {
  const mapping = Mapping.create(PAGE_BYTES);
  const { buffer } = mapping;
  const bytes = new Uint8Array(buffer);
  const words = new Int32Array(buffer);
  const view = new DataView(buffer);
  bytes.fill(1);
  mapping.close();
  mapping.close();
  assertStrictEquals(mapping.buffer.byteLength, 0);
  assertEquals([buffer.byteLength, bytes.byteLength, words.length], [0, 0, 0]);
  assertStrictEquals(bytes[0], undefined);
  assertThrows(() => Atomics.load(words, 0));
  assertThrows(() => Atomics.store(words, 0, 1));
  assertThrows(() => view.getUint8(0), TypeError);
  assertThrows(() => new Uint8Array(buffer), TypeError);
  assertThrows(() => bytes.set([1]), TypeError);
});

nativeTest("PinnedMemory is zeroed, writable, and empty once closed", () => {
  const memory = PinnedMemory.allocate(3 * PAGE_BYTES + 1);
  assertStrictEquals(memory.bytes.byteLength, 3 * PAGE_BYTES + 1);
  assert(memory.bytes.every((byte) => byte === 0));
  memory.bytes[3 * PAGE_BYTES] = 9;
  const address = PinnedMemory.addressOf(memory, 10);
  assertStrictEquals((address - 10) % PAGE_BYTES, 0);
  assert(Number.isSafeInteger(address));
  memory.close();
  memory.close();
  assertStrictEquals(memory.bytes.byteLength, 0);
});
