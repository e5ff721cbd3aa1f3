import { dirname, join } from "node:path/posix";

/** A link in a Markdown file. */
export interface MarkdownLink {
  readonly target: string;
  /** Counted from 1. */
  readonly line: number;
}

/** The links and images of a Markdown text, outside code; reference definitions too. */
export function findLinks(markdown: string): MarkdownLink[] {
  const patterns = [/\]\(\s*<?([^)\s>]+)>?(?:\s+["'][^)]*)?\)/g, /^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)/g];
  return proseLines(markdown).flatMap((text, index) =>
    patterns.flatMap((pattern) =>
      Array.from(text.matchAll(pattern), ([, target]) => ({ target, line: index + 1 }))
    )
  );
}

/** The anchors that GitHub gives to the headings of a Markdown text. */
export function findAnchors(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const text = withoutFences(markdown);
  for (const [, heading] of text.matchAll(/^ {0,3}#{1,6}\s+(.+?)\s*#*\s*$/gm)) {
    const anchor = headingAnchor(heading);
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  for (const [, name] of text.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(name);
  return anchors;
}

/**
 * The relative links that lead nowhere, one line each. `documents` are the project's Markdown files by path;
 * `fileExists` answers for any other path.
 */
export async function findLinkProblems(
  documents: ReadonlyMap<string, string>,
  fileExists: (path: string) => Promise<boolean>,
): Promise<string[]> {
  const problems: string[] = [];
  for (const [file, markdown] of documents) {
    for (const { target, line } of findLinks(markdown)) {
      if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) continue;
      const problem = await linkProblem(file, target, documents, fileExists);
      if (problem !== undefined) problems.push(`${file}:${line}: ${problem}`);
    }
  }
  return problems;
}

async function linkProblem(
  file: string,
  target: string,
  documents: ReadonlyMap<string, string>,
  fileExists: (path: string) => Promise<boolean>,
): Promise<string | undefined> {
  const [path, anchor] = decodeURI(target).split("#", 2);
  const destination = path === "" ? file : join(dirname(file), path);
  if (path.startsWith("/") || destination.startsWith("..")) return `links to ${target}, outside the project`;
  if (!documents.has(destination) && !await fileExists(destination)) {
    return `links to ${target}, but there is no ${destination}`;
  }
  const document = documents.get(destination);
  if (anchor === undefined || document === undefined || findAnchors(document).has(anchor)) return undefined;
  return `links to ${target}, but ${destination} has no heading #${anchor}`;
}

function headingAnchor(heading: string): string {
  return heading
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
    .replace(/\s/g, "-");
}

function proseLines(markdown: string): string[] {
  return withoutFences(markdown).replace(/`[^`\n]*`/g, "").split("\n");
}

/** Fenced code becomes empty lines, so that lines keep their numbers. */
function withoutFences(markdown: string): string {
  return markdown.replace(
    /^( {0,3}|\s*[-*] +)(`{3,}|~{3,})[^\n]*\n.*?(^\s*\2`*~*\s*$|$(?![\s\S]))/gms,
    (fence) => fence.replace(/[^\n]/g, ""),
  );
}
