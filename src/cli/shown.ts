/** Characters of what was found that an error shows. */
const SHOWN_LENGTH_MAX = 100;
/** Of tables and lists in each other, and of entries of each. */
const [DEPTH_MAX, ENTRIES_MAX] = [3, 10];

/** A value that was found where another was expected, for an error: only its beginning where it is long, and only so deep. */
export function shown(value: unknown): string {
  const text = textOf(value, DEPTH_MAX);
  return typeof value === "string" ? text : shortened(text);
}

/** The beginning of a text that is long. */
export function shortened(text: string): string {
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX).toWellFormed()}…`;
}

function textOf(value: unknown, depth: number): string {
  if (value === undefined) return "missing";
  if (typeof value === "string") return JSON.stringify(shortened(value));
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Date) return JSON.stringify(value);
  const entries = Object.entries(value);
  const texts = entries.slice(0, depth === 0 ? 0 : ENTRIES_MAX).map(([key, entry]) => {
    const text = textOf(entry, depth - 1);
    return Array.isArray(value) ? text : `${JSON.stringify(shortened(key))}:${text}`;
  });
  if (texts.length < entries.length) texts.push("…");
  return Array.isArray(value) ? `[${texts}]` : `{${texts}}`;
}
