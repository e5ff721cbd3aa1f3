import { join } from "node:path";
import { layerOf } from "./import_rules.ts";
import type { LayerRules } from "./layers.ts";
import { blank, lineOf } from "./source_text.ts";

const NATIVE_POWER = /\b(?:dlopen|Unsafe(?:Pointer|PointerView|FnPointer|Callback|WindowSurface))\b/g;
const RUNTIME_EXPORT =
  /\bexport\s+(?:default\b|\*|\{|(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:const|let|var|function|class|enum)\b)/;

/** What breaks `rules` in the text of the program's files, and which of them have no test; one line each. */
export async function findSourceProblems(
  root: string,
  files: readonly string[],
  rules: LayerRules,
): Promise<string[]> {
  const problems: string[] = [];
  const needTest: string[] = [];
  for (const file of files.filter((file) => /^(src|examples)\/.*\.ts$|^mod\.ts$/.test(file))) {
    const code = blank(await Deno.readTextFile(join(root, file)), { strings: true });
    for (const match of code.matchAll(NATIVE_POWER)) {
      problems.push(`${file}:${lineOf(code, match.index)}: mentions ${match[0]}, which only ffi/ may`);
    }
    if (layerOf(file, rules)?.pure) problems.push(...findRuntimeUse(file, code));
    if (wantsTest(file, code)) needTest.push(file);
  }
  return [...problems, ...findUntested(needTest, files, rules)];
}

/** Where the tests of a file of `src/` are expected. */
export function testPath(file: string): string {
  return file.replace(/^src\//, "tests/").replace(/\.ts$/, "_test.ts");
}

function findRuntimeUse(file: string, code: string): string[] {
  return Array.from(
    code.matchAll(/(?<![.\w$])Deno\s*\./g),
    (match) =>
      `${file}:${lineOf(code, match.index)}: uses Deno, but its layer touches nothing but the language`,
  );
}

/** Doors only pass names on, `_x.ts` is tested through what uses it, and types are the compiler's to check. */
function wantsTest(file: string, code: string): boolean {
  const name = file.slice(file.lastIndexOf("/") + 1);
  return file.startsWith("src/") && name !== "mod.ts" && !name.startsWith("_") && RUNTIME_EXPORT.test(code);
}

function findUntested(needTest: readonly string[], files: readonly string[], rules: LayerRules): string[] {
  const untested = needTest.filter((file) => !files.includes(testPath(file)));
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
