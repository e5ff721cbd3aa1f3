import { assertEquals, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import { nativeStatus } from "../../../ffi/mod.ts";
import { assertDone, assertFailure, millrace } from "../support.ts";

Deno.test({
  name: "millrace queue --directory keeps a queue in a directory, for every command",
  ignore: !nativeStatus().available,
  async fn() {
    const directory = await Deno.makeTempDir({ prefix: "millrace_cli_" });
    try {
      const queue = (command: string, ...more: string[]) =>
        millrace(["queue", command, ...more, "--directory", directory]);
      assertStrictEquals(assertDone(await queue("list")), "");
      assertDone(await queue("create", "jobs", "--capacity", "8"));
      assertFailure(await queue("create", "jobs"), 6, /exists already/);
      assertDone(await queue("send", "jobs", "one", "two", "three"));
      assertStrictEquals(JSON.parse(assertDone(await queue("status", "jobs", "--json"))).readyCount, 3);
      assertStrictEquals(assertDone(await queue("receive", "jobs", "--count", "1")), "one\n");
      assertStrictEquals(JSON.parse(assertDone(await queue("list", "--json"))).name, "jobs");
      assertStrictEquals(assertDone(await queue("purge", "jobs")), "messages purged: 2\n");
      const elsewhere = { env: { MILLRACE_QUEUE_DIRECTORY: directory } };
      assertDone(await millrace(["queue", "unlink", "jobs"], elsewhere));
      assertFailure(await queue("receive", "jobs"), 5, /there is none/);
      assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), []);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

Deno.test("millrace queue --directory refuses what is no directory, with its source", async () => {
  const file = new URL(import.meta.url).pathname;
  for (const path of [file, join(file, "below"), "/nowhere/at/all"]) {
    const ended = await millrace(["queue", "list"], { env: { MILLRACE_QUEUE_DIRECTORY: path } });
    assertFailure(
      ended,
      2,
      /directory is ".*" \(from MILLRACE_QUEUE_DIRECTORY\), expected an existing directory/,
    );
  }
});
