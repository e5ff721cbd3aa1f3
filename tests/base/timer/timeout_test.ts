import { assert, assertEquals, assertRejects, assertStrictEquals, fail } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { sleep, withTimeout } from "@millrace/millrace/timer";
import { CountedAbort, ManualTimers, nextTurn, stateOf } from "./support.ts";

const isTimeoutError = (error: unknown): boolean =>
  error instanceof DOMException && error.name === "TimeoutError";

Deno.test("withTimeout() settles as its work does and frees timer and listener", async () => {
  const timers = new ManualTimers();
  const abort = new CountedAbort();
  const options = { timers, signal: abort.signal };
  assertStrictEquals(await withTimeout(Promise.resolve("promise"), 10, options), "promise");
  assertStrictEquals(await withTimeout(() => Promise.resolve("task"), 10, options), "task");
  assertStrictEquals(await withTimeout(() => "plain value", 10, options), "plain value");
  await assertRejectsMatching(
    () => withTimeout(Promise.reject(new Error("promise failed")), 10, options),
    /promise failed/,
  );
  await assertRejectsMatching(
    () => withTimeout(() => Promise.reject(new Error("task failed")), 10, options),
    /task failed/,
  );
  const throwing = (): Promise<void> => {
    throw new Error("task threw");
  };
  await assertRejectsMatching(() => withTimeout(throwing, 10, options), /task threw/);
  assertStrictEquals(timers.size, 0);
  assertStrictEquals(abort.listenerCount, 0);
});

Deno.test("withTimeout() rejects with a TimeoutError at the deadline, not before", async () => {
  const timers = new ManualTimers();
  const outcome = withTimeout(new Promise(() => {}), 10, { timers });
  await timers.pass(9);
  assertStrictEquals(await stateOf(outcome), "pending");
  await timers.pass(1);
  await assertRejectsMatching(() => outcome, (error: Error) => {
    assert(isTimeoutError(error));
    assertStrictEquals(error.message, "withTimeout: pending after 10 ms");
    return true;
  });
  const named = withTimeout(new Promise(() => {}), 10, { timers, message: "fetch: no answer" });
  const rejected = assertRejectsMatching(() => named, { name: "TimeoutError", message: "fetch: no answer" });
  await timers.pass(10);
  await rejected;
});

Deno.test("withTimeout() aborts the task's signal at the deadline with the same error", async () => {
  const timers = new ManualTimers();
  let seen: unknown;
  const outcome = withTimeout(
    async (signal) => {
      await sleep(100, { signal, timers }).catch((error) => seen = error);
      return "too late";
    },
    10,
    { timers },
  );
  const ending = outcome.then(() => undefined, (reason) => reason);
  await timers.pass(10);
  const error = await ending;
  assert(isTimeoutError(error));
  assertStrictEquals(seen, error);
  assertStrictEquals(timers.size, 0);
});

Deno.test("withTimeout() never aborts the task's signal when the task ends in time", async () => {
  const timers = new ManualTimers();
  let taskSignal: AbortSignal | undefined;
  await withTimeout(
    (signal) => {
      taskSignal = signal;
      return Promise.resolve();
    },
    10,
    { timers },
  );
  await timers.pass(100);
  assertStrictEquals(taskSignal?.aborted, false);
});

Deno.test("withTimeout() rejects with the outer signal's reason and aborts the task with it", async () => {
  const timers = new ManualTimers();
  const abort = new CountedAbort();
  let taskSignal: AbortSignal | undefined;
  const outcome = withTimeout(
    (signal) => {
      taskSignal = signal;
      return new Promise(() => {});
    },
    10,
    { timers, signal: abort.signal },
  );
  assertStrictEquals(abort.listenerCount, 1);
  const reason = new Error("shutting down");
  abort.abort(reason);
  await assertRejectsMatching(() => outcome, reason);
  assertStrictEquals(taskSignal?.reason, reason);
  assertStrictEquals(abort.listenerCount, 0);
  assertStrictEquals(timers.size, 0);
});

Deno.test("withTimeout() removes its listener whichever way it ends", async () => {
  const timers = new ManualTimers();
  const abort = new CountedAbort();
  const options = { timers, signal: abort.signal };
  await withTimeout(Promise.resolve(), 10, options);
  assertStrictEquals(abort.listenerCount, 0);
  await withTimeout(() => Promise.reject(new Error("failed")), 10, options).catch(() => {});
  assertStrictEquals(abort.listenerCount, 0);
  const late = withTimeout(new Promise(() => {}), 10, options);
  assertStrictEquals(abort.listenerCount, 1);
  const rejected = assertRejectsMatching(() => late, isTimeoutError);
  await timers.pass(10);
  await rejected;
  assertStrictEquals(abort.listenerCount, 0);
});

Deno.test("withTimeout() does not call the task for a signal already aborted or a time-out out of range", async () => {
  const timers = new ManualTimers();
  const never = (): Promise<void> => fail("the task was called");
  await assertRejectsMatching(
    () => withTimeout(never, 10, { timers, signal: AbortSignal.abort("gone") }),
    (error) => error === "gone",
  );
  for (const timeoutMs of [-1, NaN, Infinity]) {
    await assertRejects(() => withTimeout(never, timeoutMs, { timers }), RangeError);
  }
  assertStrictEquals(timers.size, 0);
});

Deno.test("withTimeout() leaves no unhandled rejection when its work fails after it ended", async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (event: PromiseRejectionEvent): void => {
    event.preventDefault();
    unhandled.push(event.reason);
  };
  addEventListener("unhandledrejection", onUnhandled);
  try {
    const timers = new ManualTimers();
    const [given, tasked, aborted, refused] = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    const outcomes = [
      withTimeout(given.promise, 10, { timers }),
      withTimeout(() => tasked.promise, 10, { timers }),
      withTimeout(aborted.promise, 10, { timers, signal: AbortSignal.abort() }),
      withTimeout(refused.promise, -1, { timers }),
    ].map((outcome) => outcome.catch(() => "ended"));
    await timers.pass(10);
    assertEquals(await Promise.all(outcomes), ["ended", "ended", "ended", "ended"]);
    for (const late of [given, tasked, aborted, refused]) late.reject(new Error("late"));
    await nextTurn();
    assertEquals(unhandled, []);
  } finally {
    removeEventListener("unhandledrejection", onUnhandled);
  }
});

Deno.test("withTimeout() works on the default timers", async () => {
  await assertRejectsMatching(() => withTimeout((signal) => sleep(60_000, { signal }), 5), isTimeoutError);
  assertStrictEquals(await withTimeout(sleep(1).then(() => "in time"), 60_000), "in time");
});
