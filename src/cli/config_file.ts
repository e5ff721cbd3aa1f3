import { parse, TomlError } from "npm:smol-toml@1.9.1";
import { shortened, shown } from "./shown.ts";
import { lineOf, UsageError } from "./exit_codes.ts";

/** The configuration file that is read by default, if it exists. */
export const CONFIG_FILE = "millrace.toml";

/** The most bytes that a configuration file may have. */
export const CONFIG_FILE_BYTES_MAX = 1 << 20;

/** The part of a file about queues. */
export interface ConfigFile {
  readonly path: string;
  /** Its table `[queue]`. */
  readonly table: Readonly<Record<string, unknown>>;
}

/**
 * Reads a configuration file: the given one, or {@linkcode CONFIG_FILE} if that exists.
 *
 * @param source where its path came from, for errors
 * @throws {UsageError} when a given file cannot be read, or a file is not valid
 */
export async function readConfigFile(named?: string, source = "--config"): Promise<ConfigFile | undefined> {
  const path = named ?? CONFIG_FILE;
  let text: string;
  try {
    const { size } = await Deno.stat(path);
    if (size > CONFIG_FILE_BYTES_MAX) {
      throw new UsageError(`${path}: it has ${size} bytes, expected at most ${CONFIG_FILE_BYTES_MAX}`);
    }
    text = await readText(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (named === undefined && error instanceof Deno.errors.NotFound) return undefined;
    const reason = error instanceof Deno.errors.NotFound ? "it does not exist" : lineOf(error);
    const origin = named === undefined ? "" : ` (from ${source})`;
    throw new UsageError(
      `config is ${JSON.stringify(path)}${origin}, expected a file that can be read: ${reason}`,
    );
  }
  return parseConfig(path, text);
}

/** A file that is not regular does not report its size, and may have no end. */
async function readText(path: string): Promise<string> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(CONFIG_FILE_BYTES_MAX + 1);
  let byteLength = 0;
  for (let read = 0; byteLength < bytes.length; byteLength += read) {
    const count = await file.read(bytes.subarray(byteLength));
    if (count === null) return new TextDecoder().decode(bytes.subarray(0, byteLength));
    read = count;
  }
  throw new UsageError(
    `${path}: it has more than ${CONFIG_FILE_BYTES_MAX} bytes, expected at most ${CONFIG_FILE_BYTES_MAX}`,
  );
}

/**
 * The same for the text of a file.
 *
 * @throws {UsageError} when it is not TOML, or has anything but the table `[queue]`
 */
export function parseConfig(path: string, text: string): ConfigFile {
  let document: Record<string, unknown>;
  try {
    document = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason] = error.message.replace("Invalid TOML document: ", "").split("\n", 1);
    throw new UsageError(`${path}:${error.line}:${error.column}: ${reason}`);
  }
  for (const [key, value] of Object.entries(document)) {
    if (key !== "queue") {
      throw new UsageError(`${shortened(key)} (from ${path}) is unknown, expected the table [queue]`);
    }
    if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Date) {
      throw new UsageError(`queue is ${shown(value)} (from ${path}), expected the table [queue]`);
    }
  }
  return { path, table: (document.queue ?? {}) as Record<string, unknown> };
}
