import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import type { DriverFile, OpenFileOptions } from "../../src/io/reactor/mod.ts";
import { CountedAbort } from "../base/timer/support.ts";
import { assertSystemError, type ConformanceTest, type Harness, rejection } from "./driver_harness.ts";
import { patternBytes } from "./driver_seed.ts";

const FRESH: OpenFileOptions = { read: true, write: true, createNew: true };
const FOUR_GIB = 2 ** 32;

/** Registers what {@linkcode Driver.openFile} promises. */
export function testOpening(test: ConformanceTest): void {
  test(".openFile() fails with NotFound where there is nothing", async (harness) => {
    const missing = { type: Deno.errors.NotFound, operation: "open", code: "ENOENT" };
    assertSystemError(await rejection(open(harness, "missing", { read: true })), missing);
    assertSystemError(await rejection(open(harness, "missing/file", FRESH)), missing);
    assertStrictEquals(harness.driver.buffers.heldCount, 0);
  });

  test(".openFile() with createNew fails with AlreadyExists", async (harness) => {
    await (await open(harness, "file", FRESH)).close();
    const error = await rejection(open(harness, "file", FRESH));
    assertSystemError(error, { type: Deno.errors.AlreadyExists, operation: "open", code: "EEXIST" });
  });

  test(".openFile() names the file in its errors", async (harness) => {
    const error = await rejection(open(harness, "the name of it", { read: true }));
    assertMatch(String(error), /the name of it/);
  });

  test(".openFile() creates, keeps and truncates as told", async (harness) => {
    const bytes = patternBytes(harness.seed, 100);
    const first = await open(harness, "file", { write: true, create: true });
    assertStrictEquals(await first.writeAt(bytes, 0), 100);
    await first.close();
    const again = await open(harness, "file", { read: true, write: true, create: true });
    assertEquals(await readAll(again, 200), bytes);
    await again.close();
    const emptied = await open(harness, "file", { read: true, write: true, truncate: true });
    assertEquals(await readAll(emptied, 200), new Uint8Array());
    await emptied.close();
  });

  test(".openFile() writes no directory, and reads nothing from one", async (harness) => {
    harness.makeDirectory(join(harness.directory, "directory"));
    const writing = await rejection(open(harness, "directory", { write: true }));
    assertSystemError(writing, { type: Deno.errors.IsADirectory, operation: "open", code: "EISDIR" });
    const directory = await open(harness, "directory", { read: true });
    const reading = await rejection(directory.readAt(new Uint8Array(10), 0));
    assertSystemError(reading, { type: Deno.errors.IsADirectory, operation: "read", code: "EISDIR" });
    await directory.sync();
    await directory.close();
  });

  test(".openFile() fails with NotADirectory below a file", async (harness) => {
    await (await open(harness, "file", FRESH)).close();
    const error = await rejection(open(harness, "file/below", { read: true }));
    assertSystemError(error, { type: Deno.errors.NotADirectory, operation: "open", code: "ENOTDIR" });
  });

  test(".openFile() refuses what makes no sense", async (harness) => {
    assert(await rejection(open(harness, "file", {})) instanceof TypeError);
    assert(await rejection(open(harness, "zero\0byte", { read: true })) instanceof TypeError);
    assertStrictEquals(harness.driver.buffers.heldCount, 0);
  });

  test(".openFile() rejects with the signal's reason and leaves no listener", async (harness) => {
    const reason = new Error("given up");
    const early = new CountedAbort();
    early.abort(reason);
    assertStrictEquals(await rejection(open(harness, "file", { ...FRESH, signal: early.signal })), reason);
    const late = new CountedAbort();
    const opening = open(harness, "file", { ...FRESH, signal: late.signal });
    late.abort(reason);
    assertStrictEquals(await rejection(opening), reason);
    const calm = new CountedAbort();
    await (await open(harness, "other", { ...FRESH, signal: calm.signal })).close();
    assertEquals([early.listenerCount, calm.listenerCount], [0, 0]);
    // Cancelling is a request: the operation lives on until it has completed.
    await harness.until(() => late.listenerCount === 0 && harness.driver.buffers.heldCount === 0);
  });
}

/** Registers what {@linkcode DriverFile} promises. */
export function testFiles(test: ConformanceTest): void {
  test("File reads back what was written at positions, in one view or several", async (harness) => {
    const file = await open(harness, "file", FRESH);
    const model = new Uint8Array(100_000);
    let end = 0;
    for (let round = 0; round < 30; round++) {
      const position = harness.random.below(90_000);
      const bytes = patternBytes(harness.seed + round, harness.random.below(10_000));
      const written = await file.writeAt(cut(harness, bytes), position);
      assertStrictEquals(written, bytes.byteLength);
      model.set(bytes, position);
      if (written > 0) end = Math.max(end, position + written);
      const from = harness.random.below(100_000);
      const into = new Uint8Array(harness.random.below(20_000)).fill(0xff);
      const count = await file.readAt(cut(harness, into), from);
      assertStrictEquals(count, Math.max(0, Math.min(into.byteLength, end - from)));
      assertEquals(into.subarray(0, count), model.subarray(from, from + count));
      assert(into.subarray(count).every((byte) => byte === 0xff), "wrote beyond what it read");
    }
    await file.close();
  });

  test("File reads and writes beyond 4 GiB", async (harness) => {
    const file = await open(harness, "sparse", FRESH);
    const bytes = patternBytes(harness.seed, 5000);
    for (const position of [FOUR_GIB - 2500, 5 * FOUR_GIB + 12_345]) {
      assertStrictEquals(await file.writeAt(bytes, position), bytes.byteLength);
      const into = new Uint8Array(bytes.byteLength);
      assertStrictEquals(await file.readAt(into, position), bytes.byteLength);
      assertEquals(into, bytes);
      assertStrictEquals(await file.readAt(new Uint8Array(10), position + bytes.byteLength), 0);
    }
    const hole = new Uint8Array(100).fill(1);
    assertStrictEquals(await file.readAt(hole, 2 * FOUR_GIB), 100);
    assertEquals(hole, new Uint8Array(100));
    await file.close();
  });

  test("File.readAt() is short at the end of the file, then 0", async (harness) => {
    const file = await open(harness, "file", FRESH);
    await file.writeAt(new Uint8Array([1, 2, 3]), 0);
    const into = new Uint8Array(10);
    assertStrictEquals(await file.readAt(into, 1), 2);
    assertEquals(into.subarray(0, 3), new Uint8Array([2, 3, 0]));
    assertStrictEquals(await file.readAt(into, 3), 0);
    assertStrictEquals(await file.readAt(into, 1000), 0);
    await file.close();
  });

  test("File moves megabytes, in as many calls as it takes", async (harness) => {
    const file = await open(harness, "large", FRESH);
    const bytes = patternBytes(harness.seed, 4 << 20);
    for (let at = 0; at < bytes.byteLength;) {
      const count = await file.writeAt(bytes.subarray(at), at);
      assert(count > 0);
      at += count;
    }
    const read = await readAll(file, bytes.byteLength);
    assert(read.every((byte, index) => byte === bytes[index]) && read.byteLength === bytes.byteLength);
    await file.close();
  });

  test("File takes thousands of views, and empty ones", async (harness) => {
    const file = await open(harness, "views", FRESH);
    const bytes = patternBytes(harness.seed, 3000);
    const views = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
    views.splice(7, 0, new Uint8Array());
    let written = 0;
    while (written < bytes.byteLength) {
      const rest = written === 0 ? views : bytes.subarray(written);
      const count = await file.writeAt(rest, written);
      assert(count > 0);
      written += count;
    }
    const into = Array.from({ length: 3000 }, () => new Uint8Array(1));
    const count = await file.readAt([new Uint8Array(), ...into], 0);
    assert(count > 0);
    assertEquals(Uint8Array.from(into.slice(0, count), (view) => view[0]), bytes.subarray(0, count));
    await file.close();
  });

  test("File answers 0 for nothing", async (harness) => {
    const file = await open(harness, "file", FRESH);
    for (const nothing of [new Uint8Array(), [], [new Uint8Array(), new Uint8Array()]]) {
      assertStrictEquals(await file.writeAt(nothing, 0), 0);
      assertStrictEquals(await file.readAt(nothing, 0), 0);
    }
    await file.close();
  });

  test("File works on many requests at once", async (harness) => {
    const file = await open(harness, "file", FRESH);
    const blocks = Array.from({ length: 64 }, (_, index) => patternBytes(harness.seed + index, 4096));
    const written = await Promise.all(blocks.map((block, index) => file.writeAt(block, index * 4096)));
    assertEquals(written, Array(64).fill(4096));
    const read = await Promise.all(blocks.map(async (_, index) => {
      const into = new Uint8Array(4096);
      await file.readAt(into, index * 4096);
      return into;
    }));
    assertEquals(read, blocks);
    await file.close();
  });

  test("File.writeAt() has taken its bytes when it returns its promise", async (harness) => {
    const file = await open(harness, "file", FRESH);
    const bytes = patternBytes(harness.seed, 5000);
    const expected = bytes.slice();
    const writing = file.writeAt(bytes, 0);
    await Promise.resolve();
    await Promise.resolve();
    bytes.fill(0);
    await writing;
    assertEquals(await readAll(file, 5000), expected);
    await file.close();
  });

  test("File.sync() and syncData() succeed", async (harness) => {
    const file = await open(harness, "file", FRESH);
    await file.writeAt(new Uint8Array(10), 0);
    await file.syncData();
    await file.sync();
    await file.close();
  });

  test("File does only what it was opened for", async (harness) => {
    const file = await open(harness, "file", { write: true, createNew: true });
    const denied = { type: Deno.errors.BadResource, code: "EBADF" };
    assertSystemError(await rejection(file.readAt(new Uint8Array(1), 0)), { ...denied, operation: "read" });
    await file.close();
    const readable = await open(harness, "file", { read: true });
    assertSystemError(await rejection(readable.writeAt(new Uint8Array(1), 0)), {
      ...denied,
      operation: "write",
    });
    await readable.close();
  });

  test("File refuses positions that are none", async (harness) => {
    const file = await open(harness, "file", FRESH);
    for (const position of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
      assert(await rejection(file.readAt(new Uint8Array(1), position)) instanceof RangeError);
      assert(await rejection(file.writeAt(new Uint8Array(1), position)) instanceof RangeError);
    }
    await file.close();
  });

  test("File.close() lets requests end first, and is the last", async (harness) => {
    const file = await open(harness, "file", FRESH);
    const writes = Array.from({ length: 10 }, (_, index) => file.writeAt(new Uint8Array([index]), index));
    // Until they are under way, and not much longer.
    for (let turn = 0; turn < 8; turn++) await null;
    let settled = 0;
    for (const write of writes) write.then(() => settled++);
    await Promise.all([file.close(), file.close()]);
    for (let turn = 0; turn < 8; turn++) await null;
    assertStrictEquals(settled, 10);
    assertEquals(await Promise.all(writes), Array(10).fill(1));
    const closed = { type: Deno.errors.BadResource, code: "EBADF" };
    assertSystemError(await rejection(file.readAt(new Uint8Array(1), 0)), { ...closed, operation: "read" });
    assertSystemError(await rejection(file.writeAt(new Uint8Array(1), 0)), { ...closed, operation: "write" });
    assertSystemError(await rejection(file.sync()), { ...closed, operation: "fsync" });
    assertSystemError(await rejection(file.syncData()), { ...closed, operation: "fdatasync" });
    await file.close();
  });

  test("File rejects with the signal's reason and leaves no listener", async (harness) => {
    const file = await open(harness, "file", FRESH);
    await file.writeAt(new Uint8Array(100), 0);
    const reason = new Error("given up");
    const calls = [
      (signal: AbortSignal) => file.readAt(new Uint8Array(10), 0, { signal }),
      (signal: AbortSignal) => file.writeAt(new Uint8Array(10), 0, { signal }),
      (signal: AbortSignal) => file.sync({ signal }),
      (signal: AbortSignal) => file.syncData({ signal }),
    ];
    for (const call of calls) {
      const [early, late, calm] = [new CountedAbort(), new CountedAbort(), new CountedAbort()];
      early.abort(reason);
      assertStrictEquals(await rejection(call(early.signal)), reason);
      const running = call(late.signal);
      late.abort(reason);
      assertStrictEquals(await rejection(running), reason);
      await call(calm.signal);
      assertEquals([early.listenerCount, calm.listenerCount], [0, 0]);
      await harness.until(() => late.listenerCount === 0 && harness.driver.buffers.heldCount === 0);
    }
    await file.close();
  });

  test("File.readAt() that was aborted does not touch the caller's memory afterwards", async (harness) => {
    const file = await open(harness, "file", FRESH);
    await file.writeAt(new Uint8Array(1000).fill(7), 0);
    for (let round = 0; round < 10; round++) {
      const controller = new AbortController();
      const into = new Uint8Array(1000);
      const reading = file.readAt(into, 0, { signal: controller.signal });
      if (harness.random.below(2) === 0) await Promise.resolve();
      controller.abort();
      await rejection(reading);
      await harness.sleep(1);
      assertEquals(into, new Uint8Array(1000));
    }
    await file.close();
  });
}

function open(harness: Harness, name: string, options: OpenFileOptions): Promise<DriverFile> {
  return harness.driver.openFile(join(harness.directory, name), options);
}

/** `bytes` as one view, or cut into several at random. */
function cut(harness: Harness, bytes: Uint8Array): Uint8Array | Uint8Array[] {
  const { random } = harness;
  if (random.below(3) === 0) return bytes;
  const views: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const end = Math.min(bytes.byteLength, at + random.below(3000));
    views.push(bytes.subarray(at, end));
    at = end;
  }
  return views;
}

async function readAll(file: DriverFile, byteLengthMax: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(byteLengthMax);
  let at = 0;
  for (let count = -1; count !== 0 && at < byteLengthMax; at += count) {
    count = await file.readAt(bytes.subarray(at), at);
  }
  return bytes.subarray(0, at);
}
