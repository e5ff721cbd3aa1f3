import { assert, assertMatch, assertStrictEquals } from "@std/assert";
import { CoreError, CoresClosedError } from "../../../src/run/cores/mod.ts";
import * as tasks from "./core.ts";
import { coresTest, errorOf, importCores, moduleOf, startGroup, until } from "./support.ts";
import { startCores } from "../../../src/run/cores/mod.ts";

coresTest('onCoreDeath "restart" starts all cores anew, and calls work again', async () => {
  const causes: Error[] = [];
  const group = await startGroup({ onCoreDeath: "restart", onRestart: (cause) => causes.push(cause) });
  for (let round = 1; round <= 3; round++) {
    assertStrictEquals(await group.submitTo(0, tasks.sharded, "local"), 1);
    const pending = errorOf(group.submitTo(1, tasks.never));
    group.submitTo(1, tasks.die, "uncaught").catch(() => {});
    assertMatch((await pending).message, /^core 1 has died: OwnError: uncaught$/);
    await until(() => causes.length === round);
    assertStrictEquals(group.restartCount, round);
    assert(causes[round - 1] instanceof CoreError);
    assertStrictEquals(await group.submitTo(1, tasks.square, 3), 9);
  }
  assertStrictEquals(await group.shutdown(), true);
  await group.finished;
});

coresTest("calls while a group restarts say so, and of what it died", async () => {
  const group = await startGroup({ onCoreDeath: "restart", shutdownTimeoutMs: 50 });
  const pending = errorOf(group.submitTo(0, tasks.never));
  await group.submitTo(1, tasks.die, "uncaught");
  const errors: unknown[] = [];
  await until(async () => {
    await group.submitTo(0, tasks.square, 1).catch((error) => errors.push(error));
    return group.restartCount > 0;
  });
  errors.push(await pending);
  const named = /^(call square|wait for the answer of a core): the group of cores is being started anew$/;
  for (const error of errors) {
    assert(error instanceof CoresClosedError);
    assertMatch(error.message, named);
    assertStrictEquals(error.restarting, true);
    assert(error.cause instanceof CoreError);
    assertMatch(error.cause.message, /^core 1 has died: OwnError: uncaught$/);
  }
  assert(errors.length > 1);
  await group.shutdown();
});

coresTest("restartsMax deaths end the group", async () => {
  let restarts = 0;
  const group = await startGroup({ onCoreDeath: "restart", restartsMax: 1, onRestart: () => restarts++ });
  group.submitTo(0, tasks.die, "rejection").catch(() => {});
  await until(() => restarts === 1);
  group.submitTo(1, tasks.die, "rejection").catch(() => {});
  assertMatch((await errorOf(group.finished)).message, /^core 1 has died: OwnError: rejection$/);
  assertStrictEquals(restarts, 1);
});

coresTest("a default export that throws is the death of its core", async () => {
  const module = moduleOf(
    importCores("currentCore") + `
    export default async function main(core) { await core.sleep(300); if (core.index === 1) throw new RangeError("main"); }
  `,
  );
  const group = await startCores({ module, count: 2 });
  const error = await errorOf(group.finished);
  assertMatch(error.message, /^core 1 has died: RangeError: main$/);
  const again = await startCores({ module, count: 2, onCoreDeath: "restart", restartsMax: 2 });
  assertMatch((await errorOf(again.finished)).message, /RangeError: main/);
  assert(again.restartCount <= 2);
});

coresTest("CoreGroup.shutdown() during a restart ends it", async () => {
  for (const how of ["shutdown", "terminate"] as const) {
    const group = await startGroup({ onCoreDeath: "restart" });
    const pending = errorOf(group.submitTo(1, tasks.never));
    group.submitTo(1, tasks.die, "uncaught").catch(() => {});
    await pending;
    // What the core that died was at has not finished.
    if (how === "shutdown") assertStrictEquals(await group.shutdown(), false);
    else group.terminate();
    await group.finished;
    assert(await errorOf(group.submitTo(0, tasks.square, 1)) instanceof CoresClosedError);
  }
});

coresTest("a group whose restart fails ends with the cause of that", async () => {
  const flag = await Deno.makeTempFile();
  try {
    const module = moduleOf(`
      if (Deno.readTextFileSync(${JSON.stringify(flag)}) === "broken") throw new RangeError("broken now");
      export function die() { setTimeout(() => { throw new Error("dies") }); }
    `);
    const group = await startCores({ module, count: 2, onCoreDeath: "restart" });
    const { die } = await import(module);
    await Deno.writeTextFile(flag, "broken");
    group.submitTo(0, die).catch(() => {});
    assertMatch((await errorOf(group.finished)).message, /^start core [01]: RangeError: broken now$/);
  } finally {
    await Deno.remove(flag);
  }
});
