import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../../support/assertions.ts";
import { join } from "node:path";
import { type DriverFile, UringDriver } from "../../../../src/io/reactor/mod.ts";
import { FILE_BUFFERS_MAX } from "../../../../src/io/reactor/uring/uring_file.ts";
import { conformanceTests, type Harness } from "../../../support/driver_harness.ts";
import { patternBytes } from "../../../support/driver_seed.ts";
import { uringUnderTest } from "../../../support/driver_uring.ts";

const BUFFER_BYTES = 4096;
const small = conformanceTests(uringUnderTest("full", { bufferByteLength: BUFFER_BYTES, bufferCountMax: 3 }));

function open(harness: Harness): Promise<DriverFile> {
  return harness.driver.openFile(join(harness.directory, "file"), { read: true, write: true, create: true });
}

/** Writes all of `bytes`, which takes several calls when buffers are short; returns how many. */
async function writeAll(file: DriverFile, bytes: Uint8Array, position: number): Promise<number> {
  let calls = 0;
  for (let at = 0; at < bytes.byteLength; calls++) {
    const count = await file.writeAt(bytes.subarray(at), position + at);
    assert(count > 0);
    at += count;
  }
  return calls;
}

small("File.writeAt() is short when buffers are, and never waits for a second one", async (harness) => {
  const file = await open(harness);
  const bytes = patternBytes(harness.seed, 5 * BUFFER_BYTES);
  const count = await file.writeAt(bytes, 0);
  assert(count > 0 && count < 3 * BUFFER_BYTES);
  const into = new Uint8Array(bytes.byteLength);
  assertStrictEquals(await file.readAt(into, 0), count);
  assertEquals(into.subarray(0, count), bytes.subarray(0, count));
  await file.close();
});

small("File: transfers that need all buffers do not wait for each other for ever", async (harness) => {
  const file = await open(harness);
  const blocks = Array.from({ length: 10 }, (_, index) => patternBytes(index, 3 * BUFFER_BYTES));
  const calls = await Promise.all(
    blocks.map((block, index) => writeAll(file, block, index * 3 * BUFFER_BYTES)),
  );
  assert(calls.some((count) => count > 1));
  for (const [index, block] of blocks.entries()) {
    const into = new Uint8Array(block.byteLength);
    for (let at = 0; at < into.byteLength;) {
      at += await file.readAt(into.subarray(at), index * 3 * BUFFER_BYTES + at);
    }
    assertEquals(into, block);
  }
  await file.close();
});

small("File: one who waits for a buffer can give up, and those behind go on", async (harness) => {
  const file = await open(harness);
  const held = [1, 2, 3].map(() => {
    const buffer = harness.driver.buffers.acquire();
    assert(buffer !== undefined);
    return buffer;
  });
  const controller = new AbortController();
  const first = file.writeAt(new Uint8Array(10), 0, { signal: controller.signal });
  const second = file.writeAt(new Uint8Array([7]), 100);
  await harness.sleep(2);
  controller.abort(new Error("given up"));
  harness.driver.buffers.release(held[0]);
  await assertRejectsMatching(() => first, /given up/);
  assertStrictEquals(await second, 1);
  for (const buffer of held.slice(1)) harness.driver.buffers.release(buffer);
  await file.close();
});

conformanceTests(uringUnderTest("full", { bufferByteLength: 1024 }))(
  "File moves data with the smallest buffers, and the most of them",
  async (harness) => {
    const file = await open(harness);
    const bytes = patternBytes(harness.seed, 100 * 1024);
    const count = await file.writeAt(bytes, 0);
    assert(count > 0 && count <= FILE_BUFFERS_MAX * 1024);
    await writeAll(file, bytes, 0);
    const into = new Uint8Array(bytes.byteLength);
    for (let at = 0; at < into.byteLength;) at += await file.readAt(into.subarray(at), at);
    assertEquals(into, bytes);
    await file.close();
  },
);

small("File.close() of the driver ends what waits for a buffer", async (harness) => {
  const { driver } = harness;
  assert(driver instanceof UringDriver);
  const file = await open(harness);
  const held = [1, 2, 3].map(() => driver.buffers.acquire());
  const waiting = file.writeAt(new Uint8Array(10), 0);
  await harness.sleep(1);
  harness.reactor.close();
  for (const buffer of held) {
    assert(buffer !== undefined);
    driver.buffers.release(buffer);
  }
  await assertRejectsMatching(() => waiting, { code: "EBADF" });
  assertStrictEquals(driver.buffers.heldCount, 0);
});
