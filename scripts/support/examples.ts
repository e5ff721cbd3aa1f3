import { join } from "node:path";
import { listFiles } from "./project.ts";

/** The names of the examples: `http_echo` for examples/http_echo.ts. */
export async function listExamples(root: string): Promise<string[]> {
  const files = await listFiles(join(root, "examples"), () => false);
  return files.filter((file) => file.endsWith(".ts")).map((file) => file.slice(0, -".ts".length));
}

/**
 * The flags of `deno run` in an example's first line, `#!/usr/bin/env -S deno run --allow-net`.
 * @throws {TypeError} when the first line is none of that kind
 */
export function examplePermissions(source: string): string[] {
  const firstLine = source.split("\n", 1)[0];
  const flags = /^#!\/usr\/bin\/env -S deno run((?: --?\S+)*)\s*$/.exec(firstLine)?.[1];
  if (flags === undefined) {
    throw new TypeError(
      `Read an example's permissions: "${firstLine}", expected #!/usr/bin/env -S deno run …`,
    );
  }
  return flags.split(" ").filter((flag) => flag !== "");
}
