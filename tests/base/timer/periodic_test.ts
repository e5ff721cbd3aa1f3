import { assert, assertEquals, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { sleep, spawnPeriodic } from "@millrace/millrace/timer";
import { CountedAbort, ManualTimers, nextTurn, stateOf } from "./support.ts";

Deno.test("spawnPeriodic() runs once every period, first after one", async () => {
  const timers = new ManualTimers();
  const ranAtMs: number[] = [];
  const task = spawnPeriodic(10, () => void ranAtMs.push(timers.nowMs()), { timers });
  await timers.pass(9);
  assertStrictEquals(task.runCount, 0);
  await timers.pass(1);
  await timers.pass(10);
  await timers.pass(10);
  assertEquals(ranAtMs, [10, 20, 30]);
  assertStrictEquals(task.runCount, 3);
  assertStrictEquals(task.missedCount, 0);
  task.cancel();
  await task.result;
  assertStrictEquals(timers.size, 0);
});

Deno.test("spawnPeriodic() runs at once too when immediate", async () => {
  const timers = new ManualTimers();
  await using task = spawnPeriodic(10, () => {}, { timers, immediate: true });
  await timers.pass(0);
  assertStrictEquals(task.runCount, 1);
  await timers.pass(10);
  assertStrictEquals(task.runCount, 2);
});

Deno.test("spawnPeriodic() never overlaps runs, and counts the deadlines a long run misses", async () => {
  const timers = new ManualTimers();
  let running = 0;
  let runningMax = 0;
  const task = spawnPeriodic(10, async (signal) => {
    runningMax = Math.max(runningMax, ++running);
    await sleep(35, { timers, signal });
    running--;
  }, { timers });
  for (let step = 0; step < 100; step++) await timers.pass(1);
  // Runs begin at 10, 45 and 80; deadlines 20, 30 and 50, 60, 70 pass meanwhile.
  assertStrictEquals(runningMax, 1);
  assertStrictEquals(task.runCount, 3);
  assertStrictEquals(task.missedCount, 5);
  task.cancel();
  await task.result;
});

Deno.test("PeriodicTask.result rejects with what a run threw, and there are no more runs", async () => {
  const timers = new ManualTimers();
  const abort = new CountedAbort();
  const steady = spawnPeriodic(10, () => {}, { timers });
  for (
    const failing of [
      () => {
        throw new Error("run failed");
      },
      () => Promise.reject(new Error("run failed")),
    ]
  ) {
    const task = spawnPeriodic(10, failing, { timers, signal: abort.signal });
    await timers.pass(10);
    await assertRejectsMatching(() => task.result, /run failed/);
    await timers.pass(30);
    assertStrictEquals(task.runCount, 1);
    task.cancel();
    await assertRejectsMatching(async () => await task[Symbol.asyncDispose](), /run failed/);
  }
  assertStrictEquals(abort.listenerCount, 0);
  assertStrictEquals(steady.runCount + steady.missedCount, 8);
  steady.cancel();
  await steady.result;
});

Deno.test("PeriodicTask.result needs no listener: a failed task harms nothing else", async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  addEventListener("unhandledrejection", onUnhandled);
  try {
    const timers = new ManualTimers();
    spawnPeriodic(10, () => Promise.reject(new Error("run failed")), { timers });
    await timers.pass(10);
    await nextTurn();
    assertEquals(unhandled, []);
  } finally {
    removeEventListener("unhandledrejection", onUnhandled);
  }
});

Deno.test("PeriodicTask.cancel() aborts the run in progress, and result waits for its end", async () => {
  const timers = new ManualTimers();
  const finish = Promise.withResolvers<void>();
  let runSignal: AbortSignal | undefined;
  const task = spawnPeriodic(10, (signal) => {
    runSignal = signal;
    return finish.promise;
  }, { timers });
  await timers.pass(10);
  assertStrictEquals(runSignal?.aborted, false);
  task.cancel("enough");
  assertStrictEquals(runSignal?.reason, "enough");
  assertStrictEquals(await stateOf(task.result), "pending");
  finish.resolve();
  await task.result;
  assertStrictEquals(task.runCount, 1);
  assertStrictEquals(timers.size, 0);
  task.cancel();
});

Deno.test("PeriodicTask.result resolves when a run ends its cancelled task by the signal's reason or an AbortError", async () => {
  const timers = new ManualTimers();
  for (const outcome of ["reason", "AbortError"] as const) {
    const task = spawnPeriodic(10, async (signal) => {
      await sleep(100, { timers, signal }).catch((error) => {
        throw outcome === "reason" ? error : new DOMException("stopped", "AbortError");
      });
    }, { timers });
    await timers.pass(10);
    task.cancel(new Error("enough"));
    await task.result;
  }
});

Deno.test("PeriodicTask.result rejects when a run fails otherwise after cancellation", async () => {
  const timers = new ManualTimers();
  const task = spawnPeriodic(10, async (signal) => {
    await sleep(100, { timers, signal }).catch(() => {});
    throw new Error("flush failed");
  }, { timers });
  await timers.pass(10);
  task.cancel();
  await assertRejectsMatching(() => task.result, /flush failed/);
});

Deno.test("PeriodicTask.result rejects when a run of a task not cancelled throws an AbortError", async () => {
  const timers = new ManualTimers();
  const task = spawnPeriodic(10, () => {
    throw new DOMException("someone else's", "AbortError");
  }, { timers });
  await timers.pass(10);
  await assertRejectsMatching(() => task.result, { name: "AbortError" });
});

Deno.test("spawnPeriodic() is cancelled by the outer signal and removes its listener", async () => {
  const timers = new ManualTimers();
  const abort = new CountedAbort();
  const task = spawnPeriodic(10, () => {}, { timers, signal: abort.signal });
  assertStrictEquals(abort.listenerCount, 1);
  await timers.pass(10);
  abort.abort();
  await task.result;
  assertStrictEquals(abort.listenerCount, 0);
  assertStrictEquals(timers.size, 0);
  assertStrictEquals(task.runCount, 1);
});

Deno.test("spawnPeriodic() never runs for a signal already aborted", async () => {
  const timers = new ManualTimers();
  const task = spawnPeriodic(10, () => fail("ran"), {
    timers,
    signal: AbortSignal.abort(),
    immediate: true,
  });
  await task.result;
  await timers.pass(100);
  assertStrictEquals(task.runCount, 0);
  assertStrictEquals(timers.size, 0);
});

Deno.test("PeriodicTask[Symbol.asyncDispose]() cancels and waits", async () => {
  const timers = new ManualTimers();
  let ended = false;
  {
    await using task = spawnPeriodic(10, async (signal) => {
      await sleep(100, { timers, signal }).catch(() => {});
      await nextTurn();
      ended = true;
    }, { timers });
    await timers.pass(10);
    assertStrictEquals(task.runCount, 1);
  }
  assertStrictEquals(ended, true);
});

Deno.test("spawnPeriodic() refuses a period out of range", () => {
  for (const periodMs of [0, -1, NaN, Infinity]) {
    assertThrows(() => spawnPeriodic(periodMs, () => {}), RangeError);
  }
});

Deno.test("spawnPeriodic() works on the default timers", async () => {
  const reached = Promise.withResolvers<void>();
  await using task = spawnPeriodic(2, () => {
    if (task.runCount === 3) reached.resolve();
  });
  await reached.promise;
  assert(task.runCount >= 3);
});
