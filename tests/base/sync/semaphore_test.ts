import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
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
  for (const permits of [0, -1, 1.5, NaN, Infinity]) assertThrows(() => new Semaphore(permits), RangeError);
  for (const waitingMax of [-1, 0.5, WAITING_MAX + 1]) {
    assertThrows(() => new Semaphore(1, { waitingMax }), RangeError);
  }
  assertStrictEquals(new Semaphore(SEMAPHORE_PERMITS_MAX).available, SEMAPHORE_PERMITS_MAX);
});

Deno.test("Semaphore.acquire() takes permits, which come back once when released", async () => {
  const semaphore = new Semaphore(3);
  const permit = await semaphore.acquire(2);
  assertStrictEquals(semaphore.available, 1);
  permit.release();
  permit.release();
  permit[Symbol.dispose]();
  assertStrictEquals(semaphore.available, 3);
  {
    using _ = await semaphore.acquire();
    assertStrictEquals(semaphore.available, 2);
  }
  assertStrictEquals(semaphore.available, 3);
});

Deno.test("Semaphore.acquire() refuses counts that can never be had", async () => {
  const semaphore = new Semaphore(3);
  for (const count of [0, -1, 4, 1.5, NaN]) {
    await assertRejects(() => semaphore.acquire(count), RangeError);
    assertThrows(() => semaphore.tryAcquire(count), RangeError);
  }
});

Deno.test("Semaphore.acquire() serves calls in their order, and lets none overtake a large one", async () => {
  const semaphore = new Semaphore(3);
  const first = await semaphore.acquire(2);
  const order: string[] = [];
  const large = new Followed(semaphore.acquire(3), () => order.push("large"));
  const small = new Followed(semaphore.acquire(1), () => order.push("small"));
  await flush();
  assertEquals([order, semaphore.available, semaphore.waitingCount], [[], 1, 2]);
  assertStrictEquals(semaphore.tryAcquire(), undefined, "tryAcquire() does not overtake either");
  first.release();
  await flush();
  assertEquals(order, ["large"]);
  release(large);
  await flush();
  assertEquals(order, ["large", "small"]);
  release(small);
  assertStrictEquals(semaphore.available, 3);
});

Deno.test("Semaphore.acquire() rejects with the reason of a signal aborted before", async () => {
  const semaphore = new Semaphore(1);
  const abort = new CountedAbort();
  abort.abort("too late");
  await assertRejectsMatching(
    () => semaphore.acquire(1, { signal: abort.signal }),
    (reason) => reason === "too late",
  );
  assertStrictEquals(semaphore.available, 1);
  assertStrictEquals(abort.listenerCount, 0);
});

Deno.test("Semaphore.acquire() aborted at the head lets those behind have their turn", async () => {
  const semaphore = new Semaphore(2);
  using _held = await semaphore.acquire();
  const abort = new CountedAbort();
  const head = new Followed(semaphore.acquire(2, { signal: abort.signal }));
  const behind = new Followed(semaphore.acquire(1));
  abort.abort("given up");
  await flush();
  assertEquals(head.outcome, { state: "failed", reason: "given up" });
  assertStrictEquals(behind.outcome.state, "ok");
  assertEquals([semaphore.available, semaphore.waitingCount, abort.listenerCount], [0, 0, 0]);
});

Deno.test("Semaphore.acquire() aborted in the middle and at the end leaves the others in order", async () => {
  const semaphore = new Semaphore(1);
  const held = await semaphore.acquire();
  const aborts = Array.from({ length: 4 }, () => new CountedAbort());
  const calls = aborts.map(({ signal }) => new Followed(semaphore.acquire(1, { signal })));
  aborts[1].abort("middle");
  aborts[3].abort("end");
  await flush();
  assertEquals(calls.map(({ outcome }) => outcome.state), ["pending", "failed", "pending", "failed"]);
  held.release();
  await flush();
  assertEquals(calls.map(({ outcome }) => outcome.state), ["ok", "failed", "pending", "failed"]);
  release(calls[0]);
  await flush();
  assertStrictEquals(calls[2].outcome.state, "ok");
  assertEquals(aborts.map((abort) => abort.listenerCount), [0, 0, 0, 0]);
});

Deno.test("Semaphore.acquire() keeps what was granted before the abort", async () => {
  const semaphore = new Semaphore(1);
  const held = await semaphore.acquire();
  const abort = new CountedAbort();
  const call = semaphore.acquire(1, { signal: abort.signal });
  held.release();
  abort.abort();
  (await call).release();
  assertEquals([semaphore.available, abort.listenerCount], [1, 0]);
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
  assertEquals([large, small].map(({ outcome }) => outcome.state), ["failed", "failed"]);
  assertStrictEquals(other.outcome.state, "ok");
  assertStrictEquals(abort.listenerCount, 0);
});

Deno.test("Semaphore.tryAcquire() called by another listener of the same abort costs nobody a wake-up", async () => {
  const semaphore = new Semaphore(2);
  using _held = await semaphore.acquire();
  const controller = new AbortController();
  controller.signal.addEventListener("abort", () => assertStrictEquals(semaphore.tryAcquire(1), undefined));
  const large = new Followed(semaphore.acquire(2, { signal: controller.signal }));
  const small = new Followed(semaphore.acquire(1));
  controller.abort();
  await flush();
  assertStrictEquals(large.outcome.state, "failed");
  assertStrictEquals(small.outcome.state, "ok");
});

Deno.test("Semaphore.acquire() rejects when waitingMax calls wait", async () => {
  const semaphore = new Semaphore(1, { waitingMax: 1 });
  const held = await semaphore.acquire();
  const waiting = semaphore.acquire();
  await assertRejectsMatching(
    () => semaphore.acquire(),
    (error) => error instanceof QueueFullError && error.waitingMax === 1,
  );
  held.release();
  (await waiting).release();
  (await semaphore.acquire()).release();
  const busy = new Semaphore(1, { waitingMax: 0 });
  using _ = await busy.acquire();
  await assertRejects(() => busy.acquire(), QueueFullError);
});

Deno.test("Semaphore.withPermit() holds permits while the work runs, and gives them back if it throws", async () => {
  const semaphore = new Semaphore(3);
  assertStrictEquals(await semaphore.withPermit(() => semaphore.available, { count: 2 }), 1);
  assertStrictEquals(await semaphore.withPermit(() => semaphore.available), 2);
  await assertRejectsMatching(() => semaphore.withPermit(() => Promise.reject(new Error("work"))), /work/);
  await assertRejectsMatching(
    () =>
      semaphore.withPermit(() => {
        throw new Error("at once");
      }),
    /at once/,
  );
  assertStrictEquals(semaphore.available, 3);
  let called = false;
  const signal = AbortSignal.abort("no");
  const work = semaphore.withPermit(() => called = true, { signal });
  await assertRejectsMatching(() => work, (reason) => reason === "no");
  assertStrictEquals(called, false);
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
    await assertRejectsMatching(() => call, (error) => error === reason);
  }
  assertStrictEquals(semaphore.tryAcquire(), undefined);
  assertEquals([semaphore.closed, semaphore.waitingCount, abort.listenerCount], [true, 0, 0]);
  held.release();
  assertStrictEquals(semaphore.available, 1);
  assertStrictEquals(semaphore.tryAcquire(), undefined);
});

Deno.test("Semaphore.close() rejects with ClosedError when no reason is given", async () => {
  const semaphore = new Semaphore(1);
  assertStrictEquals(semaphore.closed, false);
  semaphore.close();
  await assertRejects(() => semaphore.acquire(), ClosedError);
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
  assertStrictEquals(outcome.state, "ok");
  if (outcome.state === "ok") outcome.value.release();
}
