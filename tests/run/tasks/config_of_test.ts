import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { pathToFileURL } from "node:url";
import { configFlags, sayConfig } from "../../../src/run/tasks/config_of.ts";
import { TaskPool } from "../../../src/run/tasks/mod.ts";
import { withWatchdog } from "../../support/watchdog.ts";

async function withFiles(
  files: Record<string, string>,
  body: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "millrace_test_" });
  try {
    await Deno.mkdir(`${directory}/a/b`, { recursive: true });
    for (const [path, text] of Object.entries(files)) await Deno.writeTextFile(`${directory}/${path}`, text);
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("configFlags() names the nearest configuration above a module", () =>
  withFiles({ "deno.json": "{}", "a/deno.jsonc": "{}" }, async (directory) => {
    const flagsOf = (path: string) => configFlags(pathToFileURL(`${directory}/${path}`).href);
    assertEquals(await flagsOf("a/b/tasks.ts"), ["--config", `${directory}/a/deno.jsonc`]);
    assertEquals(await flagsOf("tasks.ts"), ["--config", `${directory}/deno.json`]);
    assertEquals(await configFlags("https://example.com/tasks.ts"), []);
  }));

Deno.test("sayConfig() heeds the flags that name a configuration", () => {
  for (const flag of ["-c", "--config", "--config=a", "--no-config", "--import-map=a"]) {
    assert(sayConfig(["-A", flag]), flag);
  }
  assert(!sayConfig(["-A", "--cached-only"]));
});

Deno.test("TaskPool: a module has the import map of its program", () => {
  const files = {
    "deno.json": '{ "imports": { "lib": "./a/lib.ts" } }',
    "a/lib.ts": "export const LIMIT = 42;",
    "a/tasks.ts": 'import { LIMIT } from "lib";\nexport const limit = () => LIMIT;',
  };
  return withFiles(files, (directory) =>
    withWatchdog(60_000, async () => {
      await using pool = await TaskPool.start<{ limit(): number }>({
        module: pathToFileURL(`${directory}/a/tasks.ts`),
        workers: 1,
        denoArgs: ["-A", "--no-check"],
      });
      assertStrictEquals(await pool.run("limit", []), 42);
    }));
});
