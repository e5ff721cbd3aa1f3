/**
 * `deno task consumer`: a program outside the project imports every entry point by its package name, through an
 * import map to this checkout. It must pass the type check, and run without a single permission: importing
 * Millrace does nothing.
 */
import { join } from "node:path";
import { runCommand } from "./support/command.ts";
import {
  entryPointImports,
  entryPointName,
  type Project,
  projectRoot,
  readProject,
} from "./support/project.ts";
import { print, printError, refuseArguments } from "./support/terminal.ts";

/** The consumer's deno.json. */
export function consumerConfiguration(project: Project, root: string): string {
  return JSON.stringify({
    imports: entryPointImports(project, root),
    compilerOptions: { strict: true },
  });
}

/** A program that imports every entry point and prints how many names each exports. */
export function consumerProgram(project: Project): string {
  const names = Object.keys(project.exports).map((entryPoint) => entryPointName(project, entryPoint));
  const imports = names.map((name, index) => `import * as entry${index} from ${JSON.stringify(name)};`);
  const entries = names.map((name, index) => `[${JSON.stringify(name)}, Object.keys(entry${index}).length],`);
  return `${imports.join("\n")}
const entries: [name: string, exports: number][] = [
${entries.join("\n")}
];
for (const [name, exports] of entries) {
  if (exports === 0) throw new Error(\`\${name} exports nothing\`);
  console.log(\`\${name}: \${exports} names\`);
}
`;
}

async function main(): Promise<number> {
  const project = await readProject();
  const directory = await Deno.makeTempDir({ prefix: "millrace_consumer_" });
  try {
    await Deno.writeTextFile(join(directory, "deno.json"), consumerConfiguration(project, projectRoot));
    await Deno.writeTextFile(join(directory, "main.ts"), consumerProgram(project));
    for (const parameters of [["check", "main.ts"], ["run", "--no-prompt", "main.ts"]]) {
      const result = await runCommand(Deno.execPath(), parameters, { directory, timeoutMs: 2 * 60_000 });
      if (!result.success) {
        printError(
          `consumer: deno ${parameters.join(" ")} ended with code ${result.code}\n${result.transcript}`,
        );
        return 1;
      }
      if (result.output !== "") print(result.output.trimEnd());
    }
    return 0;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

if (import.meta.main) {
  refuseArguments("consumer", Deno.args);
  Deno.exit(await main());
}
