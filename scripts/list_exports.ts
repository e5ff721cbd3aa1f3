/**
 * `deno task exports [--check]`: writes every public name of every entry point, with the members of classes and interfaces, to
 * `tests/fixtures/public_exports.txt`; with `--check` says what differs from the committed list, and exits with 1.
 */
import { join } from "node:path";
import { runCommand } from "./support/command.ts";
import { entryPointName, projectRoot, readProject } from "./support/project.ts";
import { messageOf, printError } from "./support/terminal.ts";

const LIST_PATH = "tests/fixtures/public_exports.txt";

/** What `deno doc --json` says of a member. */
interface DocMember {
  readonly name: string;
  readonly isStatic?: boolean;
  readonly accessibility?: "private" | "protected";
}

interface DocDeclaration {
  readonly kind: string;
  readonly def?: { readonly properties?: readonly DocMember[]; readonly methods?: readonly DocMember[] };
}

interface DocNodes {
  readonly nodes: Readonly<
    Record<
      string,
      {
        readonly symbols: readonly {
          readonly name: string;
          readonly declarations: readonly DocDeclaration[];
        }[];
      }
    >
  >;
}

/** One line for each name that an entry point exports and for each public member, sorted: `class SpscRing`, `class SpscRing: static create`. */
export function exportLines(entryPoint: string, doc: DocNodes): string[] {
  const lines = Object.values(doc.nodes).flatMap(({ symbols }) =>
    symbols.flatMap(({ name, declarations }) =>
      declarations.flatMap(({ kind, def }) => {
        const line = `${entryPoint} ${kind} ${name}`;
        const members = [...def?.properties ?? [], ...def?.methods ?? []]
          .filter(({ accessibility }) => accessibility !== "private")
          .map((member) => `${line}: ${member.isStatic ? "static " : ""}${member.name}`);
        return [line, ...members];
      })
    )
  );
  return [...new Set(lines)].sort();
}

/** The list as it should be: {@linkcode exportLines} of every entry point. */
export async function listExports(): Promise<string> {
  const project = await readProject();
  const lines: string[] = [];
  for (const [entryPoint, path] of Object.entries(project.exports)) {
    const result = await runCommand(Deno.execPath(), ["doc", "--json", path], { directory: projectRoot });
    if (!result.success) {
      throw new Error(`deno doc ${path} ended with code ${result.code}\n${result.transcript}`);
    }
    lines.push(...exportLines(entryPointName(project, entryPoint), JSON.parse(result.output)));
  }
  return `${lines.join("\n")}\n`;
}

/** Lines of one list that the other has not. */
function missing(from: string, other: string): string[] {
  const there = new Set(other.split("\n"));
  return from.split("\n").filter((line) => !there.has(line));
}

/** One line for each difference between the committed list and what is exported now; none when both are the same. */
export async function findExportProblems(): Promise<string[]> {
  const [listed, exported] = [await Deno.readTextFile(join(projectRoot, LIST_PATH)), await listExports()];
  return [
    ...missing(listed, exported).map((line) => `no longer exported: ${line}`),
    ...missing(exported, listed).map((line) => `exported and not listed: ${line}`),
  ];
}

async function main(parameters: readonly string[]): Promise<number> {
  const unknown = parameters.find((parameter) => parameter !== "--check");
  if (unknown !== undefined) {
    printError(`list_exports: unknown argument ${unknown}, expected --check or nothing`);
    return 2;
  }
  try {
    if (!parameters.includes("--check")) {
      await Deno.writeTextFile(join(projectRoot, LIST_PATH), await listExports());
      return 0;
    }
    const problems = await findExportProblems();
    for (const problem of problems) printError(`list_exports: ${problem}`);
    return problems.length === 0 ? 0 : 1;
  } catch (error) {
    printError(`list_exports: ${messageOf(error)}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
