import { dirname } from "node:path/posix";
import type { Import } from "./import_graph.ts";
import type { Layer, LayerRules } from "./layers.ts";

/** The imports among `modules` that break `rules`, one line each. */
export function findImportProblems(
  imports: readonly Import[],
  modules: readonly string[],
  rules: LayerRules,
): string[] {
  const problems: string[] = modules
    .filter((file) => file.startsWith("src/") && layerOf(file, rules) === undefined)
    .map((file) => `${file}: its folder is not in the layer table`);
  const doors = new Set(modules.filter((file) => file.endsWith("/mod.ts")));
  for (const entry of imports) {
    const problem = entry.internal ? internalProblem(entry, doors, rules) : packageProblem(entry, rules);
    if (problem !== undefined) problems.push(`${entry.from}:${entry.line}: ${problem}`);
  }
  return [...problems, ...findUnusedRules(imports, rules), ...findCycles(imports)];
}

/** Layers that may import others and do not: the table says what is, not what could be. */
function findUnusedRules(imports: readonly Import[], rules: LayerRules): string[] {
  const problems: string[] = [];
  for (const layer of rules.layers) {
    const used = new Set(
      imports.filter(({ from }) => layerOf(from, rules) === layer).map(({ to }) =>
        layerOf(to, rules)?.folder
      ),
    );
    const unused = layer.mayImport.filter((folder) => !used.has(folder));
    if (unused.length > 0) {
      problems.push(`${layer.folder}: may import ${unused.join(", ")}, but does not: take it off the table`);
    }
  }
  return problems;
}

/** The innermost layer that a file belongs to. */
export function layerOf(file: string, rules: LayerRules): Layer | undefined {
  return rules.layers
    .filter(({ folder }) => file.startsWith(`${folder}/`))
    .sort((a, b) => b.folder.length - a.folder.length)[0];
}

function internalProblem(entry: Import, doors: ReadonlySet<string>, rules: LayerRules): string | undefined {
  const { from, to } = entry;
  if (from.startsWith("examples/")) return exampleProblem(entry);
  const importer = layerOf(from, rules);
  const imported = layerOf(to, rules);
  if (importer !== undefined && importer === imported) return innerDoorProblem(from, to, doors);
  if (from === "mod.ts") {
    if (imported === undefined || imported.folder === "ffi") return `imports ${to}, which is not public`;
  } else if (importer !== undefined) {
    const allowed = allowedFolders(from, importer, rules);
    if (imported === undefined || !allowed.includes(imported.folder)) {
      return `imports ${to}, but ${importer.folder} may import ${allowed.join(", ") || "nothing"}`;
    }
  }
  if (imported !== undefined && to !== `${imported.folder}/mod.ts`) {
    return `imports ${to}, but the door of ${imported.folder} is ${imported.folder}/mod.ts`;
  }
  return undefined;
}

function allowedFolders(from: string, importer: Layer, rules: LayerRules): string[] {
  const exceptions = rules.importExceptions.filter(({ file }) => file === from);
  return [...importer.mayImport, ...exceptions.map(({ mayImport }) => mayImport)];
}

function exampleProblem({ specifier, to }: Import): string | undefined {
  if (!specifier.startsWith(".") || to.startsWith("examples/")) return undefined;
  return `imports ${specifier}, but examples import as a user does, by the package's name`;
}

/** Inside a layer, a folder that has a door is entered through it. */
function innerDoorProblem(from: string, to: string, doors: ReadonlySet<string>): string | undefined {
  for (let folder = dirname(to); folder !== "." && !from.startsWith(`${folder}/`); folder = dirname(folder)) {
    const door = `${folder}/mod.ts`;
    if (doors.has(door) && to !== door) return `imports ${to}, but the door of ${folder} is ${door}`;
  }
  return undefined;
}

function packageProblem({ from, to, specifier }: Import, rules: LayerRules): string | undefined {
  if (from.startsWith("examples/")) return undefined;
  if (to.startsWith("node:") || rules.packages.some((name) => specifier.startsWith(name))) return undefined;
  return `imports the package ${specifier}, which is not in the table of allowed packages`;
}

/** One line for each group of files that import each other in a circle. */
function findCycles(imports: readonly Import[]): string[] {
  const targets = Map.groupBy(imports.filter(({ internal }) => internal), ({ from }) => from);
  const done = new Set<string>();
  const path: string[] = [];
  const problems: string[] = [];

  function visit(file: string): void {
    const start = path.indexOf(file);
    if (start >= 0) {
      problems.push(`${file}: imports itself in a circle: ${[...path.slice(start), file].join(" → ")}`);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const { to } of targets.get(file) ?? []) visit(to);
    path.pop();
    done.add(file);
  }

  for (const file of targets.keys()) visit(file);
  return problems;
}
