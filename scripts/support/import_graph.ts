import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runCommand } from "./command.ts";
import { blank, lineOf } from "./source_text.ts";

/** One import, static, dynamic, re-exported or of types only; or the URL of a worker's module. */
export interface Import {
  /** The importing file, from the project's root. */
  readonly from: string;
  /** The imported file, from the project's root; for a package or a `node:` module its specifier. */
  readonly to: string;
  /** As written. */
  readonly specifier: string;
  /** Line of the specifier, counted from 1. */
  readonly line: number;
  /** Whether `to` is a file of the project. */
  readonly internal: boolean;
}

interface InfoResolution {
  readonly specifier?: string;
  readonly error?: string;
  readonly span: { readonly start: { readonly line: number } };
}

interface InfoModule {
  readonly specifier: string;
  readonly error?: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: InfoResolution;
    readonly type?: InfoResolution;
  }[];
}

/**
 * The imports of `files` (paths from `root`), as `deno info` reads them, so that every form of import counts
 * and names are resolved as they will be when the program runs.
 * @throws {Error} when a file cannot be read as a module
 */
export async function readImports(root: string, files: readonly string[]): Promise<Import[]> {
  const imports: Import[] = [];
  for (const module of await readModules(root, files)) {
    const from = projectPath(root, module.specifier);
    if (from === undefined || !files.includes(from)) continue;
    if (module.error !== undefined) throw new Error(`Read the imports of ${from}: ${module.error}`);
    for (const dependency of module.dependencies ?? []) {
      const resolution = dependency.code ?? dependency.type;
      const target = resolution?.specifier ?? dependency.specifier;
      imports.push(
        makeImport(root, from, target, dependency.specifier, (resolution?.span.start.line ?? 0) + 1),
      );
    }
  }
  for (const file of files) imports.push(...await readModuleUrls(root, file));
  return imports;
}

/** All in one call, through a root module that imports every file: `deno info` takes a single module. */
async function readModules(root: string, files: readonly string[]): Promise<readonly InfoModule[]> {
  const directory = await Deno.makeTempDir({ prefix: "millrace_layers_" });
  try {
    const rootModule = join(directory, "root.ts");
    const lines = files.map((file) => `import ${JSON.stringify(fileUrl(root, file))};`);
    await Deno.writeTextFile(rootModule, lines.join("\n"));
    const parameters = [
      "info",
      "--json",
      "--no-lock",
      "--no-npm",
      "--no-remote",
      "--config",
      join(root, "deno.json"),
      rootModule,
    ];
    const result = await runCommand(Deno.execPath(), parameters, { directory: root });
    if (!result.success) throw new Error(`Read the imports: deno info failed\n${result.transcript}`);
    return JSON.parse(result.output).modules;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** `new URL("./worker_entry.ts", import.meta.url)` loads a module too, unseen by `deno info`. */
async function readModuleUrls(root: string, file: string): Promise<Import[]> {
  const source = blank(await Deno.readTextFile(join(root, file)));
  const pattern = /\bnew\s+URL\(\s*["'](\.{1,2}\/[^"']+\.[mc]?[tj]s)["']\s*,\s*import\.meta\.url/g;
  return Array.from(source.matchAll(pattern), (match) => {
    const target = new URL(match[1], fileUrl(root, file)).href;
    return makeImport(root, file, target, match[1], lineOf(source, match.index));
  });
}

function makeImport(root: string, from: string, target: string, specifier: string, line: number): Import {
  const path = projectPath(root, target);
  return { from, to: path ?? target, specifier, line, internal: path !== undefined };
}

function fileUrl(root: string, file: string): string {
  return pathToFileURL(join(root, file)).href;
}

function projectPath(root: string, specifier: string): string | undefined {
  if (!specifier.startsWith("file:")) return undefined;
  const path = relative(root, fileURLToPath(specifier));
  return path.startsWith("..") ? undefined : path;
}
