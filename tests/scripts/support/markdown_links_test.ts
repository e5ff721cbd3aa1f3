import { assertEquals } from "@std/assert";
import { findAnchors, findLinkProblems, findLinks } from "../../../scripts/support/markdown_links.ts";

async function problemsOf(documents: Record<string, string>): Promise<string[]> {
  return await findLinkProblems(
    new Map(Object.entries(documents)),
    (path) => Promise.resolve(path === "src"),
  );
}

Deno.test("findLinks() finds links, images and definitions, and none in code", () => {
  const markdown = '[a](b.md) ![c](d.png "e")\n```ts\nf[0](g)\n```\n`[h](i)` [j](<k.md>)\n\n[l]: m.md\n';
  assertEquals(findLinks(markdown), [
    { target: "b.md", line: 1 },
    { target: "d.png", line: 1 },
    { target: "k.md", line: 5 },
    { target: "m.md", line: 7 },
  ]);
});

Deno.test("findAnchors() makes anchors as GitHub does", () => {
  const markdown = "# The `serve()` call, & more\n## A_b - c\n## Twice\n## Twice\n```sh\n# not one\n```\n";
  assertEquals([...findAnchors(markdown)], ["the-serve-call--more", "a_b---c", "twice", "twice-1"]);
});

Deno.test("findLinkProblems() accepts links to files, headings and other sites", async () => {
  const readme = "[a](docs/a.md#one) [b](src) [c](https://example.org/x) [d](#here)\n# Here\n";
  assertEquals(await problemsOf({ "README.md": readme, "docs/a.md": "# One\n[up](../README.md)\n" }), []);
});

Deno.test("findLinkProblems() reports what leads nowhere", async () => {
  const readme = "[a](docs/b.md)\n[b](docs/a.md#two)\n[c](/etc)\n[d](../x.md)\n";
  assertEquals(await problemsOf({ "README.md": readme, "docs/a.md": "# One\n" }), [
    "README.md:1: links to docs/b.md, but there is no docs/b.md",
    "README.md:2: links to docs/a.md#two, but docs/a.md has no heading #two",
    "README.md:3: links to /etc, outside the project",
    "README.md:4: links to ../x.md, outside the project",
  ]);
});
