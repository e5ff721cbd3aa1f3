import assert from "node:assert/strict";
import {
  ClosedError,
  type Permit,
  QueueFullError,
  Semaphore,
  SEMAPHORE_PERMITS_MAX,
  WAITING_MAX,
} from "../../../src/base/sync/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { CountedAbort } from "../timer/support.ts";
import { checkLock } from "./lock_model.ts";
import { flush, Followed } from "./support.ts";

Deno.test("Semaphore() refuses numbers out of range", () => {
  for (const permits of [0, -1, 1.5, NaN, Infinity]) assert.throws(() => new Semaphore(permits), RangeError);
  for (const waitingMax of [-1, 0.5, WAITING_MAX + 1]) {
    assert.throws(() => new Semaphore(1, { waitingMax }), RangeError);
  }
  assert.equal(new Semaphore(SEMAPHORE_PERMITS_MAX).available, SEMAPHORE_PERMITS_MAX);
});

Deno.test("Semaphore.acquire() takes permits, which come back once when released", async () => {
  const semaphore = new Semaphore(3);
  const permit = await semaphore.acquire(2);
  assert.equal(semaphore.available, 1);
  permit.release();
  permit.release();
  permit[Symbol.dispose]();
  assert.equal(semaphore.available, 3);
  {
    using _ = await semaphore.acquire();
    assert.equal(semaphore.available, 2);
  }
  assert.equal(semaphore.available, 3);
});

Deno.test("Semaphore.acquire() refuses counts that can never be had", async () => {
  const semaphore = new Semaphore(3);
  for (const count of [0, -1, 4, 1.5, NaN]) {
    await assert.rejects(semaphore.acquire(count), RangeError);
    assert.throws(() => semaphore.tryAcquire(count), RangeError);
  }
});

Deno.test("Semaphore.acquire() serves calls in their order, and lets none overtake a large one", async () => {
  const semaphore = new Semaphore(3);
  const first = await semaphore.acquire(2);
  const order: string[] = [];
  const large = new Followed(semaphore.acquire(3), () => order.push("large"));
  const small = new Followed(semaphore.acquire(1), () => order.push("small"));
  await flush();
  assert.deepEqual([order, semaphore.available, semaphore.waitingCount], [[], 1, 2]);
  assert.equal(semaphore.tryAcquire(), undefined, "tryAcquire() does not overtake either");
  first.release();
  await flush();
  assert.deepEqual(order, ["large"]);
  release(large);
  await flush();
  assert.deepEqual(order, ["large", "small"]);
  release(small);
  assert.equal(semaphore.available, 3);
});

Deno.test("Semaphore.acquire() rejects with the reason of a signal aborted before", async () => {
  const semaphore = new Semaphore(1);
  const abort = new CountedAbort();
  abort.abort("too late");
  await assert.rejects(semaphore.acquire(1, { signal: abort.signal }), (reason) => reason === "too late");
  assert.equal(semaphore.available, 1);
  assert.equal(abort.listenerCount, 0);
});

Deno.test("Semaphore.acquire() aborted at the head lets those behind have their turn", async () => {
  const semaphore = new Semaphore(2);
  using _held = await semaphore.acquire();
  const abort = new CountedAbort();
  const head = new Followed(semaphore.acquire(2, { signal: abort.signal }));
  const behind = new Followed(semaphore.acquire(1));
  abort.abort("given up");
  await flush();
  assert.deepEqual(head.outcome, { state: "failed", reason: "given up" });
  assert.equal(behind.outcome.state, "ok");
  assert.deepEqual([semaphore.available, semaphore.waitingCount, abort.listenerCount], [0, 0, 0]);
});

Deno.test("Semaphore.acquire() aborted in the middle and at the end leaves the others in order", async () => {
  const semaphore = new Semaphore(1);
  const held = await semaphore.acquire();
  const aborts = Array.from({ length: 4 }, () => new CountedAbort());
  const calls = aborts.map(({ signal }) => new Followed(semaphore.acquire(1, { signal })));
  aborts[1].abort("middle");
  aborts[3].abort("end");
  await flush();
  assert.deepEqual(calls.map(({ outcome }) => outcome.state), ["pending", "failed", "pending", "failed"]);
  held.release();
  await flush();
  assert.deepEqual(calls.map(({ outcome }) => outcome.state), ["ok", "failed", "pending", "failed"]);
  release(calls[0]);
  await flush();
  assert.equal(calls[2].outcome.state, "ok");
  assert.deepEqual(aborts.map((abort) => abort.listenerCount), [0, 0, 0, 0]);
});

Deno.test("Semaphore.acquire() keeps what was granted before the abort", async () => {
  const semaphore = new Semaphore(1);
  const held = await semaphore.acquire();
  const abort = new CountedAbort();
  const call = semaphore.acquire(1, { signal: abort.signal });
  held.release();
  abort.abort();
  (await call).release();
  assert.deepEqual([semaphore.available, abort.listenerCount], [1, 0]);
});

Deno.test("Semaphore.acquire() grants nothing to a call whose signal aborted together with the head's", async () => {
  const semaphore = new Semaphore(2);
  using _held = await semaphore.acquire();
  const abort = new CountedAbort();
  const large = new Followed(semaphore.acquire(2, { signal: abort.signal }));
  const small = new Followed(semaphore.acquire(1, { signal: abort.signal }));
  const other = new Followed(semaphore.acquire(1));
  abort.abort("both");
  await flush();
  assert.deepEqual([large, small].map(({ outcome }) => outcome.state), ["failed", "failed"]);
  assert.equal(other.outcome.state, "ok");
  assert.equal(abort.listenerCount, 0);
});

Deno.test("Semaphore.tryAcquire() called by another listener of the same abort costs nobody a wake-up", async () => {
  const semaphore = new Semaphore(2);
  using _held = await semaphore.acquire();
  const controller = new AbortController();
  controller.signal.addEventListener("abort", () => assert.equal(semaphore.tryAcquire(1), undefined));
  const large = new Followed(semaphore.acquire(2, { signal: controller.signal }));
  const small = new Followed(semaphore.acquire(1));
  controller.abort();
  await flush();
  assert.equal(large.outcome.state, "failed");
  assert.equal(small.outcome.state, "ok");
});

Deno.test("Semaphore.acquire() rejects when waitingMax calls wait", async () => {
  const semaphore = new Semaphore(1, { waitingMax: 1 });
  const held = await semaphore.acquire();
  const waiting = semaphore.acquire();
  await assert.rejects(
    semaphore.acquire(),
    (error) => error instanceof QueueFullError && error.waitingMax === 1,
  );
  held.release();
  (await waiting).release();
  (await semaphore.acquire()).release();
  const busy = new Semaphore(1, { waitingMax: 0 });
  using _ = await busy.acquire();
  await assert.rejects(busy.acquire(), QueueFullError);
});

Deno.test("Semaphore.withPermit() holds permits while the work runs, and gives them back if it throws", async () => {
  const semaphore = new Semaphore(3);
  assert.equal(await semaphore.withPermit(() => semaphore.available, { count: 2 }), 1);
  assert.equal(await semaphore.withPermit(() => semaphore.available), 2);
  await assert.rejects(semaphore.withPermit(() => Promise.reject(new Error("work"))), /work/);
  await assert.rejects(
    semaphore.withPermit(() => {
      throw new Error("at once");
    }),
    /at once/,
  );
  assert.equal(semaphore.available, 3);
  let called = false;
  const signal = AbortSignal.abort("no");
  const work = semaphore.withPermit(() => called = true, { signal });
  await assert.rejects(work, (reason) => reason === "no");
  assert.equal(called, false);
});

Deno.test("Semaphore.close() rejects those that wait and all later calls; what is held stays valid", async () => {
  const semaphore = new Semaphore(1);
  const held = await semaphore.acquire();
  const abort = new CountedAbort();
  const waiting = [semaphore.acquire(), semaphore.acquire(1, { signal: abort.signal })];
  const reason = new Error("shutting down");
  semaphore.close(reason);
  semaphore.close(new Error("a second time does nothing"));
  for (const call of [...waiting, semaphore.acquire()]) {
    await assert.rejects(call, (error) => error === reason);
  }
  assert.equal(semaphore.tryAcquire(), undefined);
  assert.deepEqual([semaphore.closed, semaphore.waitingCount, abort.listenerCount], [true, 0, 0]);
  held.release();
  assert.equal(semaphore.available, 1);
  assert.equal(semaphore.tryAcquire(), undefined);
});

Deno.test("Semaphore.close() rejects with ClosedError when no reason is given", async () => {
  const semaphore = new Semaphore(1);
  assert.equal(semaphore.closed, false);
  semaphore.close();
  await assert.rejects(semaphore.acquire(), ClosedError);
});

Deno.test("Semaphore agrees with a model under random calls, aborts and closing", async () => {
  for (const seed of testSeeds(30)) {
    await withSeed(seed, async () => {
      const units = 1 + seed % 5;
      const semaphore = new Semaphore(units);
      await checkLock({
        units,
        pickCount: (random) => 1 + random.below(units),
        acquire: (count, signal) => semaphore.acquire(count, { signal }),
        tryAcquire: (count) => semaphore.tryAcquire(count),
        close: (reason) => semaphore.close(reason),
        available: () => semaphore.available,
        waitingCount: () => semaphore.waitingCount,
      }, seed);
    });
  }
});

function release({ outcome }: Followed<Permit>): void {
  assert.equal(outcome.state, "ok");
  if (outcome.state === "ok") outcome.value.release();
}
