import { basename, dirname, resolve } from "node:path";

/**
 * Calls `onChange` when one of `paths` has changed, after `debounceMs` of quiet: files, and directories with all that is in them.
 *
 * A file is watched by its directory: editors write another file and give it the name, and a watch of the file itself would
 * end with that.
 *
 * @throws {Deno.errors.NotFound} when a path is not there
 */
export function watchFiles(
  paths: readonly string[],
  debounceMs: number,
  onChange: () => void,
): { close(): void } {
  const directories = paths.filter((path) => Deno.statSync(path).isDirectory);
  const files = new Set(paths.filter((path) => !directories.includes(path)).map((path) => realPath(path)));
  const watchers: Deno.FsWatcher[] = [];
  if (directories.length > 0) watchers.push(Deno.watchFs(directories));
  if (files.size > 0) {
    watchers.push(Deno.watchFs([...new Set([...files].map((path) => dirname(path)))], { recursive: false }));
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const follow = async (watcher: Deno.FsWatcher, counts: (path: string) => boolean): Promise<void> => {
    for await (const { kind, paths } of watcher) {
      if (kind === "access" || !paths.some(counts)) continue;
      clearTimeout(timer);
      timer = setTimeout(onChange, debounceMs);
    }
  };
  for (const [index, watcher] of watchers.entries()) {
    const all = directories.length > 0 && index === 0;
    follow(watcher, (path) => all || files.has(path));
  }
  return {
    close() {
      for (const watcher of watchers) watcher.close();
      clearTimeout(timer);
    },
  };
}

/** The path as the system tells it: that of the directory without links, and the file's own name. */
function realPath(path: string): string {
  return `${Deno.realPathSync(dirname(resolve(path)))}/${basename(path)}`;
}
