import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { currentCore, Sharded, startCores } from "../../../src/run/cores/mod.ts";
import * as tasks from "./core.ts";
import { coresTest, errorOf, groupTest, importCores, moduleOf } from "./support.ts";

groupTest(
  "Sharded.local(), invokeOn(), invokeOnAll() and mapReduce() reach one instance per core",
  async (group) => {
    const { sharded } = tasks;
    assertStrictEquals(await group.submitTo(0, sharded, "local"), 1);
    assertStrictEquals(await group.submitTo(0, sharded, "on", 1, "add", 5), 5);
    assertStrictEquals(await group.submitTo(1, sharded, "on", 1, "add", 1), 6);
    assertEquals(await group.submitTo(1, sharded, "all", 0, "add", 1), [2, 7, 1]);
    assertStrictEquals(await group.submitTo(2, sharded, "reduce"), 10);
    assertStrictEquals(await group.submitTo(0, sharded, "on", 2, "later", 4), 5);
    assertStrictEquals(await group.submitTo(0, sharded, "maps", 1), 5);
  },
  { count: 3 },
);

groupTest("Sharded.invokeOn() calls methods of the service and nothing else", async (group) => {
  const names = [
    "constructor",
    "__proto__",
    "toString",
    "hasOwnProperty",
    "__defineGetter__",
    "valueOf",
    "property",
  ];
  for (const name of [...names, "#count", "nothing", ""]) {
    for (const core of [0, 1]) {
      const error = await errorOf(group.submitTo(0, tasks.sharded, "on", core, name));
      assert(error instanceof TypeError);
      assertMatch(error.message, new RegExp(`the service has no method "${name}"`));
    }
  }
  const failed = await errorOf(group.submitTo(0, tasks.sharded, "on", 1, "failing"));
  assert(failed instanceof tasks.OwnError);
  for (const core of [-1, 2, 0.5]) {
    assert(await errorOf(group.submitTo(0, tasks.sharded, "on", core, "add", 1)) instanceof RangeError);
  }
  const argument = await errorOf(group.submitTo(0, tasks.sharded, "unexported"));
  assertMatch(argument.message, /not on a core, or the service is not exported/);
  assertMatch(
    (await errorOf(group.submitTo(0, tasks.sharded, "unexported local"))).message,
    /no instance on this thread/,
  );
});

groupTest(
  "Sharded.invokeOn() takes as many arguments as a task does, and counts the method's own",
  async (group) => {
    for (const core of [0, 1]) {
      for (const count of [0, 253, 254, 255]) {
        assertStrictEquals(await group.submitTo(0, tasks.invokeWithMany, core, count), count);
      }
      const error = await errorOf(group.submitTo(0, tasks.invokeWithMany, core, 256));
      assert(error instanceof RangeError);
      assertStrictEquals(error.message, 'call method "count": 256 arguments, at most 255 are allowed');
    }
    const error = await errorOf(group.submitTo(0, tasks.invokeWithFunction, 1));
    assertMatch(error.message, /^call method "count": argument 2 is a function/);
  },
);

Deno.test("Sharded and currentCore() say where they can be used", async () => {
  const service = new Sharded(() => ({ method: () => 1 }));
  assertThrowsMatching(() => service.local(), /Sharded.local: there is no instance on this thread/);
  await assertRejectsMatching(() => service.invokeOn(0, "method"), /not on a core/);
  await assertRejectsMatching(() => service.invokeOnAll("method"), /not on a core/);
  assertThrowsMatching(() => currentCore(), /this thread is no core of a group/);
});

/** Two services, the second of which calls the first on all cores when it starts and when it stops. */
const ORDERED = importCores("Sharded, currentCore") + `
  const log = [];
  class First {
    note(text) { log.push(text); }
    start() {}
    stop() { this.note("first stops"); publish(); }
  }
  class Second {
    async [Symbol.asyncDispose]() {
      await first.invokeOnAll("note", "second stops on " + currentCore().index);
    }
  }
  class Third {
    [Symbol.dispose]() { log.push("third stops"); }
  }
  const channel = new BroadcastChannel("millrace_ordered");
  function publish() { channel.postMessage(log); channel.close(); }
  export const first = new Sharded(async () => { await currentCore().sleep(5 * currentCore().index); log.push("first starts"); return new First(); });
  export const second = new Sharded(async () => {
    await first.invokeOnAll("note", "second starts on " + currentCore().index);
    return new Second();
  });
  export const third = new Sharded(() => new Third());
  export default async function main(core) {
    log.push("main starts");
    await core.sleep(60_000).catch(() => {});
    log.push("main ends");
  }
`;

coresTest(
  "services start one after the other on all cores, and stop in reverse when all work has ended",
  async () => {
    const logs: string[][] = [];
    const channel = new BroadcastChannel("millrace_ordered");
    const { promise, resolve } = Promise.withResolvers<void>();
    channel.onmessage = ({ data }) => {
      if (logs.push(data) === 2) resolve();
    };
    const group = await startCores({ module: moduleOf(ORDERED), count: 2 });
    assertStrictEquals(await group.shutdown(), true);
    await promise;
    channel.close();
    for (const log of logs) {
      assertStrictEquals(log[0], "first starts");
      assertEquals(log.slice(1, 3).sort(), ["second starts on 0", "second starts on 1"]);
      assertEquals(log.slice(3, 6), ["main starts", "main ends", "third stops"]);
      assertEquals(log.slice(6, 8).sort(), ["second stops on 0", "second stops on 1"]);
      assertEquals(log.slice(8), ["first stops"]);
    }
  },
);

coresTest("a service that fails to stop keeps no other from stopping, and shutdown() tells", async () => {
  const module = moduleOf(
    importCores("Sharded") + `
    const channel = new BroadcastChannel("millrace_failing");
    export const a = new Sharded(() => ({ stop() { channel.postMessage("stopped"); channel.close(); } }));
    export const b = new Sharded(() => ({ stop() { throw new RangeError("will not") } }));
  `,
  );
  const channel = new BroadcastChannel("millrace_failing");
  const { promise, resolve } = Promise.withResolvers<void>();
  channel.onmessage = () => resolve();
  const group = await startCores({ module, count: 1 });
  const error = await errorOf(group.shutdown());
  assertMatch(error.message, /^stop core 0: RangeError: will not$/);
  assert(error.cause instanceof RangeError);
  assertStrictEquals(await errorOf(group.finished), error);
  await promise;
  channel.close();
});
