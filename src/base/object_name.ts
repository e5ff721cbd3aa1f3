/**
 * What is wrong with the name of something that other programs find by it; `undefined`: nothing is. Names are parts of file names, so they
 * have no slashes.
 */
export function nameProblem(name: string, lengthMax: number): string | undefined {
  if (/^[A-Za-z0-9_.-]+$/.test(name) && name.length <= lengthMax) return undefined;
  return `${JSON.stringify(name)}, expected 1 to ${lengthMax} letters, digits, "_", "." and "-"`;
}
