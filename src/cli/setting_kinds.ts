/** A type of option values, and how they are written. */
export interface SettingKind<T> {
  /** The value's placeholder in the help; `undefined` for a switch, which has no value. */
  readonly placeholder: string | undefined;
  /** What is expected, for errors. */
  readonly expected: string;
  /** The value of the text of a flag or an environment variable; `undefined` when it is not valid. */
  fromText(text: string): T | undefined;
  /** The value of an entry of a TOML file; `undefined` when it is not valid. */
  fromToml(value: unknown): T | undefined;
}

/** The longest time that an option can have. */
export const DURATION_DAYS_MAX = 365;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  "": 1000,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const TRUE = ["true", "yes", "on", "1"];
const FALSE = ["false", "no", "off", "0"];

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number): SettingKind<number> {
  const inRange = (number: number): number | undefined =>
    Number.isInteger(number) && number >= min && number <= max ? number : undefined;
  return {
    placeholder: "count",
    expected: max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `${min} to ${max}`,
    fromText: (text) => /^\d+$/.test(text) ? inRange(Number(text)) : undefined,
    fromToml: (value) => typeof value === "number" ? inRange(value) : undefined,
  };
}

/** A time: a number with a unit, or of seconds. The value is in milliseconds, at least `minMs`. */
export function duration(minMs: number): SettingKind<number> {
  const fromText = (text: string): number | undefined => {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|)$/.exec(text);
    if (match === null) return undefined;
    const ms = Number(match[1]) * UNIT_MS[match[2]];
    return ms >= minMs && ms <= DURATION_DAYS_MAX * UNIT_MS.d ? ms : undefined;
  };
  return {
    placeholder: "time",
    expected: `${
      minMs > 0 ? "more than 0, " : ""
    }a time such as 500ms, 5s, 2m, 1h or 3d, at most ${DURATION_DAYS_MAX}d`,
    fromText,
    fromToml: (value) =>
      typeof value === "string" || typeof value === "number" ? fromText(String(value)) : undefined,
  };
}

/** Any text; `placeholder` stands for it in the help. */
export function text(placeholder: string): SettingKind<string> {
  return {
    placeholder,
    expected: "a text",
    fromText: (value) => value,
    fromToml: (value) => typeof value === "string" ? value : undefined,
  };
}

/** One of a few words. */
export function choice<T extends string>(...words: readonly T[]): SettingKind<T> {
  const find = (value: unknown): T | undefined => words.find((word) => word === value);
  const last = words[words.length - 1];
  return {
    placeholder: words.join("|"),
    expected: `${words.slice(0, -1).join(", ")} or ${last}`,
    fromText: find,
    fromToml: find,
  };
}

/**
 * Permissions of a file that its owner may read and write, in octal digits. In a TOML file they are text, because a number there would be
 * read as decimal.
 */
export const permissions: SettingKind<number> = {
  placeholder: "octal",
  expected: "octal digits from 600 to 777, as a text",
  fromText: readPermissions,
  fromToml: (value) => typeof value === "string" ? readPermissions(value) : undefined,
};

/** On or off. */
export const toggle: SettingKind<boolean> = {
  placeholder: undefined,
  expected: "true or false",
  fromText: (value) => TRUE.includes(value) ? true : FALSE.includes(value) ? false : undefined,
  fromToml: (value) => typeof value === "boolean" ? value : undefined,
};

function readPermissions(digits: string): number | undefined {
  return /^(?:0o)?0*[67][0-7]{2}$/.test(digits) ? parseInt(digits.replace("0o", ""), 8) : undefined;
}
