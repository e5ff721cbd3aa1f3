import { assertEquals } from "@std/assert";
import { exportLines, findExportProblems, listExports } from "../../scripts/list_exports.ts";
import { entryPointName, projectRoot, readProject } from "../../scripts/support/project.ts";

Deno.test("every public name is in the list of exports, and no other", async () => {
  assertEquals(
    await findExportProblems(),
    [],
    "run `deno task exports` where a change of the exports is meant",
  );
});

Deno.test("every entry point loads, and has the values that are listed", async () => {
  const project = await readProject();
  const listed = (await listExports()).split("\n").map((line) => line.split(" "));
  for (const [entryPoint, path] of Object.entries(project.exports)) {
    const names = (...kinds: string[]) =>
      listed.filter(([entry, kind, name]) =>
        entry === entryPointName(project, entryPoint) && kinds.includes(kind) && !name.endsWith(":")
      ).map(([, , name]) => name);
    const loaded = Object.keys(await import(new URL(path, `file://${projectRoot}`).href));
    // Of a class an entry point may have the type only.
    assertEquals(
      loaded.filter((name) => !names("function", "variable", "enum", "class").includes(name)),
      [],
    );
    assertEquals(names("function", "variable", "enum").filter((name) => !loaded.includes(name)), []);
  }
});

Deno.test("exportLines() lists names, public members and static ones", () => {
  const methods = [{ name: "create", isStatic: true }, { name: "read" }, {
    name: "hidden",
    accessibility: "private" as const,
  }];
  const declarations = [{ kind: "class", def: { methods, properties: [{ name: "size" }] } }];
  assertEquals(
    exportLines("package", { nodes: { file: { symbols: [{ name: "Ring", declarations }] } } }),
    [
      "package class Ring",
      "package class Ring: read",
      "package class Ring: size",
      "package class Ring: static create",
    ],
  );
});
