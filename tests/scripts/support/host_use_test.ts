import { assertEquals } from "@std/assert";
import { findHostUses, nodeUse } from "../../../scripts/support/host_use.ts";

/** A use by its kind and name, of each line of a text. */
function usesOf(source: string): string[] {
  return findHostUses(source).sort((a, b) => a.line - b.line).map(({ use, name }) => `${use} ${name}`);
}

Deno.test("findHostUses() tells what of the host a text uses", () => {
  assertEquals(
    usesOf(`throw new Deno.errors.NotFound();
const now = Date.now();
const since = performance.now();
const at = new Date();
setTimeout(run, 5);
Deno.unrefTimer(timer);
const key = crypto.randomUUID();
await fetch(url);
Deno.listenTls({ port });
await Deno.readTextFile(path);
await Deno.makeTempDir();
new Deno.Command("true");
new Worker(url);
Deno.somethingNew();`),
    [
      "errors Deno.errors",
      "clock Date.now",
      "clock performance.now",
      "clock new Date()",
      "timers setTimeout",
      "timers Deno.unrefTimer",
      "chance crypto.randomUUID",
      "network fetch(",
      "network Deno.listenTls",
      "files Deno.readTextFile",
      "files Deno.makeTempDir",
      "processes Deno.Command",
      "threads new Worker",
      "process Deno.somethingNew",
    ],
  );
});

Deno.test("findHostUses() passes over types, methods of others, comments and texts", () => {
  assertEquals(
    usesOf(`let conn: Deno.Conn; let timer: ReturnType<typeof setTimeout>;
wheel.setTimeout(5); this.#fetch(url); new Date(5);
// Date.now()
const text = "Deno.open";`),
    [],
  );
});

Deno.test("nodeUse() tells modules that only compute from those that reach the host", () => {
  assertEquals(["node:path", "node:path/posix", "node:util"].map(nodeUse), [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(["node:net", "node:fs/promises", "node:zlib", "node:unheard"].map(nodeUse), [
    "network",
    "files",
    "codecs",
    "process",
  ]);
});
