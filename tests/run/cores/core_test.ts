import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { type CoreStall, type CoreStatistics } from "../../../src/run/cores/mod.ts";
import { defaultReactor } from "../../../src/io/reactor/mod.ts";
import * as tasks from "./core.ts";
import { coresTest, DRIVERS, errorOf, groupTest, startGroup, until } from "./support.ts";

for (const driver of DRIVERS) {
  groupTest(`Core.spawn(), spawnPeriodic(), sleep() and withTimeout() (${driver})`, async (group) => {
    assertEquals(await group.submitTo(0, tasks.spawned), [5, "spawned", "AbortError"]);
    assertStrictEquals(await group.submitTo(0, tasks.periodic), true);
    assertStrictEquals(await group.submitTo(0, tasks.timeout), "TimeoutError");
    assertStrictEquals(await group.submitTo(0, tasks.square, 2), 4);
  }, { driver });

  groupTest(`CoreGroup.statistics() counts what each core did (${driver})`, async (group) => {
    const before = await group.statistics();
    assertEquals(before.map(({ core }) => core), [0, 1]);
    await Promise.all(Array.from({ length: 100 }, () => group.submitTo(0, tasks.relay, 1, 2)));
    const held = group.submitTo(0, tasks.relayNever, 1).catch(() => {});
    await group.submitTo(0, tasks.leaveTask);
    const [zero, one] = await group.statistics();
    assertStrictEquals(zero.driver, driver);
    assert(zero.uptimeMs > before[0].uptimeMs);
    assert(zero.busyShare >= 0 && zero.busyShare <= 1);
    assertStrictEquals(zero.callsSentCount - before[0].callsSentCount, 101);
    assertStrictEquals(zero.callsServedCount - before[0].callsServedCount, 102);
    assertStrictEquals(one.callsServedCount - before[1].callsServedCount, 101);
    assertStrictEquals(one.callsSentCount, 0);
    // What asks is one of the calls itself.
    assertEquals([zero.callsOutstandingCount, zero.callsServingCount], [1, 2]);
    assertEquals([one.callsOutstandingCount, one.callsServingCount], [0, 2]);
    assertStrictEquals(zero.tasksRunningCount, 1);
    // One of the task, one of the periodic task, which are set in turns of their own.
    await until(async () => (await group.statistics())[0].timerCount === 2);
    assertEquals([zero.ringBytes.length, zero.waitingBytes.length], [3, 3]);
    assertEquals(zero.waitingBytes, [0, 0, 0]);
    group.terminate();
    await held;
  }, { driver });
}

groupTest("CoreStatistics.busyShare tells an idle core from a busy one", async (group) => {
  await group.submitTo(0, tasks.hold, 300);
  await group.submitTo(1, tasks.sleepFor, 300);
  const [busy, idle]: CoreStatistics[] = await group.statistics();
  assert(busy.busyShare > idle.busyShare, `${busy.busyShare} and ${idle.busyShare}`);
});

groupTest("CoreStatistics tells what waits in and before the rings", async (group) => {
  const flood = group.submitTo(0, tasks.floodHeld, 1, 200, 1000);
  const [ringBytes, waitingBytes] = await flood;
  assert(ringBytes > 0 && ringBytes <= 4096, `${ringBytes}`);
  assert(waitingBytes > 100_000, `${waitingBytes}`);
}, { ringCapacityBytes: 4096 });

for (const driver of DRIVERS) {
  coresTest(`onStall names the task while it holds its core (${driver})`, async () => {
    const stalls: CoreStall[] = [];
    const group = await startGroup({ driver, stallMs: 40, onStall: (stall) => stalls.push(stall) });
    // A machine that is held up holds up any core, at any time: what is looked for is the stall that was made here.
    const stallOf = async (core: number, task: string | undefined): Promise<void> => {
      const found = (): CoreStall | undefined =>
        stalls.find((stall) => stall.core === core && stall.task === task && stall.heldMs >= 40);
      await until(() => found() !== undefined);
    };
    const held = group.submitTo(1, tasks.holdUntil);
    await stallOf(1, "holdUntil");
    await held;
    // What is no call has no name.
    stalls.length = 0;
    await group.submitTo(0, tasks.holdLater, 800);
    await stallOf(0, undefined);
    await group.shutdown();
  });
}

coresTest("onStall tells nothing of cores that sleep", async () => {
  const stalls: CoreStall[] = [];
  const group = await startGroup({ stallMs: 20, onStall: (stall) => stalls.push(stall) });
  await group.submitTo(0, tasks.sleepFor, 300);
  // A machine that is held up holds a core up; then it is a stall indeed, but of no task.
  assertEquals(stalls.filter(({ task }) => task !== undefined), []);
  await group.shutdown();
});

groupTest("a core's reactor is what servers on its thread use", async (group) => {
  assertStrictEquals(await group.submitTo(1, tasks.reactorIsDefault), true);
  assertNotStrictEquals(defaultReactor(), undefined);
  assertStrictEquals((await errorOf(group.submitTo(1, tasks.throwLater, "plain"))).message, "plain");
});
