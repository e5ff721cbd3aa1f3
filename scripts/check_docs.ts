/**
 * `deno task docs`: type-checks and runs every example in the documentation comments of the program and in the
 * Markdown files, runs `deno doc --lint` on every entry point, and follows the relative links of the Markdown
 * files. Exits with 1 when any of it fails.
 */
import { join } from "node:path";
import { runCommand } from "./support/command.ts";
import { countTests } from "./support/junit_report.ts";
import { findLinkProblems } from "./support/markdown_links.ts";
import { entryPointImports, exists, listFiles, projectRoot, readProject } from "./support/project.ts";
import { print, printError, refuseArguments } from "./support/terminal.ts";

/** Longest a run of all examples may take: one that waits for ever fails the check. */
const EXAMPLES_TIMEOUT_MS = 5 * 60_000;

/** The Markdown files that users read, by path. */
async function readDocuments(): Promise<Map<string, string>> {
  const files = (await listFiles(projectRoot, (folder) => folder === "docs" || folder.startsWith("docs/")))
    .filter((file) => file.endsWith(".md"));
  return new Map(
    await Promise.all(
      files.map(async (file) => [file, await Deno.readTextFile(join(projectRoot, file))] as const),
    ),
  );
}

/**
 * The configuration the examples are checked with: the project's, but an import map in place of the package's
 * own name, and without the complaint about unused names, because `deno test --doc` imports every name that the
 * documented module exports into each example.
 */
async function examplesConfiguration(): Promise<string> {
  const project = await readProject();
  const { imports = {}, compilerOptions = {} } = JSON.parse(
    await Deno.readTextFile(join(projectRoot, "deno.json")),
  );
  return JSON.stringify({
    imports: { ...imports, ...entryPointImports(project, projectRoot) },
    // The types are those of the tests' own packages.
    compilerOptions: { ...compilerOptions, types: [], noUnusedLocals: false },
  });
}

/** Whether a module is what a worker runs: it does something when it is loaded. */
function isProgram(file: string): boolean {
  return file.endsWith("/worker_entry.ts");
}

async function runExamples(documents: Iterable<string>): Promise<boolean> {
  const modules = await listFiles(projectRoot, (folder) => /^(src|ffi)(\/|$)/.test(folder));
  const files = [
    ...modules.filter((file) => /^(src|ffi)\/.*\.ts$|^mod\.ts$/.test(file) && !isProgram(file)),
    ...documents,
  ];
  const directory = await Deno.makeTempDir({ prefix: "millrace_docs_" });
  try {
    const configuration = join(directory, "deno.json");
    await Deno.writeTextFile(configuration, await examplesConfiguration());
    const report = join(directory, "report.xml");
    const result = await runCommand(
      Deno.execPath(),
      [
        "test",
        "--doc",
        "-A",
        "--quiet",
        "--no-lock",
        "--config",
        configuration,
        `--junit-path=${report}`,
        ...files,
      ],
      { directory: projectRoot, timeoutMs: EXAMPLES_TIMEOUT_MS },
    );
    const counts = countTests(await Deno.readTextFile(report).catch(() => ""));
    if (result.timedOut) printError(`docs: the examples did not end within ${EXAMPLES_TIMEOUT_MS} ms`);
    if (!result.success) printError(result.transcript);
    print(`docs: ${counts.passed} examples ran, ${counts.failed} failed`);
    return result.success;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function lintDocumentation(): Promise<boolean> {
  const { exports } = await readProject();
  const result = await runCommand(Deno.execPath(), ["doc", "--lint", ...Object.values(exports)], {
    directory: projectRoot,
  });
  if (!result.success) printError(result.transcript);
  return result.success;
}

async function checkLinks(documents: ReadonlyMap<string, string>): Promise<boolean> {
  const problems = await findLinkProblems(documents, (path) => exists(join(projectRoot, path)));
  for (const problem of problems) printError(problem);
  return problems.length === 0;
}

/** A command that the documents name and deno.json does not have would be a reader's first failure. */
async function checkTasks(documents: ReadonlyMap<string, string>): Promise<boolean> {
  const { tasks } = await readProject();
  let known = true;
  for (const [file, markdown] of documents) {
    for (const [, name] of markdown.matchAll(/\bdeno(?:@[\d.]+)? task ([a-z][\w:-]*)/g)) {
      if (name in tasks) continue;
      printError(`${file}: names the task ${name}, which deno.json does not have`);
      known = false;
    }
  }
  return known;
}

async function main(): Promise<number> {
  const documents = await readDocuments();
  const results = [
    await runExamples(documents.keys()),
    await lintDocumentation(),
    await checkLinks(documents),
    await checkTasks(documents),
  ];
  return results.every(Boolean) ? 0 : 1;
}

if (import.meta.main) {
  refuseArguments("docs", Deno.args);
  Deno.exit(await main());
}
