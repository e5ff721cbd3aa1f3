import { join } from "node:path";
import type { Import } from "./import_graph.ts";
import { layerOf } from "./import_rules.ts";
import { findHostUses, type HostUse, nodeUse } from "./host_use.ts";
import type { Layer, LayerRules } from "./layers.ts";
import { blank, lineOf } from "./source_text.ts";

const NATIVE_POWER = /\b(?:dlopen|Unsafe(?:Pointer|PointerView|FnPointer|Callback|WindowSurface))\b/g;
const RUNTIME_EXPORT =
  /\bexport\s+(?:default\b|\*|\{|(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:const|let|var|function|class|enum)\b)/;

/** What breaks `rules` in the names and text of the program's files, and which of them have no test; one line each. */
export async function findSourceProblems(
  root: string,
  files: readonly string[],
  imports: readonly Import[],
  rules: LayerRules,
): Promise<string[]> {
  const problems: string[] = [];
  const needTest: string[] = [];
  for (const file of files.filter((file) => /^(src|examples)\/.*\.ts$|^mod\.ts$/.test(file))) {
    const code = blank(await Deno.readTextFile(join(root, file)), { strings: true });
    for (const match of code.matchAll(NATIVE_POWER)) {
      problems.push(`${file}:${lineOf(code, match.index)}: mentions ${match[0]}, which only ffi/ may`);
    }
    if (/\/_[^/]*$/.test(file)) {
      problems.push(`${file}: begins with "_", but what a door does not export is private without a mark`);
    }
    if (wantsTest(file, code)) needTest.push(file);
  }
  return [
    ...problems,
    ...await findHostProblems(root, files, imports, rules, (file) => layerOf(file, rules)),
    ...findUntested(needTest, files, imports, rules),
  ];
}

/** Where the tests of a file of `src/` are expected. */
export function testPath(file: string): string {
  return file.replace(/^src\//, "tests/").replace(/\.ts$/, "_test.ts");
}

/** Uses of the host that a layer has and may not have, and those that it may have and has not. */
async function findHostProblems(
  root: string,
  files: readonly string[],
  imports: readonly Import[],
  { layers }: LayerRules,
  layerFor: (file: string) => Layer | undefined,
): Promise<string[]> {
  const problems: string[] = [];
  const seen = new Map<Layer, Set<HostUse>>(layers.map((layer) => [layer, new Set()]));
  const see = (file: string, use: HostUse, name: string, line: number) => {
    const layer = layerFor(file);
    if (layer === undefined) return;
    seen.get(layer)?.add(use);
    if (layer.host.includes(use)) return;
    problems.push(
      `${file}:${line}: uses ${name}, but of the host ${layer.folder} may use ${
        layer.host.join(", ") || "nothing"
      }`,
    );
  };
  for (const file of files.filter((file) => /^(src|ffi)\/.*\.ts$/.test(file))) {
    for (const { use, name, line } of findHostUses(await Deno.readTextFile(join(root, file)))) {
      see(file, use, name, line);
    }
  }
  for (const { from, to, line } of imports) {
    const use = to.startsWith("node:") ? nodeUse(to) : undefined;
    if (use !== undefined) see(from, use, to, line);
  }
  for (const [{ folder, host }, uses] of seen) {
    const unused = host.filter((use) => !uses.has(use));
    if (unused.length > 0) {
      problems.push(
        `${folder}: may use ${unused.join(", ")} of the host, but does not: take it off the table`,
      );
    }
  }
  return problems;
}

/** Doors only pass names on, and types are the compiler's to check. */
function wantsTest(file: string, code: string): boolean {
  const name = file.slice(file.lastIndexOf("/") + 1);
  return file.startsWith("src/") && name !== "mod.ts" && RUNTIME_EXPORT.test(code);
}

function findUntested(
  needTest: readonly string[],
  files: readonly string[],
  imports: readonly Import[],
  rules: LayerRules,
): string[] {
  const reached = reachedByTests(files, imports, rules);
  const untested = needTest.filter((file) => !reached.has(file));
  const covers = (path: string, file: string) => path.endsWith("/") ? file.startsWith(path) : file === path;
  const paths = rules.testExceptions.map(({ path }) => path);
  return [
    ...untested.filter((file) => !paths.some((path) => covers(path, file)))
      .map((file) =>
        `${file}: has no test: write ${testPath(file)}, or say why not in the table of exceptions`
      ),
    ...paths.filter((path) => !untested.some((file) => covers(path, file)))
      .map((path) =>
        `${path}: is listed as an exception without a test, but needs none: take it off the list`
      ),
  ];
}

/**
 * Files that have a test of their name, and those behind them: a file that its layer's door does not pass on is tested through the files
 * of its layer that import it.
 */
function reachedByTests(
  files: readonly string[],
  imports: readonly Import[],
  rules: LayerRules,
): ReadonlySet<string> {
  const behindDoors = new Set(imports.filter(({ from }) => from.endsWith("mod.ts")).map(({ to }) => to));
  const reached = new Set(files.filter((file) => files.includes(testPath(file))));
  // A set iterates over what is added meanwhile, too.
  for (const file of reached) {
    for (const { from, to } of imports) {
      const isInner = !behindDoors.has(to) && layerOf(to, rules) === layerOf(from, rules);
      if (from === file && isInner) reached.add(to);
    }
  }
  return reached;
}
