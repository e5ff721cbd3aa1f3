import { assert, assertStrictEquals } from "@std/assert";
import { examplePermissions } from "../../scripts/support/examples.ts";
import { SharedQueue } from "../../src/ipc/queue/mod.ts";
import { assertDone, Process, queueTest } from "./support.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

Deno.test("deno task millrace has the flags of the first line of main.ts", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const flags = examplePermissions(await Deno.readTextFile(`${ROOT}src/cli/main.ts`));
  assert(flags.includes("--quiet"), "what Deno downloads is no complaint of the command");
  // The shell of tasks would take the star for names of files.
  const quoted = flags.map((flag) => flag.includes("*") ? `'${flag}'` : flag);
  assertStrictEquals(tasks.millrace.command, `deno run ${quoted.join(" ")} src/cli/main.ts`);
});

queueTest(
  "deno task millrace passes input, output and exit codes on, and writes nothing of its own",
  async (name) => {
    using queue = SharedQueue.create(name, { capacity: 8 });
    const task = [Deno.execPath(), "task", "--quiet", "millrace", "queue"];
    await using sending = new Process([...task, "send", name], { input: "one\ntwo\n", directory: ROOT });
    assertStrictEquals(assertDone(await sending.ended()), "");
    await using receiving = new Process([...task, "receive", name], { directory: ROOT });
    assertStrictEquals(assertDone(await receiving.ended()), "one\ntwo\n");
    await using waiting = new Process([...task, "receive", name, "--timeout", "0"], { directory: ROOT });
    assertStrictEquals((await waiting.ended()).code, 3);
    assertStrictEquals(queue.status().readyCount, 0);
  },
);
