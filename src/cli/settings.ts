import { UsageError } from "./exit_codes.ts";
import { isSettingName, QUEUE_SETTINGS, type SettingName, type SettingValue } from "./queue_settings.ts";
import type { SettingKind } from "./setting_kinds.ts";
import { shortened, shown } from "./shown.ts";

/** Sources of values, in order of precedence. */
export interface SettingSources {
  /** The value of each flag that was given; `"true"` and `"false"` for switches. */
  readonly flags: ReadonlyMap<string, string>;
  /** The value of a variable of the environment. */
  readonly variable: (name: string) => string | undefined;
  /** The table `[queue]` of a file, and the file's path. */
  readonly file?: { readonly path: string; readonly table: Readonly<Record<string, unknown>> };
}

interface Chosen {
  readonly value: unknown;
  readonly source: string;
}

/** The options of one run of a command. */
export class Settings {
  readonly #chosen: ReadonlyMap<SettingName, Chosen>;

  /** Those of {@linkcode resolveSettings}. */
  constructor(chosen: ReadonlyMap<SettingName, Chosen>) {
    this.#chosen = chosen;
  }

  /** The value of an option; `undefined` when no source has one. */
  get<N extends SettingName>(name: N): SettingValue<N> | undefined {
    return this.#chosen.get(name)?.value as SettingValue<N> | undefined;
  }

  /** The value of an option and its source, for errors; `byDefault` stands for a value that no source has. */
  describe(name: SettingName, byDefault?: number): string {
    const { value, source } = this.#chosen.get(name) ?? { value: byDefault, source: "the default" };
    return `${name} is ${shown(value)} (from ${source})`;
  }

  /** An error about the value of an option, with its source. */
  refusal(name: SettingName, expected: string): UsageError {
    return new UsageError(`${this.describe(name)}, expected ${expected}`);
  }

  /** @throws {UsageError} when more than one of these switches is on */
  expectOneOf(...names: readonly SettingName[]): void {
    const on = names.filter((name) => this.get(name) === true);
    if (on.length < 2) return;
    const found = on.map((name) => `${name} (from ${this.#chosen.get(name)?.source})`).join(" and ");
    throw new UsageError(`${found} are on, expected one of them`);
  }
}

/**
 * The values of the options `names`, each from the first source that has one. The file is checked as a whole.
 *
 * @throws {UsageError} for an invalid value, and for an unknown key of the file
 */
export function resolveSettings(names: readonly SettingName[], sources: SettingSources): Settings {
  const chosen = new Map<SettingName, Chosen>();
  for (const [key, value] of Object.entries(sources.file?.table ?? {})) {
    const path = sources.file?.path ?? "";
    if (!isSettingName(key)) {
      const known = Object.keys(QUEUE_SETTINGS).join(", ");
      throw new UsageError(`queue.${shortened(key)} (from ${path}) is unknown, expected one of ${known}`);
    }
    const source = `queue.${key} in ${path}`;
    const read = readValue(key, (kind) => kind.fromToml(value), value, source);
    if (names.includes(key)) chosen.set(key, read);
  }
  for (const name of names) {
    const variable = variableOf(name);
    const inEnvironment = sources.variable(variable);
    if (inEnvironment !== undefined && inEnvironment !== "") {
      chosen.set(name, readValue(name, (kind) => kind.fromText(inEnvironment), inEnvironment, variable));
    }
    const flag = sources.flags.get(name);
    if (flag !== undefined) {
      chosen.set(name, readValue(name, (kind) => kind.fromText(flag), flag, `--${name}`));
    }
  }
  return new Settings(chosen);
}

/** The environment variable of an option. */
export function variableOf(name: SettingName): string {
  return `MILLRACE_QUEUE_${name.toUpperCase().replaceAll("-", "_")}`;
}

function readValue(
  name: SettingName,
  read: (kind: SettingKind<unknown>) => unknown,
  found: unknown,
  source: string,
): Chosen {
  const kind: SettingKind<unknown> = QUEUE_SETTINGS[name];
  const value = read(kind);
  if (value !== undefined) return { value, source };
  throw new UsageError(`${name} is ${shown(found)} (from ${source}), expected ${kind.expected}`);
}
