import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Names of the file with which Deno configures a program, the one that counts first. */
const NAMES = ["deno.json", "deno.jsonc"] as const;

/**
 * Flags of `deno run` that give a module the configuration that it has where it is run by itself: its import map is in there. Deno looks for it
 * beside the program, which for a worker is a file of this package, and not the module.
 */
export async function configFlags(module: string): Promise<string[]> {
  if (!module.startsWith("file:")) return [];
  for (let directory = dirname(fileURLToPath(module));; directory = dirname(directory)) {
    for (const name of NAMES) {
      const path = join(directory, name);
      // What this process may not look at, it does without.
      const isThere = await Deno.stat(path).then(({ isFile }) => isFile, () => false);
      if (isThere) return ["--config", path];
    }
    if (directory === dirname(directory)) return [];
  }
}

/** Whether flags say by themselves which configuration there is. */
export function sayConfig(flags: readonly string[]): boolean {
  return flags.some((flag) => /^(-c|--config(=.*)?|--no-config|--import-map(=.*)?)$/.test(flag));
}
