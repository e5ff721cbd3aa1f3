/** What a specification says that it must not: where, what was there, and what is expected. */
export class ProcessSpecError extends TypeError {
  /** Shown by stack traces and by `String(error)`. */
  override readonly name = "ProcessSpecError";
  /** Which value, e.g. `"process[0].instances"`. */
  readonly key: string;
  /** What was there, as JSON; `"missing"` for nothing. */
  readonly found: string;
  /** What should have been. */
  readonly expected: string;

  /** For the value at `key`. */
  constructor(key: string, found: unknown, expected: string) {
    const shown = show(found);
    super(
      shown === "missing"
        ? `${key} is missing, expected ${expected}`
        : `${key} is ${shown}, expected ${expected}`,
    );
    this.key = key;
    this.found = shown;
    this.expected = expected;
  }
}

const SHOWN_CHARACTERS_MAX = 200;

function show(value: unknown): string {
  if (value === undefined) return "missing";
  const text = typeof value === "bigint" || typeof value === "symbol" || typeof value === "function"
    ? String(value)
    : JSON.stringify(value) ?? String(value);
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
}

/** Reads the values of one object, and refuses those that are wrong, or unknown. */
export class Fields {
  readonly key: string;
  readonly #values: Record<string, unknown>;
  readonly #known = new Set<string>();

  /** @throws {ProcessSpecError} when `value` is no object */
  constructor(key: string, value: unknown, expected = "an object") {
    if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Date) {
      throw new ProcessSpecError(key, value, expected);
    }
    this.key = key;
    this.#values = value as Record<string, unknown>;
  }

  keyOf(name: string): string {
    return this.key === "" ? name : `${this.key}.${name}`;
  }

  take(name: string): unknown {
    this.#known.add(name);
    return this.#values[name];
  }

  /** To be called when all is read: what nobody knows of is a mistake in writing. */
  refuseUnknown(): void {
    for (const [name, value] of Object.entries(this.#values)) {
      if (this.#known.has(name) || value === undefined) continue;
      throw new ProcessSpecError(
        this.keyOf(name),
        value,
        `one of ${[...this.#known].sort().join(", ")}: there is no such key`,
      );
    }
  }

  fail(name: string, expected: string): never {
    throw new ProcessSpecError(this.keyOf(name), this.#values[name], expected);
  }

  optional<T>(name: string, read: (value: unknown) => T | undefined, expected: string): T | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    const result = read(value);
    return result === undefined ? this.fail(name, expected) : result;
  }

  text(name: string, expected = "a text"): string | undefined {
    return this.optional(
      name,
      (value) => typeof value === "string" && value !== "" ? value : undefined,
      expected,
    );
  }

  matching(name: string, pattern: RegExp, expected: string): string | undefined {
    return this.optional(
      name,
      (value) => typeof value === "string" && pattern.test(value) ? value : undefined,
      expected,
    );
  }

  /** A path or a URL of a file. */
  path(name: string): string | undefined {
    return this.optional(name, (value) => {
      if (value instanceof URL) {
        return value.protocol === "file:" ? decodeURIComponent(value.pathname) : undefined;
      }
      return typeof value === "string" && value !== "" ? value : undefined;
    }, "a path, or a file: URL");
  }

  whole(name: string, min: number, max: number): number | undefined {
    return this.optional(
      name,
      (value) =>
        Number.isInteger(value) && Number(value) >= min && Number(value) <= max ? Number(value) : undefined,
      `a whole number from ${min} to ${max}`,
    );
  }

  number(name: string, min: number, max: number): number | undefined {
    return this.optional(
      name,
      (value) => typeof value === "number" && value >= min && value <= max ? value : undefined,
      `a number from ${min} to ${max}`,
    );
  }

  flag(name: string): boolean | undefined {
    return this.optional(name, (value) => typeof value === "boolean" ? value : undefined, "true or false");
  }

  choice<T extends string>(name: string, ...words: readonly T[]): T | undefined {
    return this.optional(name, (value) => words.find((word) => word === value), oneOf(words));
  }

  list<T>(name: string, expected: string, read: (value: unknown, key: string) => T): T[] | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) return this.fail(name, expected);
    return value.map((item, index) => read(item, `${this.keyOf(name)}[${index}]`));
  }
}

function oneOf(words: readonly string[]): string {
  const shown = words.map((word) => `"${word}"`);
  return shown.length === 1 ? shown[0] : `${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}`;
}
