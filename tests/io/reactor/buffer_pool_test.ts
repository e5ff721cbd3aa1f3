import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import {
  BUFFER_BYTE_LENGTH,
  BUFFER_COUNT_MAX,
  BufferPool,
  BUFFERS_PER_SLAB,
  type PooledBuffer,
  waitForBuffer,
} from "../../../src/io/reactor/mod.ts";
import { InvariantError } from "../../../src/base/mod.ts";
import { CountedAbort, nextTurn, stateOf } from "../../base/timer/support.ts";
import { plainPool } from "../../support/net_fakes.ts";
import { withWatchdog } from "../../support/watchdog.ts";

/** A pool whose every buffer is held. */
function exhaustedPool(bufferCountMax: number): { pool: BufferPool; held: PooledBuffer[] } {
  const pool = plainPool({ bufferCountMax, bufferByteLength: 1024 });
  const held: PooledBuffer[] = [];
  for (let buffer = pool.acquire(); buffer !== undefined; buffer = pool.acquire()) held.push(buffer);
  assertStrictEquals(held.length, bufferCountMax);
  return { pool, held };
}

Deno.test("BufferPool gives at most bufferCountMax buffers, and makes memory as needed", () => {
  for (const bufferCountMax of [1, 2, BUFFERS_PER_SLAB - 1, BUFFERS_PER_SLAB, BUFFERS_PER_SLAB + 1, 100]) {
    const pool = plainPool({ bufferCountMax, bufferByteLength: 1024 });
    assertStrictEquals(pool.slabs.length, 0);
    for (let count = 1; count <= bufferCountMax; count++) {
      assertStrictEquals(pool.exhausted, false);
      assert(pool.acquire() !== undefined);
      assertStrictEquals(pool.heldCount, count);
      assertStrictEquals(pool.slabs.length, Math.ceil(count / BUFFERS_PER_SLAB));
    }
    assertStrictEquals(pool.exhausted, true);
    assertStrictEquals(pool.acquire(), undefined);
    assertStrictEquals(pool.heldCount, bufferCountMax);
  }
});

Deno.test("BufferPool buffers do not overlap, and lie where they say", () => {
  const { pool, held } = exhaustedPool(70);
  for (const [index, buffer] of held.entries()) {
    assertStrictEquals(buffer.bytes.byteLength, pool.bufferByteLength);
    assertStrictEquals(buffer.bytes.buffer, buffer.slab.bytes.buffer);
    assertStrictEquals(buffer.bytes.byteOffset, buffer.slab.bytes.byteOffset + buffer.offset);
    buffer.bytes.fill(index);
  }
  for (const [index, buffer] of held.entries()) {
    assert(buffer.bytes.every((byte) => byte === index), `buffer ${index} was written by another`);
  }
});

Deno.test("BufferPool has the defaults that it documents", () => {
  const pool = plainPool();
  assertEquals([pool.bufferByteLength, pool.bufferCountMax], [BUFFER_BYTE_LENGTH, BUFFER_COUNT_MAX]);
  assertEquals([BUFFER_BYTE_LENGTH, BUFFER_COUNT_MAX], [16_384, 8192]);
});

Deno.test("BufferPool refuses sizes out of range", () => {
  for (const bufferByteLength of [0, 1023, -1, 1024.5, NaN, Infinity]) {
    assertThrows(
      () => plainPool({ bufferByteLength }),
      RangeError,
      undefined,
      `bufferByteLength ${bufferByteLength}`,
    );
  }
  for (const bufferCountMax of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(
      () => plainPool({ bufferCountMax }),
      RangeError,
      undefined,
      `bufferCountMax ${bufferCountMax}`,
    );
  }
});

Deno.test("BufferPool.acquire() gives the buffer that came back last", () => {
  const { pool, held } = exhaustedPool(3);
  for (const buffer of [held[0], held[2], held[1]]) pool.release(buffer);
  assertEquals([pool.acquire(), pool.acquire(), pool.acquire()], [held[1], held[2], held[0]]);
});

Deno.test("BufferPool.release() of a buffer that nobody holds is a mistake", () => {
  const pool = plainPool();
  const buffer = pool.acquire() as PooledBuffer;
  pool.release(buffer);
  assertThrows(() => pool.release(buffer), InvariantError);
  assertStrictEquals(pool.heldCount, 0);
});

Deno.test("BufferPool.whenAvailable() calls back in the order of the calls, one for each buffer", async () => {
  const { pool, held } = exhaustedPool(2);
  const order: number[] = [];
  for (let index = 0; index < 5; index++) {
    pool.whenAvailable(() => {
      assert(pool.acquire() !== undefined);
      order.push(index);
    });
  }
  assertStrictEquals(pool.waitingCount, 5);
  pool.release(held[0]);
  assertEquals(order, [], "called back from inside release()");
  await nextTurn();
  assertEquals(order, [0]);
  pool.release(held[1]);
  await nextTurn();
  assertEquals(order, [0, 1]);
  assertStrictEquals(pool.waitingCount, 3);
  pool.release(held[0]);
  pool.release(held[1]);
  await nextTurn();
  assertEquals(order, [0, 1, 2, 3]);
});

Deno.test("BufferPool.release() with others waiting gives nothing to the one that released", async () => {
  const { pool, held } = exhaustedPool(1);
  let taken: PooledBuffer | undefined;
  pool.whenAvailable(() => taken = pool.acquire());
  pool.release(held[0]);
  assertStrictEquals(pool.exhausted, true);
  assertStrictEquals(pool.acquire(), undefined);
  await nextTurn();
  assertStrictEquals(taken, held[0]);
});

Deno.test("BufferPool.release() sets aside no more than those who wait can take", async () => {
  const { pool, held } = exhaustedPool(3);
  let taken: PooledBuffer | undefined;
  pool.whenAvailable(() => taken = pool.acquire());
  for (const buffer of held) pool.release(buffer);
  assert(pool.acquire() !== undefined);
  assert(pool.acquire() !== undefined);
  assertStrictEquals(pool.acquire(), undefined);
  await nextTurn();
  assert(taken !== undefined);
  assertStrictEquals(pool.heldCount, 3);
});

Deno.test("BufferPool offers a buffer to the next when the first does not take it", async () => {
  const { pool, held } = exhaustedPool(1);
  const order: string[] = [];
  pool.whenAvailable(() => order.push("gone"));
  pool.whenAvailable(() => order.push("gone, too"));
  pool.whenAvailable(() => {
    order.push("taken");
    pool.acquire();
  });
  pool.whenAvailable(() => order.push("too late"));
  pool.release(held[0]);
  await nextTurn();
  assertEquals(order, ["gone", "gone, too", "taken"]);
  assertStrictEquals(pool.waitingCount, 1);
});

Deno.test("BufferPool asks nobody twice for one buffer, even those who wait again at once", async () => {
  const { pool, held } = exhaustedPool(1);
  let callCount = 0;
  const again = () => {
    callCount++;
    pool.whenAvailable(again);
  };
  pool.whenAvailable(again);
  pool.release(held[0]);
  await nextTurn();
  assertStrictEquals(callCount, 1);
  assertStrictEquals(pool.acquire(), held[0], "a buffer that nobody took is for whoever asks");
});

Deno.test("BufferPool.forget() withdraws a wait, also of one that is about to be served", async () => {
  const { pool, held } = exhaustedPool(1);
  const order: string[] = [];
  const forgotten = () => order.push("forgotten");
  pool.whenAvailable(forgotten);
  pool.forget(forgotten);
  assertStrictEquals(pool.waitingCount, 0);
  pool.whenAvailable(forgotten);
  pool.whenAvailable(() => order.push("next"));
  pool.release(held[0]);
  pool.forget(forgotten);
  await nextTurn();
  assertEquals(order, ["next"]);
  pool.forget(forgotten);
  assertStrictEquals(pool.acquire(), held[0]);
});

Deno.test("waitForBuffer() serves first come, first served", async () => {
  const { pool, held } = exhaustedPool(1);
  const order: number[] = [];
  const waits = Array.from({ length: 20 }, async (_, index) => {
    const buffer = await waitForBuffer(pool);
    order.push(index);
    pool.release(buffer);
  });
  pool.release(held[0]);
  await withWatchdog(10_000, () => Promise.all(waits));
  assertEquals(order, Array.from({ length: 20 }, (_, index) => index));
  assertStrictEquals(pool.heldCount, 0);
});

Deno.test("waitForBuffer() rejects with the reason of its signal, and passes its turn on", async () => {
  const { pool, held } = exhaustedPool(1);
  const abort = new CountedAbort();
  const given = waitForBuffer(pool, abort.signal);
  const next = waitForBuffer(pool);
  const reason = new Error("enough");
  given.catch(() => {});
  // In the very moment in which its turn has come.
  pool.release(held[0]);
  abort.abort(reason);
  await assertRejectsMatching(() => given, reason);
  assertStrictEquals(await withWatchdog(10_000, () => next), held[0]);
  assertStrictEquals(abort.listenerCount, 0);
  await assertRejectsMatching(() => waitForBuffer(pool, abort.signal), reason);
  assertStrictEquals(pool.waitingCount, 0);
});

Deno.test("waitForBuffer() waits while all buffers are held", async () => {
  const { pool, held } = exhaustedPool(2);
  const waiting = waitForBuffer(pool);
  assertStrictEquals(await stateOf(waiting), "pending");
  pool.release(held[1]);
  assertStrictEquals(await waiting, held[1]);
});
