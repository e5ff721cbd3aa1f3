import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import {
  QueueFullError,
  TASK_FAILURES_KEPT_MAX,
  TaskGroup,
  type TaskHandle,
  TASKS_RUNNING_MAX,
} from "../../../src/base/sync/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { CountedAbort, nextTurn } from "../timer/support.ts";
import { flush, Followed } from "./support.ts";

/** Ends when told, with the reason. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

function failWith(message: string): () => Promise<never> {
  return () => Promise.reject(new Error(message));
}

Deno.test("TaskGroup() refuses numbers out of range", () => {
  for (const runningMax of [0, 1.5, TASKS_RUNNING_MAX + 1]) {
    assertThrows(() => new TaskGroup({ runningMax }), RangeError);
  }
  assertThrows(() => new TaskGroup({ waitingMax: -1 }), RangeError);
});

Deno.test("TaskGroup.spawn() gives each task's result, and join() waits for all", async () => {
  const group = new TaskGroup();
  await group.join();
  const gate = Promise.withResolvers<number>();
  const slow = group.spawn(() => gate.promise);
  const quick = group.spawn(() => "quick");
  const joined = new Followed(group.join());
  assertStrictEquals(await quick.result, "quick");
  await flush();
  assertEquals([joined.outcome.state, group.runningCount], ["pending", 1]);
  gate.resolve(7);
  assertStrictEquals(await slow.result, 7);
  await flush();
  assertEquals([joined.outcome.state, group.runningCount], ["ok", 0]);
});

Deno.test("TaskGroup.join() waits for tasks that tasks spawn", async () => {
  const group = new TaskGroup();
  let count = 0;
  const grow = (depth: number): void => {
    count++;
    for (let child = 0; child < 2 && depth > 0; child++) {
      group.spawn(async () => {
        await nextTurn();
        grow(depth - 1);
      });
    }
  };
  grow(3);
  await group.join();
  assertStrictEquals(count, 15);
});

Deno.test("TaskGroup.spawn() runs at most runningMax tasks, in the order spawned", async () => {
  const group = new TaskGroup({ runningMax: 2, waitingMax: 2 });
  const started: number[] = [];
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  gates.forEach(({ promise }, index) => {
    group.spawn(async () => {
      started.push(index);
      await promise;
    });
  });
  assertThrows(() => group.spawn(() => {}), QueueFullError);
  await flush();
  assertEquals([started, group.runningCount, group.waitingCount], [[0, 1], 2, 2]);
  gates[1].resolve();
  await flush();
  assertEquals([started, group.runningCount, group.waitingCount], [[0, 1, 2], 2, 1]);
  for (const { resolve } of gates) resolve();
  await group.join();
  assertEquals(started, [0, 1, 2, 3]);
});

Deno.test("TaskGroup.join() rejects with all failures once all tasks have ended", async () => {
  const group = new TaskGroup();
  const gate = Promise.withResolvers<string>();
  const failing = [group.spawn(failWith("one")), group.spawn(failWith("two"))];
  const other = group.spawn(() => gate.promise);
  const joined = new Followed(group.join());
  // An unhandled rejection would fail this test.
  await nextTurn();
  assertEquals([joined.outcome.state, group.failureCount], ["pending", 2]);
  gate.resolve("unharmed");
  assertStrictEquals(await other.result, "unharmed");
  await assertRejectsMatching(() => failing[0].result, /one/);
  await assertRejectsMatching(() => group.join(), (error) => {
    assert(error instanceof AggregateError);
    assertEquals(error.errors.map(({ message }) => message), ["one", "two"]);
    return true;
  });
  await group[Symbol.asyncDispose]();
});

Deno.test("TaskGroup keeps the first failures and counts the others", async () => {
  const group = new TaskGroup();
  for (let task = 0; task < TASK_FAILURES_KEPT_MAX + 5; task++) group.spawn(failWith(String(task)));
  await assertRejectsMatching(() => group.join(), (error) => {
    assert(error instanceof AggregateError);
    assertMatch(error.message, /105 tasks failed/);
    return error.errors.length === TASK_FAILURES_KEPT_MAX;
  });
  assertStrictEquals(group.failureCount, TASK_FAILURES_KEPT_MAX + 5);
});

Deno.test('TaskGroup with failure "cancel others" cancels, and join() rejects with the first failure', async () => {
  const group = new TaskGroup({ failure: "cancel others", runningMax: 2 });
  const running = group.spawn(untilAborted);
  const failing = group.spawn(failWith("first"));
  let ran = false;
  const waiting = group.spawn(() => ran = true);
  await assertRejectsMatching(() => group.join(), /^Error: first$/);
  for (const task of [running, failing, waiting]) await assertRejectsMatching(() => task.result, /first/);
  assertEquals([ran, group.cancelled, group.failureCount], [false, true, 1]);
  await assertRejectsMatching(() => group.spawn(() => ran = true).result, /first/);
  assertStrictEquals(ran, false);
});

Deno.test("TaskGroup.cancel() cancels what runs, what waits and what comes later; none of it is a failure", async () => {
  const group = new TaskGroup({ runningMax: 2 });
  const tasks: TaskHandle<unknown>[] = [
    group.spawn(untilAborted),
    group.spawn(async (signal) => {
      await untilAborted(signal).catch(() => {});
      throw new DOMException("told to stop", "AbortError");
    }),
    group.spawn(() => "waits"),
  ];
  await flush();
  group.cancel("over");
  group.cancel("a second time does nothing");
  tasks.push(group.spawn(() => "later"));
  await group.join();
  assertEquals([group.cancelled, group.failureCount, group.waitingCount], [true, 0, 0]);
  for (const index of [0, 2, 3]) {
    await assertRejectsMatching(() => tasks[index].result, (reason) => reason === "over");
  }
  await assertRejectsMatching(() => tasks[1].result, { name: "AbortError" });
});

Deno.test("TaskGroup lets one task be cancelled without the others", async () => {
  const group = new TaskGroup({ runningMax: 1 });
  const gate = Promise.withResolvers<void>();
  group.spawn(() => gate.promise);
  const waiting = group.spawn(() => "never");
  const last = group.spawn(() => "last");
  await flush();
  waiting.cancel("not this one");
  await assertRejectsMatching(() => waiting.result, (reason) => reason === "not this one");
  gate.resolve();
  assertStrictEquals(await last.result, "last");
  await group.join();
  assertStrictEquals(group.cancelled, false);
});

Deno.test("TaskGroup is cancelled by its signal, and listens only while there are tasks", async () => {
  const abort = new CountedAbort();
  const group = new TaskGroup({ signal: abort.signal });
  assertStrictEquals(abort.listenerCount, 0);
  await group.spawn(() => {}).result;
  assertStrictEquals(abort.listenerCount, 0);
  const task = group.spawn(untilAborted);
  assertStrictEquals(abort.listenerCount, 1);
  await flush();
  abort.abort("stop");
  await assertRejectsMatching(() => task.result, (reason) => reason === "stop");
  await group.join();
  assertEquals([abort.listenerCount, group.cancelled], [0, true]);
  const idle = new TaskGroup({ signal: abort.signal });
  assertStrictEquals(idle.cancelled, true);
  await assertRejectsMatching(() => idle.spawn(() => 1).result, (reason) => reason === "stop");
  assertStrictEquals(abort.listenerCount, 0);
});

Deno.test("TaskGroup.join() can be given up, and the tasks run on", async () => {
  const group = new TaskGroup();
  const gate = Promise.withResolvers<string>();
  const task = group.spawn(() => gate.promise);
  const abort = new CountedAbort();
  const joined = group.join({ signal: abort.signal });
  abort.abort("no patience");
  await assertRejectsMatching(() => joined, (reason) => reason === "no patience");
  assertStrictEquals(abort.listenerCount, 0);
  gate.resolve("done");
  assertStrictEquals(await task.result, "done");
});

Deno.test("TaskGroup[Symbol.asyncDispose]() cancels, waits, and tells failures that join() has not", async () => {
  let ended = false;
  {
    await using group = new TaskGroup();
    group.spawn(async (signal) => {
      await untilAborted(signal).catch(() => {});
      await nextTurn();
      ended = true;
    });
    await flush();
  }
  assertStrictEquals(ended, true);
  const group = new TaskGroup();
  group.spawn(failWith("untold"));
  await nextTurn();
  await assertRejects(() => group[Symbol.asyncDispose](), AggregateError);
  await group[Symbol.asyncDispose]();
});

Deno.test("TaskGroup keeps its promises under random spawning, ending and cancelling", async () => {
  for (const seed of testSeeds(40)) await withSeed(seed, () => checkTaskGroup(seed));
});

interface ModelTask {
  id: number;
  handle: TaskHandle<number>;
  result: Followed<number>;
  end: PromiseWithResolvers<number>;
}

async function checkTaskGroup(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const runningMax = 1 + random.below(4);
  const cancelsOthers = seed % 2 === 0;
  const outer = new CountedAbort();
  const group = new TaskGroup({
    signal: outer.signal,
    runningMax,
    failure: cancelsOthers ? "cancel others" : "collect",
  });
  const started: number[] = [];
  const modelStarted: number[] = [];
  let running: ModelTask[] = [];
  let waiting: ModelTask[] = [];
  const failures: Error[] = [];
  let cancelReason: Error | undefined;
  const admit = () => {
    while (running.length < runningMax && waiting.length > 0) {
      const task = waiting.shift() as ModelTask;
      modelStarted.push(task.id);
      running.push(task);
    }
  };
  const expectRejected = (tasks: ModelTask[], reason: Error) => {
    for (const { result } of tasks) assertEquals(result.outcome, { state: "failed", reason });
  };
  /** Every task heeds its signal, so cancelling the group ends all. */
  const cancelAll = async (reason: Error) => {
    cancelReason ??= reason;
    await flush();
    expectRejected([...running, ...waiting], cancelReason);
    running = [];
    waiting = [];
  };

  for (let step = 0; step < 150; step++) {
    const choice = random.below(100);
    if (choice < 50) {
      const end = Promise.withResolvers<number>();
      const handle = group.spawn((signal) => {
        started.push(step);
        return Promise.race([end.promise, untilAborted(signal)]);
      });
      const task = { id: step, handle, result: new Followed(handle.result), end };
      if (cancelReason === undefined) waiting.push(task);
      else {
        await flush();
        expectRejected([task], cancelReason);
      }
    } else if (choice < 80 && running.length > 0) {
      const [task] = running.splice(random.below(running.length), 1);
      task.end.resolve(step);
      await flush();
      assertEquals(task.result.outcome, { state: "ok", value: step });
    } else if (choice < 86 && running.length > 0) {
      const [task] = running.splice(random.below(running.length), 1);
      const error = new Error(`task ${task.id}`);
      failures.push(error);
      task.end.reject(error);
      await flush();
      expectRejected([task], error);
      if (cancelsOthers) await cancelAll(error);
    } else if (choice < 96 && running.length + waiting.length > 0) {
      const tasks = random.below(2) === 0 && waiting.length > 0 || running.length === 0 ? waiting : running;
      const [task] = tasks.splice(random.below(tasks.length), 1);
      const reason = new Error(`cancelled ${task.id}`);
      task.handle.cancel(reason);
      await flush();
      expectRejected([task], reason);
    } else if (step > 75 && choice >= 98) {
      const reason = new Error("all cancelled");
      if (random.below(2) === 0) group.cancel(reason);
      else outer.abort(reason);
      if (cancelReason === undefined) await cancelAll(reason);
    }
    if (cancelReason === undefined) admit();
    await flush();
    assertEquals(started, modelStarted, "tasks start in their order, and only when there is room");
    assertEquals([group.runningCount, group.waitingCount], [running.length, waiting.length]);
    assertStrictEquals(group.failureCount, failures.length);
    assertStrictEquals(outer.listenerCount, running.length + waiting.length > 0 ? 1 : 0);
  }
  await group[Symbol.asyncDispose]().then(
    () => assertStrictEquals(failures.length, 0),
    (error) => assertEquals(cancelsOthers ? error : error.errors, cancelsOthers ? failures[0] : failures),
  );
  assertStrictEquals(outer.listenerCount, 0);
}

Deno.test("TaskGroup refuses a meaning of failure that there is not", () => {
  assertThrowsMatching(() => new TaskGroup({ failure: "ignore" as "collect" }), /failure is "ignore"/);
});
