/** Characters of a found value that an error shows. */
const SHOWN_LENGTH_MAX = 100;
/** Depth of nested tables and lists, and entries of each, that an error shows. */
const [DEPTH_MAX, ENTRIES_MAX] = [3, 10];

/** A value that was found where another was expected, for an error: cut where it is long or deep. */
export function shown(value: unknown): string {
  const text = textOf(value, DEPTH_MAX);
  return typeof value === "string" ? text : shortened(text);
}

/** The beginning of a long text. */
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
