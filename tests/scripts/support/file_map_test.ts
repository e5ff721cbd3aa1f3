import { assertEquals } from "@std/assert";
import { findMapProblems } from "../../../scripts/support/file_map.ts";

const MAP = `# Page

### \`src/part/\`

- \`one.ts\`: the first, and \`inner/two.ts\`.

### \`src/part/deep/\`

- \`three.ts\`.

### The rest

\`anything.ts\` goes.
`;
const FILES = ["src/part/mod.ts", "src/part/one.ts", "src/part/inner/two.ts", "src/part/deep/three.ts"];

Deno.test("findMapProblems() finds nothing wrong with a map that names every file", () => {
  assertEquals(findMapProblems("map.md", MAP, FILES), []);
});

Deno.test("findMapProblems() reports files that the map lacks, and names that lead nowhere", () => {
  const files = ["src/part/one.ts", "src/part/four.ts", "src/part/deep/three.ts", "src/other/five.ts"];
  assertEquals(findMapProblems("map.md", MAP, files), [
    "map.md:5: the file map names inner/two.ts, which is not in src/part/",
    "src/part/four.ts: is not in the file map, map.md, section src/part/",
    "src/other/five.ts: its folder has no section in the file map, map.md",
  ]);
});

Deno.test("findMapProblems() reports the section of a folder that is gone", () => {
  const problems = findMapProblems("map.md", MAP, FILES.filter((file) => !file.includes("deep")));
  assertEquals(problems, [
    "map.md:7: the file map has src/part/deep/, where there is no file",
    "map.md:9: the file map names three.ts, which is not in src/part/deep/",
  ]);
});
