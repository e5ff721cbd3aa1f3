import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  closeDescriptor,
  createSharedObject,
  isByteLocked,
  listSharedObjects,
  openSharedObject,
  processStartedMs,
  readAt,
  reserveSharedObject,
  resize,
  SharedMapping,
  statSharedObject,
  tryLockByte,
  unlinkSharedObject,
  unlockByte,
  writeAt,
} from "../../ffi/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../support/driver_native.ts";
import { testName } from "../support/test_name.ts";

const PAGE_BYTES = 4096;

nameSkipReason("shared objects", nativeSkipReason());

/** An object with nothing in it, unlinked afterwards. */
function withObject(body: (fd: number, name: string) => void): void {
  const name = `/millrace_${testName()}`;
  const fd = createSharedObject(name);
  try {
    body(fd, name);
  } finally {
    closeDescriptor(fd);
    unlinkSharedObject(name);
  }
}

nativeTest("statSharedObject() tells size, mode, kind and names", () => {
  const name = `/millrace_${testName()}`;
  const fd = createSharedObject(name, 0o640);
  try {
    const expected = { byteLength: 0, mode: 0o640, isRegular: true, nameCount: 1 };
    assertEquals(statSharedObject(fd), expected);
    resize(fd, 100);
    assertEquals(statSharedObject(fd), { ...expected, byteLength: 100 });
    unlinkSharedObject(name);
    assertEquals(statSharedObject(fd), { ...expected, byteLength: 100, nameCount: 0 });
  } finally {
    closeDescriptor(fd);
  }
  assertThrows(() => statSharedObject(-1), Deno.errors.BadResource);
});

nativeTest("reserveSharedObject() makes an object larger, with all its pages", () => {
  withObject((fd, name) => {
    reserveSharedObject(fd, 10 * PAGE_BYTES);
    assertStrictEquals(statSharedObject(fd).byteLength, 10 * PAGE_BYTES);
    assertStrictEquals(Deno.statSync(`/dev/shm${name}`).blocks, 10 * PAGE_BYTES / 512);
    assertThrows(() => reserveSharedObject(fd, 0), Deno.errors.InvalidData);
    assertThrows(() => reserveSharedObject(fd, 2 ** 60));
    assertThrows(() => reserveSharedObject(-1, 1), Deno.errors.BadResource);
  });
});

nativeTest("readAt() and writeAt() reach what is there, and no more", () => {
  withObject((fd) => {
    const out = new Uint8Array(8);
    assertStrictEquals(readAt(fd, out, 0), 0);
    writeAt(fd, new Uint8Array([1, 2, 3]), 5);
    assertStrictEquals(readAt(fd, out, 4), 4);
    assertEquals([...out], [0, 1, 2, 3, 0, 0, 0, 0]);
    assertStrictEquals(readAt(fd, out, 8), 0);
    assertThrows(() => readAt(-1, out, 0), Deno.errors.BadResource);
    assertThrows(() => writeAt(-1, out, 0), Deno.errors.BadResource);
  });
});

nativeTest("listSharedObjects() finds names by how they begin, however many there are", () => {
  const prefix = `millrace_${testName()}_`;
  const names = Array.from({ length: 200 }, (_, index) => prefix + String(index).padStart(100, "0"));
  const fds = names.map((name) => createSharedObject(`/${name}`));
  try {
    assertEquals(listSharedObjects(prefix).sort(), names);
    assertEquals(listSharedObjects(`${prefix}1`), []);
    assert(listSharedObjects("").length >= 200);
  } finally {
    for (const fd of fds) closeDescriptor(fd);
    for (const name of names) unlinkSharedObject(`/${name}`);
  }
  assertEquals(listSharedObjects(prefix), []);
});

nativeTest("tryLockByte() is an opener's: shared by any number, or one's alone", () => {
  withObject((first, name) => {
    const [second, third] = [openSharedObject(name), openSharedObject(name)];
    assert(tryLockByte(first, 9, "shared"));
    assert(tryLockByte(second, 9, "shared"));
    assertStrictEquals(tryLockByte(second, 9, "exclusive"), false);
    assertStrictEquals(tryLockByte(third, 9, "exclusive"), false);
    assert(tryLockByte(third, 8, "exclusive"));
    assertEquals([isByteLocked(first, 9), isByteLocked(third, 9), isByteLocked(first, 8)], [
      true,
      true,
      true,
    ]);
    assertEquals([isByteLocked(third, 8), isByteLocked(first, 10)], [false, false]);
    unlockByte(first, 9);
    // In one step: nobody comes in between.
    assert(tryLockByte(second, 9, "exclusive"));
    assertStrictEquals(tryLockByte(first, 9, "shared"), false);
    assert(tryLockByte(second, 9, "shared"));
    assert(tryLockByte(first, 9, "shared"));
    closeDescriptor(third);
    assertStrictEquals(isByteLocked(first, 8), false);
    closeDescriptor(second);
    assertStrictEquals(isByteLocked(first, 9), false);
  });
  assertThrows(() => tryLockByte(-1, 0, "shared"), Deno.errors.BadResource);
  assertThrows(() => isByteLocked(-1, 0), Deno.errors.BadResource);
});

nativeTest("SharedMapping shows a part of an object, at one address for all who open it", () => {
  withObject((fd, name) => {
    resize(fd, 3 * PAGE_BYTES);
    using mapping = SharedMapping.open(fd, 3 * PAGE_BYTES, PAGE_BYTES, 5000);
    assertStrictEquals(mapping.bytes.byteLength, 5000);
    const again = openSharedObject(name);
    const other = SharedMapping.open(again, 3 * PAGE_BYTES, 0, PAGE_BYTES + 1);
    closeDescriptor(again);
    mapping.bytes[0] = 7;
    assertStrictEquals(other.bytes[PAGE_BYTES], 7);
    const maps = () => Deno.readTextFileSync("/proc/self/maps").split(name).length - 1;
    assertStrictEquals(maps(), 1);
    other.close();
    other.close();
    assertStrictEquals(other.bytes.byteLength, 0);
    assertEquals([maps(), mapping.bytes[0]], [1, 7]);
    mapping.close();
    assertStrictEquals(maps(), 0);
  });
});

nativeTest("SharedMapping.open() refuses what is not within the object", () => {
  withObject((fd) => {
    resize(fd, PAGE_BYTES);
    for (const [offset, byteLength] of [[0, 0], [0, PAGE_BYTES + 1], [PAGE_BYTES, 1], [-1, 10], [0, NaN]]) {
      assertThrows(() => SharedMapping.open(fd, PAGE_BYTES, offset, byteLength), RangeError);
    }
    assertThrows(() => SharedMapping.open(-1, PAGE_BYTES, 0, 1), Deno.errors.BadResource);
  });
});

nativeTest("processStartedMs() is a time before now, and always the same", async () => {
  const startedMs = processStartedMs();
  assert(startedMs > 0 && startedMs <= Date.now());
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert(Math.abs(processStartedMs() - startedMs) < 1000);
});
