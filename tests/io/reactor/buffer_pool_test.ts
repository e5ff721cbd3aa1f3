import assert from "node:assert/strict";
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
  assert.equal(held.length, bufferCountMax);
  return { pool, held };
}

Deno.test("BufferPool gives at most bufferCountMax buffers, and makes memory as needed", () => {
  for (const bufferCountMax of [1, 2, BUFFERS_PER_SLAB - 1, BUFFERS_PER_SLAB, BUFFERS_PER_SLAB + 1, 100]) {
    const pool = plainPool({ bufferCountMax, bufferByteLength: 1024 });
    assert.equal(pool.slabs.length, 0);
    for (let count = 1; count <= bufferCountMax; count++) {
      assert.equal(pool.exhausted, false);
      assert.ok(pool.acquire() !== undefined);
      assert.equal(pool.heldCount, count);
      assert.equal(pool.slabs.length, Math.ceil(count / BUFFERS_PER_SLAB));
    }
    assert.equal(pool.exhausted, true);
    assert.equal(pool.acquire(), undefined);
    assert.equal(pool.heldCount, bufferCountMax);
  }
});

Deno.test("BufferPool buffers do not overlap, and lie where they say", () => {
  const { pool, held } = exhaustedPool(70);
  for (const [index, buffer] of held.entries()) {
    assert.equal(buffer.bytes.byteLength, pool.bufferByteLength);
    assert.equal(buffer.bytes.buffer, buffer.slab.bytes.buffer);
    assert.equal(buffer.bytes.byteOffset, buffer.slab.bytes.byteOffset + buffer.offset);
    buffer.bytes.fill(index);
  }
  for (const [index, buffer] of held.entries()) {
    assert.ok(buffer.bytes.every((byte) => byte === index), `buffer ${index} was written by another`);
  }
});

Deno.test("BufferPool has the defaults that it documents", () => {
  const pool = plainPool();
  assert.deepEqual([pool.bufferByteLength, pool.bufferCountMax], [BUFFER_BYTE_LENGTH, BUFFER_COUNT_MAX]);
  assert.deepEqual([BUFFER_BYTE_LENGTH, BUFFER_COUNT_MAX], [16_384, 8192]);
});

Deno.test("BufferPool refuses sizes out of range", () => {
  for (const bufferByteLength of [0, 1023, -1, 1024.5, NaN, Infinity]) {
    assert.throws(() => plainPool({ bufferByteLength }), RangeError, `bufferByteLength ${bufferByteLength}`);
  }
  for (const bufferCountMax of [0, -1, 1.5, NaN, Infinity]) {
    assert.throws(() => plainPool({ bufferCountMax }), RangeError, `bufferCountMax ${bufferCountMax}`);
  }
});

Deno.test("BufferPool.acquire() gives the buffer that came back last", () => {
  const { pool, held } = exhaustedPool(3);
  for (const buffer of [held[0], held[2], held[1]]) pool.release(buffer);
  assert.deepEqual([pool.acquire(), pool.acquire(), pool.acquire()], [held[1], held[2], held[0]]);
});

Deno.test("BufferPool.release() of a buffer that nobody holds is a mistake", () => {
  const pool = plainPool();
  const buffer = pool.acquire() as PooledBuffer;
  pool.release(buffer);
  assert.throws(() => pool.release(buffer), InvariantError);
  assert.equal(pool.heldCount, 0);
});

Deno.test("BufferPool.whenAvailable() calls back in the order of the calls, one for each buffer", async () => {
  const { pool, held } = exhaustedPool(2);
  const order: number[] = [];
  for (let index = 0; index < 5; index++) {
    pool.whenAvailable(() => {
      assert.ok(pool.acquire() !== undefined);
      order.push(index);
    });
  }
  assert.equal(pool.waitingCount, 5);
  pool.release(held[0]);
  assert.deepEqual(order, [], "called back from inside release()");
  await nextTurn();
  assert.deepEqual(order, [0]);
  pool.release(held[1]);
  await nextTurn();
  assert.deepEqual(order, [0, 1]);
  assert.equal(pool.waitingCount, 3);
  pool.release(held[0]);
  pool.release(held[1]);
  await nextTurn();
  assert.deepEqual(order, [0, 1, 2, 3]);
});

Deno.test("BufferPool.release() with others waiting gives nothing to the one that released", async () => {
  const { pool, held } = exhaustedPool(1);
  let taken: PooledBuffer | undefined;
  pool.whenAvailable(() => taken = pool.acquire());
  pool.release(held[0]);
  assert.equal(pool.exhausted, true);
  assert.equal(pool.acquire(), undefined);
  await nextTurn();
  assert.equal(taken, held[0]);
});

Deno.test("BufferPool.release() sets aside no more than those who wait can take", async () => {
  const { pool, held } = exhaustedPool(3);
  let taken: PooledBuffer | undefined;
  pool.whenAvailable(() => taken = pool.acquire());
  for (const buffer of held) pool.release(buffer);
  assert.ok(pool.acquire() !== undefined);
  assert.ok(pool.acquire() !== undefined);
  assert.equal(pool.acquire(), undefined);
  await nextTurn();
  assert.ok(taken !== undefined);
  assert.equal(pool.heldCount, 3);
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
  assert.deepEqual(order, ["gone", "gone, too", "taken"]);
  assert.equal(pool.waitingCount, 1);
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
  assert.equal(callCount, 1);
  assert.equal(pool.acquire(), held[0], "a buffer that nobody took is for whoever asks");
});

Deno.test("BufferPool.forget() withdraws a wait, also of one that is about to be served", async () => {
  const { pool, held } = exhaustedPool(1);
  const order: string[] = [];
  const forgotten = () => order.push("forgotten");
  pool.whenAvailable(forgotten);
  pool.forget(forgotten);
  assert.equal(pool.waitingCount, 0);
  pool.whenAvailable(forgotten);
  pool.whenAvailable(() => order.push("next"));
  pool.release(held[0]);
  pool.forget(forgotten);
  await nextTurn();
  assert.deepEqual(order, ["next"]);
  pool.forget(forgotten);
  assert.equal(pool.acquire(), held[0]);
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
  assert.deepEqual(order, Array.from({ length: 20 }, (_, index) => index));
  assert.equal(pool.heldCount, 0);
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
  await assert.rejects(given, reason);
  assert.equal(await withWatchdog(10_000, () => next), held[0]);
  assert.equal(abort.listenerCount, 0);
  await assert.rejects(waitForBuffer(pool, abort.signal), reason);
  assert.equal(pool.waitingCount, 0);
});

Deno.test("waitForBuffer() waits while all buffers are held", async () => {
  const { pool, held } = exhaustedPool(2);
  const waiting = waitForBuffer(pool);
  assert.equal(await stateOf(waiting), "pending");
  pool.release(held[1]);
  assert.equal(await waiting, held[1]);
});
