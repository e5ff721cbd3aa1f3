import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { MemoryPool, StaleBlockError } from "../../../src/ipc/state/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { startProgram } from "../../support/net_child.ts";
import { pause, STATE_URL, StateNames } from "../state/support.ts";

nameSkipReason("MemoryPool", nativeSkipReason());

function poolTest(
  name: string,
  body: (one: MemoryPool, other: MemoryPool) => Promise<void> | void,
  shape = { blockCount: 3, blockBytes: 100 },
): void {
  nativeTest(name, async () => {
    using names = new StateNames();
    using one = MemoryPool.create(names.next(), shape);
    using other = MemoryPool.connect(one.name);
    await body(one, other);
  });
}

poolTest("MemoryPool.tryAcquire(): each block has one owner, until it is released", (one, other) => {
  const blocks = [one, other, one].map((pool) => pool.tryAcquire());
  assertEquals(blocks.map((block) => block?.index).sort(), [0, 1, 2]);
  assertEquals([one.tryAcquire(), other.tryAcquire()], [undefined, undefined]);
  blocks[1]?.release();
  assertStrictEquals(one.tryAcquire()?.index, blocks[1]?.index);
});

poolTest(
  "PoolBlock.offer() and MemoryPool.take(): a block changes hands with what is in it, once",
  (one, other) => {
    const block = one.tryAcquire();
    block?.writeAt(3, new Uint8Array([1, 2, 3]));
    const reference = block?.offer() ?? 0;
    assert(Number.isSafeInteger(reference) && reference > 0);
    assertThrowsMatching(() => block?.writeAt(0, new Uint8Array(1)), /write to block \d: it is offered/);
    assertThrows(() => block?.release(), StaleBlockError);
    assertThrows(() => block?.offer(), StaleBlockError);
    assertStrictEquals(one.status().offeredCount, 1);
    const taken = other.take(reference);
    assertEquals([...taken.readAt(3, 3)], [1, 2, 3]);
    assertEquals([...taken.bytes.subarray(3, 6)], [1, 2, 3]);
    assertThrowsMatching(() => other.take(reference), /nobody offers it by \d+, and this opener has it anew/);
    assertThrowsMatching(
      () => one.take(reference),
      /nobody offers it by \d+, and another participant has it/,
    );
    assertStrictEquals(block?.withdraw(), false);
    taken.release();
    assertThrowsMatching(() => taken.readAt(0, 1), /it was released or taken, and it is free/);
    assertStrictEquals(one.status().freeCount, 3);
    assertStrictEquals(one.status().takenCount, 1);
  },
);

poolTest("PoolBlock.withdraw() takes an offer back", (one, other) => {
  const block = one.tryAcquire();
  const reference = block?.offer() ?? 0;
  assertStrictEquals(block?.withdraw(), true);
  assertStrictEquals(block?.withdraw(), false);
  assertThrows(() => other.take(reference), StaleBlockError);
  block?.writeAt(0, new Uint8Array(100));
  block?.release();
});

poolTest("PoolBlock keeps to its bytes", (one, other) => {
  const [block, neighbour] = [one.tryAcquire(), other.tryAcquire()];
  block?.writeAt(0, new Uint8Array(100).fill(1));
  block?.writeAt(100, new Uint8Array(0));
  assertEquals([...neighbour?.readAt(0, 100) ?? []], new Array(100).fill(0));
  for (const at of [-1, 1, 0.5, NaN, 2 ** 32]) {
    assertThrows(() => block?.writeAt(at, new Uint8Array(100)), RangeError);
    assertThrows(() => block?.readAt(at, 100), RangeError);
  }
  assertThrows(() => block?.readAt(0, -1), RangeError);
  assertStrictEquals(block?.bytes.length, 100);
});

poolTest("PoolBlock.release() twice, or of what is another's by now, is refused", (one, other) => {
  const blocks = [one.tryAcquire(), one.tryAcquire(), one.tryAcquire()];
  const [block] = blocks;
  block?.release();
  assertThrowsMatching(() => block?.release(), /release block \d: it was released or taken, and it is free/);
  const theirs = other.tryAcquire();
  assertStrictEquals(theirs?.index, block?.index);
  assertThrowsMatching(() => block?.release(), /and another participant has it/);
  theirs?.release();
  const mine = one.tryAcquire();
  assertThrowsMatching(() => block?.release(), /this opener has it anew/);
  assertStrictEquals(mine?.held, true);
  {
    using _again = mine;
  }
  assertStrictEquals(mine?.held, false);
});

poolTest("MemoryPool.take() refuses what is no reference", (one) => {
  for (const reference of [0, -1, 0.5, NaN, 2 ** 53, 4 * 2 ** 22]) {
    assertThrows(() => one.take(reference), RangeError);
  }
  assertThrowsMatching(() => one.take(1), /nobody offers it by 1, and it is free/);
});

poolTest("MemoryPool.acquire() waits for a block", async (one, other) => {
  const blocks = [one.tryAcquire(), one.tryAcquire(), one.tryAcquire()];
  await assertRejectsMatching(() => other.acquire({ timeoutMs: 3 }), { name: "TimeoutError" });
  assertStrictEquals(other.acquireSync({ timeoutMs: 3 }), undefined);
  const waiting = other.acquire();
  await pause(1);
  blocks[2]?.release();
  assertStrictEquals((await waiting).index, blocks[2]?.index);
});

poolTest("MemoryPool.close() frees what its opener has and offers", async (one, other) => {
  const [owned, offered, third] = [other.tryAcquire(), other.tryAcquire(), other.tryAcquire()];
  const reference = offered?.offer() ?? 0;
  const waiting = one.acquire();
  other.close();
  using _got = await waiting;
  assertThrows(() => one.take(reference), StaleBlockError);
  assertThrows(() => owned?.readAt(0, 1), Deno.errors.BadResource);
  third?.release();
  assertEquals([one.status().freeCount, third?.held], [2, false]);
  assertThrows(() => other.tryAcquire(), Deno.errors.BadResource);
});

poolTest("MemoryPool: the blocks of a process that is killed are had again", async (one) => {
  await using child = await startProgram(`
    import { MemoryPool } from ${STATE_URL};
    const pool = MemoryPool.connect(${JSON.stringify(one.name)});
    setInterval(() => {}, 1000);
    pool.tryAcquire();
    pool.tryAcquire();
    console.log("reference", pool.tryAcquire().offer());
  `);
  await child.says(/reference/);
  assertStrictEquals(one.tryAcquire(), undefined);
  const waiting = one.acquire();
  child.kill("SIGKILL");
  using _block = await waiting;
  assertStrictEquals(one.status().freeCount, 2);
  assertStrictEquals(one.status().recoveredCount, 3);
});

nativeTest("MemoryPool.create(), connect(), open(), list(), unlink(), metrics()", () => {
  using names = new StateNames();
  const name = names.next();
  assertThrowsMatching(() => MemoryPool.create(name, { blockCount: 0, blockBytes: 1 }), /blockCount is 0/);
  assertThrowsMatching(() => MemoryPool.create(name, { blockCount: 1, blockBytes: 0 }), /blockBytes is 0/);
  assertThrowsMatching(
    () => MemoryPool.create(name, { blockCount: 1000, blockBytes: 2 ** 28 }),
    /expected at most/,
  );
  using one = MemoryPool.open(name, { blockCount: 2, blockBytes: 10 });
  using other = MemoryPool.open(name, { blockCount: 2, blockBytes: 10 });
  assertEquals([other.blockCount, other.blockBytes], [2, 10]);
  assertThrowsMatching(() => MemoryPool.open(name, { blockCount: 2, blockBytes: 50 }), {
    name: "AlreadyExists",
    message: `open pool ${name}: blockBytes is 10, expected 50`,
  });
  assertStrictEquals(MemoryPool.list({ prefix: name }).length, 1);
  assertEquals(MemoryPool.removeAbandoned({ prefix: name }), []);
  assertMatch(one.metrics(), /^millrace_pool_free\{pool="test-[^"]+"\} 2$/m);
  MemoryPool.unlink(name);
});
