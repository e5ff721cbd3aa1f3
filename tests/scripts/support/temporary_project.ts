import { dirname, join } from "node:path";

/** A directory that is removed when it goes out of scope. */
export interface TemporaryProject extends AsyncDisposable {
  readonly root: string;
  /** Writes a file, and the folders it needs. */
  write(path: string, text: string, mode?: number): Promise<void>;
}

/** A project in a temporary directory: an empty deno.json and the files given, by path. */
export async function makeProject(files: Readonly<Record<string, string>> = {}): Promise<TemporaryProject> {
  const root = await Deno.makeTempDir({ prefix: "millrace_project_" });
  const project: TemporaryProject = {
    root,
    async write(path, text, mode) {
      await Deno.mkdir(dirname(join(root, path)), { recursive: true });
      await Deno.writeTextFile(join(root, path), text, { mode });
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(root, { recursive: true });
    },
  };
  for (const [path, text] of Object.entries({ "deno.json": "{}", ...files })) await project.write(path, text);
  return project;
}
