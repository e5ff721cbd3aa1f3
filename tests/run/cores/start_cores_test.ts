import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { CoreError, startCores } from "../../../src/run/cores/mod.ts";
import * as tasks from "./core.ts";
import { coreModule, coresTest, errorOf, hasNative, importCores, moduleOf, startGroup } from "./support.ts";

const UNUSABLE: [name: string, source: string, named: RegExp][] = [
  [
    "a module that is not there",
    "./nowhere.ts",
    /^start core [01]: TypeError: Module not found .*\/nowhere\.ts/,
  ],
  [
    "a module that throws",
    "throw new RangeError('at the top');",
    /^start core [01]: RangeError: at the top$/,
  ],
  ["a module with a syntax error", "export function ( {", /^start core [01]: TypeError: SyntaxError: /],
  ["a module that imports what is not there", "import 'nowhere:x';", /^start core [01]: TypeError: /],
  [
    "a default export that is no function",
    "export default 5;",
    /^start core [01]: TypeError: the default export of data:.* is a number, expected a function/,
  ],
  ["a default export of null", "export default null;", /is null, expected a function/],
  [
    "a service that does not start",
    `${importCores("Sharded")} export const s = new Sharded(() => { throw new RangeError("no service"); });`,
    /^start core [01]: RangeError: no service$/,
  ],
  [
    "a service that is none",
    `${importCores("Sharded")} export const s = new Sharded(() => 5 as never);`,
    /^start core [01]: TypeError: Sharded: its function gave 5, expected an object/,
  ],
  [
    "a call while modules load",
    `${importCores("currentCore")} export function f() {}; await currentCore().submitTo(0, f);`,
    /the group's module is being loaded/,
  ],
  [
    "self.close()",
    "self.close(); await new Promise(() => {});",
    /^start core [01]: Error: self\.close\(\) was called$/,
  ],
  [
    "Deno.exit()",
    "Deno.exit(4); await new Promise(() => {});",
    /^start core [01]: Error: Deno\.exit\(\) was called$/,
  ],
];

for (const [name, source, named] of UNUSABLE) {
  coresTest(`startCores() names the core and the cause: ${name}`, async () => {
    const error = await errorOf(startCores({ module: moduleOf(source), count: 2 }));
    assert(error instanceof CoreError, `${error}`);
    assertMatch(error.message, named);
    assert(error.cause instanceof Error);
  });
}

coresTest("startCores() names the core that is not ready in time", async () => {
  const module = moduleOf(
    importCores("currentCore") + "if (currentCore().index === 1) await new Promise(() => {});",
  );
  const error = await errorOf(startCores({ module, count: 2, startTimeoutMs: 800 }));
  assert(error instanceof CoreError);
  assertMatch(error.message, /^start core [01]: it is not ready after 800 ms$/);
});

coresTest("a group takes no notice of what its module posts", async () => {
  const module = moduleOf(`
    for (const junk of [null, undefined, 5, {}, { type: "junk" }]) self.postMessage(junk);
    await new Promise((resolve) => setTimeout(resolve, 100));
  `);
  const group = await startCores({ module, count: 2 });
  // The real message of each has been waited for.
  assertEquals(Object.keys(group.drivers), ["0", "1"]);
  assertStrictEquals(await group.shutdown(), true);
});

coresTest("startCores() ends when its signal aborts, before or meanwhile", async () => {
  const reason = new Error("not any more");
  assertStrictEquals(await errorOf(startGroup({ signal: AbortSignal.abort(reason) })), reason);
  const controller = new AbortController();
  const starting = startCores({
    module: moduleOf("await new Promise(() => {});"),
    count: 2,
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(reason), 50);
  assertStrictEquals(await errorOf(starting), reason);
});

coresTest("startCores({ signal }) shuts the group down when it aborts", async () => {
  const controller = new AbortController();
  const group = await startGroup({ signal: controller.signal });
  controller.abort();
  await group.finished;
  await assertRejectsMatching(() => group.submitTo(0, tasks.square, 1), /the group of cores has ended/);
});

coresTest(
  "CoreGroup.submitTo() with a module that asks for its core at the top level says why not",
  async () => {
    const module = moduleOf(
      `${importCores("currentCore")} const { index } = currentCore(); export const f = () => index;`,
    );
    await using group = await startCores({ module, count: 2 });
    const error = await errorOf(group.submitTo(1, tasks.square, 1));
    assertMatch(error.message, /^currentCore: .*the thread that starts a group loads its module too/);
  },
);

coresTest("startCores() takes a URL, and calls the default export once on each core", async () => {
  await using group = await startCores({ module: new URL(coreModule), count: 3 });
  assertStrictEquals(group.count, 3);
  for (let core = 0; core < 3; core++) assertStrictEquals(await group.submitTo(core, tasks.mainCount), 3);
});

coresTest("startCores() has more cores than there are processors", async () => {
  await using group = await startGroup({ count: 8, pinned: hasNative });
  assertEquals(await group.submitTo(3, tasks.broadcastIndex), [0, 1, 2, 3, 4, 5, 6, 7]);
});

coresTest("startCores({ pinned }) without the native library says what it needs", async () => {
  const error = await errorOf(startGroup({ pinned: true }));
  assert(error instanceof Deno.errors.NotSupported);
  assertMatch(error.message, /startCores: pinned needs the native library/);
}, hasNative);

coresTest('startCores({ driver: "uring" }) where there is none names the cause', async () => {
  const error = await errorOf(startGroup({ driver: "uring" }));
  assert(error instanceof CoreError);
  assertMatch(error.message, /^start core [01]: /);
}, hasNative);
