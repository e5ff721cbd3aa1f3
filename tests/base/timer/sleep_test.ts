import { assert, assertRejects, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { sleep } from "@millrace/millrace/timer";
import { CountedAbort, ManualTimers, stateOf } from "./support.ts";

Deno.test("sleep() resolves when its delay has passed and not before", async () => {
  const timers = new ManualTimers();
  const pause = sleep(10, { timers });
  await timers.pass(9);
  assertStrictEquals(await stateOf(pause), "pending");
  await timers.pass(1);
  assertStrictEquals(await pause, undefined);
});

Deno.test("sleep() waits on the default timers when given none", async () => {
  const startMs = performance.now();
  await sleep(10);
  assert(performance.now() - startMs >= 10);
});

Deno.test("sleep() rejects with the signal's reason and frees timer and listener", async () => {
  const timers = new ManualTimers();
  const abort = new CountedAbort();
  const pause = sleep(10, { timers, signal: abort.signal });
  assertStrictEquals(abort.listenerCount, 1);
  const reason = new Error("shutting down");
  abort.abort(reason);
  await assertRejectsMatching(() => pause, reason);
  assertStrictEquals(abort.listenerCount, 0);
  assertStrictEquals(timers.size, 0);
});

Deno.test("sleep() removes its listener when it resolves", async () => {
  const timers = new ManualTimers();
  const abort = new CountedAbort();
  const pauses = Array.from({ length: 100 }, () => sleep(10, { timers, signal: abort.signal }));
  assertStrictEquals(abort.listenerCount, 100);
  await timers.pass(10);
  await Promise.all(pauses);
  assertStrictEquals(abort.listenerCount, 0);
  abort.abort();
});

Deno.test("sleep() rejects at once with the reason of a signal already aborted", async () => {
  const timers = new ManualTimers();
  const abort = new CountedAbort();
  abort.abort("gone");
  await assertRejectsMatching(() => sleep(10, { timers, signal: abort.signal }), (error) => error === "gone");
  assertStrictEquals(abort.listenerCount, 0);
  assertStrictEquals(timers.size, 0);
});

Deno.test("sleep() rejects with RangeError for a delay out of range, leaving no listener", async () => {
  const timers = new ManualTimers();
  const abort = new CountedAbort();
  for (const delayMs of [-1, NaN, Infinity]) {
    await assertRejects(() => sleep(delayMs, { timers }), RangeError);
    await assertRejects(() => sleep(delayMs, { timers, signal: abort.signal }), RangeError);
  }
  assertStrictEquals(abort.listenerCount, 0);
});
