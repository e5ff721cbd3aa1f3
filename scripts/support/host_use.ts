import { blank, lineOf } from "./source_text.ts";

/** What a layer can use of the program's host, beside the language. */
export const HOST_USES = [
  "errors",
  "clock",
  "timers",
  "chance",
  "network",
  "files",
  "process",
  "processes",
  "threads",
  "codecs",
] as const;

/**
 * One kind of use:
 *
 * - `errors`: the classes of `Deno.errors`
 * - `clock`: what time it is, not by the seam for time
 * - `timers`: `setTimeout()` and the like, not by the seam for time
 * - `chance`: random numbers that nothing can replay
 * - `network`: sockets, host names, `fetch()`
 * - `files`: the file system
 * - `process`: this process: number, environment, arguments, permissions, signals, standard streams
 * - `processes`: other processes
 * - `threads`: workers
 * - `codecs`: what Node has for compressing
 */
export type HostUse = typeof HOST_USES[number];

/** Where something of the host is used. */
export interface FoundUse {
  readonly use: HostUse;
  /** As it is written: `Deno.listen`. */
  readonly name: string;
  /** Counted from 1. */
  readonly line: number;
}

/** Members of `Deno`; those with a capital letter are types, but for these. */
const DENO: readonly (readonly [use: HostUse, name: RegExp])[] = [
  ["errors", /^errors$/],
  ["timers", /^(unref|ref)Timer$/],
  ["network", /^(listen|connect|serve|startTls|resolveDns|upgrade|networkInterfaces)/],
  ["processes", /^(Command|kill)$/],
  [
    "process",
    /^(pid|ppid|uid|gid|env|args|cwd|chdir|exit|exitCode|execPath|build|version|permissions|memoryUsage|mainModule|addSignalListener|removeSignalListener|std(in|out|err))$/,
  ],
  [
    "files",
    /^(open|create|read|write|stat|lstat|fstat|remove|rename|mkdir|makeTemp|truncate|link|symlink|chmod|chown|utime|umask|realPath|copyFile|watchFs|FsFile$)/,
  ],
];

const GLOBALS: readonly (readonly [use: HostUse, name: RegExp])[] = [
  ["clock", /\b(?:performance\.(?:now|timeOrigin)|Date\.now)\b|\bnew Date\(\)/g],
  ["timers", /(?<![.\w$#])(?:setTimeout|setInterval|setImmediate)\b(?!\s*[?:]?:)/g],
  ["chance", /\b(?:Math\.random|crypto\.(?:getRandomValues|randomUUID))\b/g],
  ["network", /(?<![.\w$#])(?:fetch\(|new (?:WebSocket|EventSource)\b)/g],
  ["threads", /\bnew (?:Worker|MessageChannel|BroadcastChannel)\b|\bnavigator\.hardwareConcurrency\b/g],
];

/** Modules of Node that only compute are the language's. */
const NODE: Readonly<Record<string, HostUse | "language">> = {
  "node:async_hooks": "language",
  "node:buffer": "language",
  "node:events": "language",
  "node:path": "language",
  "node:url": "language",
  "node:util": "language",
  "node:v8": "language",
  "node:child_process": "processes",
  "node:dgram": "network",
  "node:dns": "network",
  "node:fs": "files",
  "node:http": "network",
  "node:inspector": "process",
  "node:net": "network",
  "node:os": "process",
  "node:timers": "timers",
  "node:worker_threads": "threads",
  "node:zlib": "codecs",
};

/** What the text of a module uses of the host. What it mentions only as a type counts only where no pattern can tell: `typeof setTimeout`. */
export function findHostUses(source: string): FoundUse[] {
  const code = blank(source, { strings: true });
  const found: FoundUse[] = [];
  for (const match of code.matchAll(/(?<![.\w$])Deno\s*\.\s*(\w+)/g)) {
    const [, name] = match;
    if (/^[A-Z]/.test(name) && name !== "Command" && name !== "FsFile") continue;
    const use = DENO.find(([, pattern]) => pattern.test(name))?.[0];
    // What nobody has put into the table is reported as the widest of all.
    found.push({ use: use ?? "process", name: `Deno.${name}`, line: lineOf(code, match.index) });
  }
  for (const [use, pattern] of GLOBALS) {
    for (const match of code.matchAll(pattern)) {
      if (/\btypeof\s+$/.test(code.slice(0, match.index))) continue;
      found.push({ use, name: match[0], line: lineOf(code, match.index) });
    }
  }
  return found;
}

/** What importing a module of Node is a use of; `undefined` for one that only computes. */
export function nodeUse(specifier: string): HostUse | undefined {
  const use = NODE[specifier.replace(/^(node:\w+)\/.*$/, "$1")] ?? "process";
  return use === "language" ? undefined : use;
}
