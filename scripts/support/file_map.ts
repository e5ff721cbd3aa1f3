/** One section of the file map: a folder, and the names of files that the text below its heading has in backticks. */
interface MapSection {
  /** With a slash at the end. */
  readonly folder: string;
  readonly line: number;
  readonly names: readonly { readonly name: string; readonly line: number }[];
}

/**
 * What is wrong with the file map in a Markdown text, one line each: a heading `` ### `src/io/net/` `` opens the section of a folder, which
 * names each of its files in backticks, by its path from there or by its last part. Doors (`mod.ts`) go without saying. A file belongs to the
 * innermost folder that has a section.
 */
export function findMapProblems(path: string, markdown: string, files: readonly string[]): string[] {
  const sections = readSections(markdown);
  const problems: string[] = [];
  for (const { folder, line, names } of sections) {
    const own = files.filter((file) => sectionOf(file, sections)?.folder === folder);
    if (own.length === 0) {
      problems.push(`${path}:${line}: the file map has ${folder}, where there is no file`);
    }
    for (const { name, line } of names) {
      if (own.some((file) => isNamed(file, folder, name))) continue;
      problems.push(`${path}:${line}: the file map names ${name}, which is not in ${folder}`);
    }
    for (const file of own) {
      if (file.endsWith("/mod.ts") || names.some(({ name }) => isNamed(file, folder, name))) continue;
      problems.push(`${file}: is not in the file map, ${path}, section ${folder}`);
    }
  }
  const lost = files.filter((file) => file.startsWith("src/") && sectionOf(file, sections) === undefined);
  return [...problems, ...lost.map((file) => `${file}: its folder has no section in the file map, ${path}`)];
}

function readSections(markdown: string): MapSection[] {
  const sections: (MapSection & { names: { name: string; line: number }[] })[] = [];
  let current: typeof sections[number] | undefined;
  for (const [index, text] of markdown.split("\n").entries()) {
    const heading = /^#+ (?:`([\w/]+\/)`)?/.exec(text);
    if (heading !== null) {
      current = heading[1] === undefined ? undefined : { folder: heading[1], line: index + 1, names: [] };
      if (current !== undefined) sections.push(current);
      continue;
    }
    for (const [, name] of text.matchAll(/`([\w/]+\.(?:ts|rs))`/g)) {
      current?.names.push({ name, line: index + 1 });
    }
  }
  return sections;
}

function sectionOf(file: string, sections: readonly MapSection[]): MapSection | undefined {
  return sections.filter(({ folder }) => file.startsWith(folder))
    .sort((a, b) => b.folder.length - a.folder.length)[0];
}

function isNamed(file: string, folder: string, name: string): boolean {
  return file === folder + name || file.endsWith(`/${name}`) && !name.includes("/");
}
