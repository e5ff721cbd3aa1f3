/** Versions as Kafka writes them: `3+`, `3-11`, `7`, or `none`. */
export type Versions = `${number}+` | `${number}-${number}` | `${number}` | "none";

/** Versions from `min` up to `max`, both included; empty when `max` is less. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

/** No version is higher: it is an int16. */
export const VERSION_MAX = 0x7fff;

/** The range that `text` means. @throws {SyntaxError} when it means none */
export function parseVersions(text: Versions): VersionRange {
  if (text === "none") return { min: 0, max: -1 };
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text);
  if (match === null) throw new SyntaxError(`Kafka versions: found ${text}, expected 3+, 3-11, 7 or none`);
  const min = Number(match[1]);
  const max = match[2] === "+" ? VERSION_MAX : Number(match[3] ?? match[1]);
  if (min > max || max > VERSION_MAX) {
    throw new SyntaxError(
      `Kafka versions: found ${text}, expected the lower one first, up to ${VERSION_MAX}`,
    );
  }
  return { min, max };
}

/** Whether `version` is one of `range`. */
export function includesVersion(range: VersionRange, version: number): boolean {
  return version >= range.min && version <= range.max;
}
