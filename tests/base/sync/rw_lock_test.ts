import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { ClosedError, type Permit, QueueFullError, RwLock } from "../../../src/base/sync/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { CountedAbort } from "../timer/support.ts";
import { checkLock } from "./lock_model.ts";
import { flush, Followed } from "./support.ts";

Deno.test("RwLock.read() is shared, RwLock.write() is not", async () => {
  const lock = new RwLock();
  const first = await lock.read();
  const second = await lock.read();
  assertEquals([lock.readerCount, lock.writing], [2, false]);
  const writer = new Followed(lock.write());
  first.release();
  first.release();
  await flush();
  assertStrictEquals(writer.outcome.state, "pending", "one reader is left, though the other released twice");
  second.release();
  await flush();
  assertEquals([writer.outcome.state, lock.readerCount, lock.writing], ["ok", 0, true]);
  const later = [new Followed(lock.read()), new Followed(lock.write())];
  await flush();
  assertEquals(later.map(({ outcome }) => outcome.state), ["pending", "pending"]);
});

Deno.test("RwLock.write() is not starved: readers that come later wait behind it", async () => {
  const lock = new RwLock();
  const reader = await lock.read();
  const order: string[] = [];
  const writer = new Followed(lock.write(), () => order.push("writer"));
  new Followed(lock.read(), () => order.push("reader 1"));
  new Followed(lock.read(), () => order.push("reader 2"));
  assertStrictEquals(lock.tryRead(), undefined);
  await flush();
  assertEquals([order, lock.waitingCount], [[], 3]);
  reader.release();
  await flush();
  assertEquals(order, ["writer"]);
  release(writer);
  await flush();
  assertEquals(order, ["writer", "reader 1", "reader 2"]);
});

Deno.test("RwLock.tryRead() and tryWrite() take the lock only when they need not wait", () => {
  const lock = new RwLock();
  {
    using reader = lock.tryRead();
    using another = lock.tryRead();
    assert(reader !== undefined && another !== undefined);
    assertStrictEquals(lock.tryWrite(), undefined);
  }
  using writer = lock.tryWrite();
  assert(writer !== undefined);
  assertStrictEquals(lock.tryRead(), undefined);
  assertStrictEquals(lock.tryWrite(), undefined);
});

Deno.test("RwLock.write() aborted at the head lets the readers behind it in", async () => {
  const lock = new RwLock();
  using _reader = await lock.read();
  const abort = new CountedAbort();
  const writer = new Followed(lock.write({ signal: abort.signal }));
  const behind = [new Followed(lock.read()), new Followed(lock.read())];
  abort.abort("given up");
  await flush();
  assertEquals(writer.outcome, { state: "failed", reason: "given up" });
  assertEquals(behind.map(({ outcome }) => outcome.state), ["ok", "ok"]);
  assertEquals([lock.readerCount, abort.listenerCount], [3, 0]);
});

Deno.test("RwLock.tryRead() called by another listener of the same abort costs nobody a wake-up", async () => {
  const lock = new RwLock();
  using _reader = await lock.read();
  const controller = new AbortController();
  controller.signal.addEventListener("abort", () => assertStrictEquals(lock.tryRead(), undefined));
  const writer = new Followed(lock.write({ signal: controller.signal }));
  const behind = new Followed(lock.read());
  controller.abort();
  await flush();
  assertStrictEquals(writer.outcome.state, "failed");
  assertStrictEquals(behind.outcome.state, "ok");
});

Deno.test("RwLock.read() aborted before, in the middle and after the grant", async () => {
  const lock = new RwLock();
  await assertRejectsMatching(
    () => lock.read({ signal: AbortSignal.abort("before") }),
    (reason) => reason === "before",
  );
  const writer = await lock.write();
  const aborts = Array.from({ length: 3 }, () => new CountedAbort());
  const calls = aborts.map(({ signal }) => new Followed(lock.read({ signal })));
  aborts[1].abort("middle");
  writer.release();
  aborts[2].abort("after the grant");
  await flush();
  assertEquals(calls.map(({ outcome }) => outcome.state), ["ok", "failed", "ok"]);
  assertEquals([lock.readerCount, lock.waitingCount], [2, 0]);
  assertEquals(aborts.map((abort) => abort.listenerCount), [0, 0, 0]);
});

Deno.test("RwLock.read() rejects when waitingMax calls wait", async () => {
  const lock = new RwLock({ waitingMax: 0 });
  using _ = await lock.write();
  await assertRejects(() => lock.read(), QueueFullError);
  assertThrows(() => new RwLock({ waitingMax: -1 }), RangeError);
});

Deno.test("RwLock.close() rejects those that wait and all later calls; what is held stays valid", async () => {
  const lock = new RwLock();
  const writer = await lock.write();
  const waiting = [lock.read(), lock.write()];
  const reason = new Error("shutting down");
  lock.close(reason);
  lock.close();
  for (const call of [...waiting, lock.read(), lock.write()]) {
    await assertRejectsMatching(() => call, (error) => error === reason);
  }
  assertEquals([lock.closed, lock.writing, lock.waitingCount], [true, true, 0]);
  writer.release();
  assertEquals([lock.writing, lock.tryRead(), lock.tryWrite()], [false, undefined, undefined]);
  const other = new RwLock();
  other.close();
  await assertRejects(() => other.write(), ClosedError);
});

Deno.test("RwLock agrees with a model under random calls, aborts and closing", async () => {
  for (const seed of testSeeds(30)) {
    await withSeed(seed, async () => {
      const lock = new RwLock();
      // A lock is a semaphore of which readers take one unit and writers all.
      const units = 1_000_000;
      await checkLock({
        units,
        pickCount: (random) => random.below(3) === 0 ? units : 1,
        acquire: (count, signal) => count === 1 ? lock.read({ signal }) : lock.write({ signal }),
        tryAcquire: (count) => count === 1 ? lock.tryRead() : lock.tryWrite(),
        close: (reason) => lock.close(reason),
        available: () => lock.writing ? 0 : units - lock.readerCount,
        waitingCount: () => lock.waitingCount,
      }, seed);
    });
  }
});

function release({ outcome }: Followed<Permit>): void {
  assertStrictEquals(outcome.state, "ok");
  if (outcome.state === "ok") outcome.value.release();
}
