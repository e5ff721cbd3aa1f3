/**
 * What is wrong with the name of a shared object; `undefined` when nothing is. Names are parts of file names, so they must not contain
 * slashes.
 */
export function nameProblem(name: string, lengthMax: number): string | undefined {
  // The length first: the pattern would be slow for a long text.
  const isText = typeof name === "string" && name.length <= lengthMax;
  if (isText && /^[A-Za-z0-9_.-]+$/.test(name)) return undefined;
  return `${JSON.stringify(name)}, expected 1 to ${lengthMax} letters, digits, "_", "." and "-"`;
}
