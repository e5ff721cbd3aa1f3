import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { checkLayers } from "../../scripts/check_layers.ts";
import {
  type LayerRules,
  layerRules,
  linesExpectedMax,
  linesMax,
  parts,
} from "../../scripts/support/layers.ts";
import { makeProject } from "./support/temporary_project.ts";

const rules: LayerRules = {
  layers: [
    { folder: "ffi", mayImport: [], host: ["process"] },
    { folder: "src/base", mayImport: [], host: [] },
    { folder: "src/high", mayImport: ["src/base"], host: ["files"] },
    { folder: "src/high/inner", mayImport: [], host: [] },
  ],
  importExceptions: [{ file: "src/high/native.ts", mayImport: "ffi", reason: "the test's" }],
  testExceptions: [
    { path: "src/high/tested_elsewhere.ts", reason: "the test's" },
    { path: "src/high/suite/", reason: "the test's" },
  ],
  packages: ["npm:allowed"],
};

/** A project that keeps every rule. */
const sound = {
  "mod.ts": `export { high } from "./src/high/mod.ts";`,
  "ffi/mod.ts": `export const open = () => Deno.dlopen("x", {});`,
  "src/base/mod.ts": `export { assert } from "./assert.ts";`,
  "src/base/assert.ts": `export function assert(): void {}`,
  "tests/base/assert_test.ts": "",
  "src/high/mod.ts": `export { high } from "./high.ts";`,
  "src/high/high.ts": `import { assert } from "../base/mod.ts";
import { readFileSync } from "node:fs";
import "npm:allowed@1";
import { own } from "./own.ts";
// Deno.dlopen is only a word here.
export const high: string = "not Deno.dlopen either";
export type { Shape } from "./shape.ts";
assert(); void readFileSync; void own;`,
  "tests/high/high_test.ts": "",
  "src/high/own.ts": `export const own = 1;`,
  "src/high/shape.ts": `export interface Shape { readonly side: number }`,
  "src/high/native.ts": `import "../../ffi/mod.ts";`,
  "src/high/tested_elsewhere.ts": `export const elsewhere = 1;`,
  "src/high/suite/one.ts": `export const one = 1;`,
  "src/high/suite/two.ts": `export const two = 1;`,
  "examples/one.ts": `import "@millrace/millrace"; import "./two.ts";`,
  "examples/two.ts": "",
  "deno.json": `{ "name": "@millrace/millrace", "version": "0.1.0", "exports": "./mod.ts" }`,
};

async function problemsWith(files: Readonly<Record<string, string>>): Promise<readonly string[]> {
  await using project = await makeProject({ ...sound, ...files });
  return (await checkLayers(project.root, rules)).problems;
}

Deno.test("checkLayers() finds nothing wrong with a project that keeps every rule", async () => {
  assertEquals(await problemsWith({}), []);
});

const broken: readonly [behaviour: string, files: Record<string, string>, problem: RegExp][] = [
  [
    "an import that the table does not allow",
    { "src/base/loose.ts": `import "../high/mod.ts";` },
    /^src\/base\/loose\.ts:1: imports src\/high\/mod\.ts, but src\/base may import nothing$/,
  ],
  [
    "an import of types only that the table does not allow",
    { "src/base/loose.ts": `import type { high } from "../high/mod.ts"; export type loose = typeof high;` },
    /^src\/base\/loose\.ts:1: imports src\/high\/mod\.ts/,
  ],
  [
    "a dynamic import that the table does not allow",
    { "src/high/own.ts": `export const own = () =>\n  import("../../ffi/mod.ts");` },
    /^src\/high\/own\.ts:2: imports ffi\/mod\.ts, but src\/high may import src\/base$/,
  ],
  [
    "a re-export that the table does not allow",
    { "src/high/own.ts": `export const own = 1;\nexport * from "../../ffi/mod.ts";` },
    /^src\/high\/own\.ts:2: imports ffi\/mod\.ts/,
  ],
  [
    "a worker's module that the table does not allow",
    { "src/high/own.ts": `export const own = new URL("../../ffi/mod.ts", import.meta.url);` },
    /^src\/high\/own\.ts:1: imports ffi\/mod\.ts/,
  ],
  [
    "an exception used by another file",
    { "src/high/other.ts": `import "../../ffi/mod.ts";` },
    /^src\/high\/other\.ts:1: imports ffi\/mod\.ts/,
  ],
  [
    "an import past another folder's door",
    { "src/high/own.ts": `import { assert } from "../base/assert.ts"; export const own = assert;` },
    /imports src\/base\/assert\.ts, but the door of src\/base is src\/base\/mod\.ts$/,
  ],
  [
    "an import past the door of a folder inside the layer",
    {
      "src/high/part/mod.ts": `export { part } from "./part.ts";`,
      "src/high/part/part.ts": `export type part = 1;`,
      "src/high/own.ts": `import type { part } from "./part/part.ts"; export const own: part = 1;`,
    },
    /imports src\/high\/part\/part\.ts, but the door of src\/high\/part is src\/high\/part\/mod\.ts$/,
  ],
  [
    "a name that begins with an underscore",
    { "src/high/_part.ts": `export type part = 1;` },
    /^src\/high\/_part\.ts: begins with "_"/,
  ],
  [
    "a file behind the door that only a file without a test uses",
    {
      "src/high/native.ts": `import "../../ffi/mod.ts"; import { side } from "./side.ts"; void side;`,
      "src/high/side.ts": `export const side = 1;`,
    },
    /^src\/high\/side\.ts: has no test/,
  ],
  [
    "an import of what stands outside the program",
    { "src/high/own.ts": `import "../../tests/high/high_test.ts"; export const own = 1;` },
    /imports tests\/high\/high_test\.ts, but src\/high may import src\/base$/,
  ],
  [
    "a layer inside a layer that imports its parent",
    { "src/high/inner/mod.ts": `import "../mod.ts";` },
    /^src\/high\/inner\/mod\.ts:1: imports src\/high\/mod\.ts, but src\/high\/inner may import nothing$/,
  ],
  [
    "a root module that makes ffi public",
    { "mod.ts": `export * from "./ffi/mod.ts";` },
    /^mod\.ts:1: imports ffi\/mod\.ts, which is not public$/,
  ],
  [
    "a circle of files",
    {
      "src/high/own.ts": `import "./other.ts"; export const own = 1;`,
      "src/high/other.ts": `import type { own } from "./own.ts"; export type other = typeof own;`,
    },
    /^src\/high\/o\w+\.ts: imports itself in a circle: /,
  ],
  [
    "a layer that it may import and does not",
    {
      "src/high/high.ts": sound["src/high/high.ts"].replace("../base/mod.ts", "node:util"),
    },
    /^src\/high: may import src\/base, but does not: take it off the table$/,
  ],
  [
    "a folder that the table does not have",
    { "src/new/mod.ts": "" },
    /^src\/new\/mod\.ts: its folder is not in the layer table$/,
  ],
  [
    "a package that is not allowed",
    { "src/high/own.ts": `import "npm:other@1"; export const own = 1;` },
    /imports the package npm:other@1, which is not in the table of allowed packages$/,
  ],
  [
    "a module of Node that its layer may not use",
    { "src/base/assert.ts": `import "node:fs"; export const assert = 1;` },
    /^src\/base\/assert\.ts:1: uses node:fs, but of the host src\/base may use nothing$/,
  ],
  [
    "a use of Deno that its layer may not have",
    { "src/base/assert.ts": `export const assert = "";\nconst pid = \`\${Deno.pid}\`; void pid;` },
    /^src\/base\/assert\.ts:2: uses Deno\.pid, but of the host src\/base may use nothing$/,
  ],
  [
    "a clock that its layer may not read",
    {
      "src/high/shape.ts":
        `export type Shape = 1;\nexport type Timer = ReturnType<typeof setTimeout>; Date.now();`,
    },
    /^src\/high\/shape\.ts:2: uses Date\.now, but of the host src\/high may use files$/,
  ],
  [
    "a use of the host that its layer may have and has not",
    {
      "src/high/high.ts": sound["src/high/high.ts"].replace("node:fs", "node:path").replaceAll(
        "readFileSync",
        "join",
      ),
    },
    /^src\/high: may use files of the host, but does not: take it off the table$/,
  ],
  [
    "a pointer outside ffi/",
    { "src/high/own.ts": `export const own = (p: Deno.PointerObject) =>\n  new Deno.UnsafePointerView(p);` },
    /^src\/high\/own\.ts:2: mentions UnsafePointerView, which only ffi\/ may$/,
  ],
  [
    "a library opened outside ffi/",
    {
      "examples/two.ts":
        `const { dlopen: open } = Deno; open("x", {}); new URL("../mod.txt", import.meta.url);`,
    },
    /^examples\/two\.ts:1: mentions dlopen, which only ffi\/ may$/,
  ],
  [
    "an example that imports by path",
    { "examples/two.ts": `import "../mod.ts";` },
    /^examples\/two\.ts:1: imports \.\.\/mod\.ts, but examples import as a user does, by the package's name$/,
  ],
  [
    "a file without a test",
    { "src/high/untested.ts": `export const untested = 1;` },
    /^src\/high\/untested\.ts: has no test: write tests\/high\/untested_test\.ts/,
  ],
  [
    "an exception that is no longer needed",
    { "tests/high/tested_elsewhere_test.ts": "" },
    /^src\/high\/tested_elsewhere\.ts: is listed as an exception without a test, but needs none/,
  ],
  [
    "a file that is too long",
    { "tests/long.ts": "//\n".repeat(linesMax + 1) },
    new RegExp(`^tests/long\\.ts: ${linesMax + 1} lines, at most ${linesMax} are allowed$`),
  ],
];

for (const [behaviour, files, problem] of broken) {
  Deno.test(`checkLayers() reports ${behaviour}`, async () => {
    const problems = await problemsWith(files);
    assertStrictEquals(problems.length, 1, problems.join("\n"));
    assertMatch(problems[0], problem);
  });
}

Deno.test("checkLayers() lists files longer than expected without calling them a problem", async () => {
  const text = "//\n".repeat(linesExpectedMax + 1);
  await using project = await makeProject({ "tests/a.ts": text, "native/target/b.rs": text.repeat(9) });
  const report = await checkLayers(project.root, { ...rules, layers: [], testExceptions: [] });
  assertEquals(report, {
    problems: [],
    layers: [],
    longFiles: [{ file: "tests/a.ts", lines: linesExpectedMax + 1 }],
  });
});

Deno.test("layerRules lists layers from the ground up, so that no two can import each other", () => {
  const known = new Set<string>();
  for (const { folder, mayImport } of layerRules.layers) {
    for (const imported of mayImport) {
      assert(known.has(imported), `${folder} imports ${imported} above it`);
    }
    known.add(folder);
  }
});

Deno.test("layerRules keeps the parts of src/ from importing each other but downwards", () => {
  const partOf = (folder: string) => folder.split("/")[1];
  for (const { folder, mayImport } of layerRules.layers.filter(({ folder }) => folder.startsWith("src/"))) {
    const part = partOf(folder);
    for (const imported of mayImport.filter((imported) => imported.startsWith("src/"))) {
      assert([part, ...parts[part]].includes(partOf(imported)), `${folder} imports ${imported}`);
    }
  }
});

Deno.test("checkLayers() describes each layer: files, lines and the layers that it imports", async () => {
  await using project = await makeProject(sound);
  const { layers } = await checkLayers(project.root, rules);
  assertStrictEquals(layers.length, rules.layers.length);
  assertMatch(layers[2], /^src\/high {10}8 files {5}15 lines {2}→ ffi, src\/base$/);
});
