import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../tests/support/assertions.ts";
import { ChildProcess } from "./child_process.ts";
import { descendants, identify } from "./process_tree.ts";

const ignore = Deno.build.os !== "linux";
const shell = (script: string) => ({ executable: "sh", args: ["-c", script] });

Deno.test("ChildProcess.nextMatch() waits for output and takes what it matched", { ignore }, async () => {
  await using process = ChildProcess.start(shell("echo first 1; read line; echo got $line 2; sleep 60"));
  assertStrictEquals((await process.nextMatch(/first (\d)/, 5000))[1], "1");
  await process.writeLine("it");
  assertStrictEquals((await process.nextMatch(/got (\w+ \d)/, 5000))[1], "it 2");
});

Deno.test("ChildProcess.nextMatch() rejects with the status and the complaint of a process that ends", {
  ignore,
}, async () => {
  await using process = ChildProcess.start(shell("echo error: no such driver >&2; echo more >&2; exit 3"));
  await assertRejectsMatching(
    () => process.nextMatch(/ready/, 5000),
    /^Error: ended with code 3: error: no such driver$/,
  );
});

Deno.test("ChildProcess.nextMatch() rejects when nothing matches in time", { ignore }, async () => {
  await using process = ChildProcess.start(shell("echo waiting; sleep 60"));
  await assertRejectsMatching(() => process.nextMatch(/ready/, 100), /^TimedOut: silent for 100 ms/);
});

/** Looks again and again until there is something to see; gives up after two seconds of looking. */
async function eventually<T>(look: () => T, isThere: (seen: T) => boolean): Promise<T> {
  for (let looks = 0; looks < 400; looks++) {
    if (isThere(look())) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return look();
}

Deno.test(
  "ChildProcess.stop() ends a process that ignores the request, and the child it leaves",
  { ignore },
  async () => {
    const process = ChildProcess.start(shell("trap '' TERM; echo ready; while :; do sleep 60; done"));
    await process.nextMatch(/ready/, 5000);
    // The shell says it is ready before it has started its child.
    const family = await eventually(() => descendants(process.pid), (found) => found.length > 0);
    assertStrictEquals(family.length, 1);
    await process.stop();
    assert(process.hasEnded);
    const alive = () => family.map(identify).filter((child) => child !== undefined);
    assertEquals(await eventually(alive, (found) => found.length === 0), []);
    assertStrictEquals((await process.ended).signal, "SIGKILL");
  },
);
