import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { CoreError, CoresClosedError } from "../../../src/run/cores/mod.ts";
import * as tasks from "./core.ts";
import { coresTest, DRIVERS, errorOf, startGroup, until } from "./support.ts";

for (const driver of DRIVERS) {
  coresTest(`CoreGroup.shutdown() lets calls finish, and refuses others (${driver})`, async () => {
    const group = await startGroup({ driver });
    await group.submitTo(0, tasks.square, 1);
    const pending = group.submitTo(1, tasks.untilAborted, new AbortController().signal);
    pending.catch(() => {});
    const slow = group.submitTo(0, tasks.takeSlowly, 50);
    assertStrictEquals(await group.submitTo(0, tasks.leaveTask), 1);
    const apart = group.submitTo(1, tasks.sleepApart);
    const [zero] = await group.statistics();
    assertStrictEquals(zero.tasksRunningCount, 1);
    const controller = new AbortController();
    const ended = group.submitTo(0, tasks.untilAborted, controller.signal);
    ended.catch(() => {});
    const shutdown = group.shutdown();
    assertStrictEquals(group.shutdown(), shutdown);
    assert(await errorOf(group.submitTo(0, tasks.square, 1)) instanceof CoresClosedError);
    controller.abort();
    assertStrictEquals(await slow, 50);
    assertStrictEquals(await apart, "the group of cores is shut down");
    // The first waits for a signal that nobody aborts: it is what the deadline is for.
    assertStrictEquals(await Promise.race([shutdown, Promise.resolve("under way")]), "under way");
    group.terminate();
    assertStrictEquals(await shutdown, false);
    assert(await errorOf(pending) instanceof CoresClosedError);
    await group.finished;
  });
}

for (const driver of DRIVERS) {
  coresTest(`CoreGroup.shutdown() waits until answers and calls have arrived (${driver})`, async () => {
    const byteLength = 2 ** 24;
    for (let round = 0; round < 3; round++) {
      const group = await startGroup({ driver });
      assertStrictEquals(await group.submitTo(0, tasks.square, 2), 4);
      const answer = group.submitTo(0, tasks.bytesAtStop, byteLength);
      const call = group.submitTo(1, tasks.lengthOf, new Uint8Array(byteLength));
      // The next two are still in the ring when a core that is held up is told to stop.
      const held = group.submitTo(0, tasks.hold, 20);
      const short = group.submitTo(0, tasks.square, 3);
      assertStrictEquals(await group.shutdown(), true);
      assertStrictEquals((await answer).length, byteLength);
      assertEquals([await call, await held, await short], [byteLength, undefined, 9]);
    }
  });
}

coresTest("CoreGroup.shutdown() waits for calls of a core to itself", async () => {
  const file = await Deno.makeTempFile();
  try {
    const group = await startGroup();
    await group.submitTo(1, tasks.leaveCallsToItself, file);
    assertStrictEquals(await group.shutdown(), true);
    assertStrictEquals(await Deno.readTextFile(file), "100 200 ");
  } finally {
    await Deno.remove(file);
  }
});

coresTest("CoreGroup.shutdown() cuts off what needs longer than shutdownTimeoutMs, and says so", async () => {
  const group = await startGroup({ shutdownTimeoutMs: 50 });
  const pending = errorOf(group.submitTo(1, tasks.never));
  await group.submitTo(1, tasks.square, 1);
  assertStrictEquals(await group.shutdown(), false);
  const error = await pending;
  assert(error instanceof CoresClosedError);
  assertMatch(error.message, /^wait for the answer of a core: the group of cores has ended$/);
  await group.finished;
  assert(await errorOf(group.statistics()) instanceof CoresClosedError);
});

coresTest("CoreGroup.shutdown() with nothing under way finishes, and again does nothing", async () => {
  const group = await startGroup();
  assertStrictEquals(await group.shutdown(), true);
  assertStrictEquals(await group.shutdown(), true);
  await group[Symbol.asyncDispose]();
  group.terminate();
  await group.finished;
});

coresTest("CoreGroup.terminate() rejects what is under way", async () => {
  const group = await startGroup();
  const pending = errorOf(group.submitTo(1, tasks.relayNever, 0));
  await group.submitTo(1, tasks.square, 1);
  group.terminate();
  const error = await pending;
  assert(error instanceof CoresClosedError);
  assert(error.cause instanceof CoresClosedError);
  await group.finished;
  assertStrictEquals(await group.shutdown(), false);
});

const DEATHS: [how: string, named: RegExp][] = [
  ["uncaught", /^core 1 has died: OwnError: uncaught$/],
  ["rejection", /^core 1 has died: OwnError: rejection$/],
  ["close", /^core 1 has died: Error: self\.close\(\) was called$/],
  ["exit", /^core 1 has died: Error: Deno\.exit\(\) was called$/],
];

for (const driver of DRIVERS) {
  for (const [how, named] of DEATHS) {
    coresTest(`the death of a core ends the group, with its cause (${how}, ${driver})`, async () => {
      const group = await startGroup({ driver });
      const pending = errorOf(group.submitTo(1, tasks.never));
      const relayed = errorOf(group.submitTo(0, tasks.relayNever, 1));
      await group.submitTo(0, tasks.relay, 1, 1);
      group.submitTo(1, tasks.die, how).catch(() => {});
      const error = await errorOf(group.finished);
      assert(error instanceof CoreError);
      assertMatch(error.message, named);
      assertStrictEquals(error.core, 1);
      assert(error.cause instanceof (/OwnError/.test(named.source) ? tasks.OwnError : Error));
      assertStrictEquals(await pending, error);
      const told = await relayed;
      assert(told instanceof CoreError);
      assertStrictEquals(told.message, error.message);
      assertStrictEquals(told.cause?.constructor, error.cause.constructor);
      const closed = await errorOf(group.submitTo(0, tasks.square, 1));
      assert(closed instanceof CoresClosedError);
      assertEquals([closed.cause, closed.restarting], [error, false]);
      assertStrictEquals(await group.shutdown(), false);
    });
  }
}

coresTest("CoreGroup.shutdown() rejects with the death of a core that nobody was told of", async () => {
  const group = await startGroup();
  const slow = group.submitTo(0, tasks.takeSlowly, 300);
  await group.submitTo(1, tasks.die, "uncaught");
  let closed: unknown;
  await until(async () => {
    closed = await group.submitTo(0, tasks.square, 1).catch((error) => error);
    return closed instanceof CoresClosedError;
  });
  const error = await errorOf(group.shutdown());
  assert(error instanceof CoreError);
  assertMatch(error.message, /^core 1 has died: OwnError: uncaught$/);
  assertStrictEquals((closed as Error).cause, error);
  assertStrictEquals(await errorOf(group[Symbol.asyncDispose]()), error);
  assertStrictEquals(await slow, 300);
  assertStrictEquals(await errorOf(group.finished), error);
});

coresTest("CoreGroup.shutdown() gives false after a death that a call was rejected with", async () => {
  const group = await startGroup();
  const pending = errorOf(group.submitTo(1, tasks.never));
  await group.submitTo(1, tasks.die, "rejection");
  assertMatch((await pending).message, /^core 1 has died: OwnError: rejection$/);
  assertStrictEquals(await group.shutdown(), false);
});
