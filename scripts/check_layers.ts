/**
 * `deno task layers`: the rules of docs/architecture.md that a program can check. Prints one line per problem
 * and exits with 1 when there is any; then lists the files that are longer than expected.
 */
import { join } from "node:path";
import { layerRules, linesExpectedMax, linesMax } from "./support/layers.ts";
import { findImportProblems } from "./support/import_rules.ts";
import { findSourceProblems } from "./support/source_rules.ts";
import type { LayerRules } from "./support/layers.ts";
import { listFiles, projectRoot } from "./support/project.ts";
import { readImports } from "./support/import_graph.ts";
import { print, printError, refuseArguments } from "./support/terminal.ts";

/** Length of a file. */
export interface FileLength {
  readonly file: string;
  readonly lines: number;
}

/** What {@linkcode checkLayers} found. */
export interface LayerReport {
  /** One line each, beginning with the file, sorted. */
  readonly problems: readonly string[];
  /** Files longer than expected, the longest first. */
  readonly longFiles: readonly FileLength[];
}

/** Checks the project at `root` against `rules`. */
export async function checkLayers(
  root: string = projectRoot,
  rules: LayerRules = layerRules,
): Promise<LayerReport> {
  const files = await listFiles(root, isOurs);
  const modules = files.filter((file) => /^(ffi|src|examples)\/.*\.ts$|^mod\.ts$/.test(file));
  const imports = await readImports(root, modules);
  const lengths = await measure(root, files.filter((file) => /\.(ts|rs)$/.test(file)));
  const problems = [
    ...findImportProblems(imports, modules, rules),
    ...await findSourceProblems(root, files, imports, rules),
    ...lengths.filter(({ lines }) => lines > linesMax)
      .map(({ file, lines }) => `${file}: ${lines} lines, at most ${linesMax} are allowed`),
  ];
  const longFiles = lengths.filter(({ lines }) => lines > linesExpectedMax).sort((a, b) => b.lines - a.lines);
  return { problems: problems.sort(), longFiles };
}

/** Folders that hold what others wrote or what a build made. */
function isOurs(folder: string): boolean {
  return !/(^|\/)(\.[^/]*|target|node_modules|dist|coverage)$/.test(folder) && folder !== "bench/peers/build";
}

async function measure(root: string, files: readonly string[]): Promise<FileLength[]> {
  return await Promise.all(files.map(async (file) => {
    const text = await Deno.readTextFile(join(root, file));
    return { file, lines: text.split("\n").length - (text.endsWith("\n") ? 1 : 0) };
  }));
}

async function main(): Promise<number> {
  const { problems, longFiles } = await checkLayers();
  for (const problem of problems) printError(problem);
  for (const { file, lines } of longFiles) {
    print(`${file}: ${lines} lines, more than the ${linesExpectedMax} expected`);
  }
  return problems.length === 0 ? 0 : 1;
}

if (import.meta.main) {
  refuseArguments("layers", Deno.args);
  Deno.exit(await main());
}
