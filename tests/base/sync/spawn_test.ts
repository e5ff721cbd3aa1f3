import { assertEquals, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { spawn } from "../../../src/base/sync/mod.ts";
import { CountedAbort, nextTurn } from "../timer/support.ts";
import { flush, Followed } from "./support.ts";

/** Ends when told, with the reason. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

Deno.test("spawn() starts a task after it returns, and its result is what the task gives", async () => {
  let started = false;
  const task = spawn(() => {
    started = true;
    return 7;
  });
  assertStrictEquals(started, false);
  assertStrictEquals(await task.result, 7);
  assertStrictEquals(await spawn(() => Promise.resolve("later")).result, "later");
});

Deno.test("spawn() keeps a failure in the result, where nobody has to look", async () => {
  const task = spawn(() => {
    throw new Error("at once");
  });
  // An unhandled rejection would fail this test.
  await nextTurn();
  await assertRejectsMatching(() => task.result, /at once/);
  await assertRejectsMatching(() => spawn(() => Promise.reject(new Error("later"))).result, /later/);
});

Deno.test("TaskHandle.cancel() aborts the signal with the reason, and the result follows the task", async () => {
  const heeds = spawn(untilAborted);
  const finishes = spawn(async (signal) => {
    await untilAborted(signal).catch(() => {});
    return "finished all the same";
  });
  const reason = new Error("no longer wanted");
  await flush();
  heeds.cancel(reason);
  heeds.cancel(new Error("a second time does nothing"));
  finishes.cancel();
  await assertRejectsMatching(() => heeds.result, (error) => error === reason);
  assertStrictEquals(await finishes.result, "finished all the same");
  const plain = spawn(untilAborted);
  await flush();
  plain.cancel();
  await assertRejectsMatching(() => plain.result, { name: "AbortError" });
});

Deno.test("TaskHandle.cancel() before the start keeps the task from running; after the end does nothing", async () => {
  let ran = false;
  const early = spawn(() => ran = true);
  early.cancel("changed my mind");
  await assertRejectsMatching(() => early.result, (reason) => reason === "changed my mind");
  assertStrictEquals(ran, false);
  let seen: AbortSignal | undefined;
  const late = spawn((signal) => void (seen = signal));
  await late.result;
  late.cancel();
  await late[Symbol.asyncDispose]();
  assertStrictEquals(seen?.aborted, false);
});

Deno.test("TaskHandle[Symbol.asyncDispose]() cancels and waits until the task has ended, however it does", async () => {
  let cleanedUp = false;
  {
    await using _ = spawn(async (signal) => {
      await untilAborted(signal).catch(() => {});
      await nextTurn();
      cleanedUp = true;
      throw new Error("while cleaning up");
    });
    await flush();
  }
  assertStrictEquals(cleanedUp, true);
});

Deno.test("spawn() is cancelled by its signal, and leaves no listener behind", async () => {
  const abort = new CountedAbort();
  const task = spawn(untilAborted, { signal: abort.signal });
  const brief = spawn(() => 1, { signal: abort.signal });
  const failing = new Followed(spawn(() => Promise.reject(new Error("no")), { signal: abort.signal }).result);
  assertStrictEquals(abort.listenerCount, 3);
  assertStrictEquals(await brief.result, 1);
  await flush();
  assertStrictEquals(failing.outcome.state, "failed");
  assertStrictEquals(abort.listenerCount, 1);
  abort.abort("stop");
  await assertRejectsMatching(() => task.result, (reason) => reason === "stop");
  assertStrictEquals(abort.listenerCount, 0);
  let ran = false;
  const never = spawn(() => ran = true, { signal: abort.signal });
  await assertRejectsMatching(() => never.result, (reason) => reason === "stop");
  assertEquals([ran, abort.listenerCount], [false, 0]);
});
