/**
 * `deno task layers`: the layers as they are, each with its files, lines and imports; then the rules of docs/architecture.md that a
 * program can check. Prints one line per problem and exits with 1 when there is any; lists the files that are longer than expected.
 */
import { join } from "node:path";
import { layerRules, linesExpectedMax, linesMax } from "./support/layers.ts";
import { findMapProblems } from "./support/file_map.ts";
import { findImportProblems, layerOf } from "./support/import_rules.ts";
import { findSourceProblems } from "./support/source_rules.ts";
import type { LayerRules } from "./support/layers.ts";
import { listFiles, projectRoot } from "./support/project.ts";
import { type Import, readImports } from "./support/import_graph.ts";
import { print, printError, refuseArguments } from "./support/terminal.ts";

/** Where the file map is. */
const FILE_MAP = "docs/architecture.md";

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
  /** One line for each layer: its files and lines, and the layers that it imports. */
  readonly layers: readonly string[];
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
  problems.push(...await checkFileMap(root, files));
  const longFiles = lengths.filter(({ lines }) => lines > linesExpectedMax).sort((a, b) => b.lines - a.lines);
  return { problems: problems.sort(), longFiles, layers: describeLayers(lengths, imports, rules) };
}

/** The file map is checked where there is one. */
async function checkFileMap(root: string, files: readonly string[]): Promise<string[]> {
  if (!files.includes(FILE_MAP)) return [];
  const mapped = files.filter((file) => /^(native\/src|ffi|src)\/.*\.(ts|rs)$/.test(file));
  return findMapProblems(FILE_MAP, await Deno.readTextFile(join(root, FILE_MAP)), mapped);
}

function describeLayers(
  lengths: readonly FileLength[],
  imports: readonly Import[],
  rules: LayerRules,
): string[] {
  const width = Math.max(...rules.layers.map(({ folder }) => folder.length));
  return rules.layers.map((layer) => {
    const own = lengths.filter(({ file }) => layerOf(file, rules) === layer);
    const lines = own.reduce((sum, { lines }) => sum + lines, 0);
    const used = new Set(
      imports.filter(({ from, internal }) => internal && layerOf(from, rules) === layer)
        .map(({ to }) => layerOf(to, rules)).filter((imported) => imported !== layer)
        .map((imported) => imported?.folder),
    );
    const arrows = rules.layers.map(({ folder }) => folder).filter((folder) => used.has(folder));
    return `${layer.folder.padEnd(width)}  ${String(own.length).padStart(3)} files ${
      String(lines).padStart(6)
    } lines` +
      (arrows.length === 0 ? "" : `  → ${arrows.join(", ")}`);
  });
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
  const { problems, longFiles, layers } = await checkLayers();
  for (const line of layers) print(line);
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
