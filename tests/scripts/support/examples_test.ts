import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { join } from "node:path";
import { examplePermissions, listExamples } from "../../../scripts/support/examples.ts";
import { projectRoot, readProject } from "../../../scripts/support/project.ts";

Deno.test("examplePermissions() reads the flags of the first line", () => {
  assertEquals(examplePermissions("#!/usr/bin/env -S deno run --allow-net --allow-read=a,b\nx"), [
    "--allow-net",
    "--allow-read=a,b",
  ]);
  assertEquals(examplePermissions("#!/usr/bin/env -S deno run\n"), []);
});

Deno.test("examplePermissions() refuses a first line that does not run Deno", () => {
  assertThrows(() => examplePermissions("import x;"), TypeError);
});

Deno.test("every example is executable, and its task runs it with the permissions of its first line", async () => {
  const { tasks } = await readProject();
  for (const name of await listExamples(projectRoot)) {
    const path = join(projectRoot, "examples", `${name}.ts`);
    const permissions = examplePermissions(await Deno.readTextFile(path));
    const task = tasks[name] as { command?: string } | undefined;
    assertStrictEquals(task?.command, ["deno run", ...permissions, `examples/${name}.ts`].join(" "), name);
    assert(((await Deno.stat(path)).mode ?? 0) & 0o100, `${name} is not executable`);
  }
});
