import { parse, TomlError } from "npm:smol-toml@1.9.1";
import { isAbsolute } from "node:path";
import { checkSpecs, type ProcessSpec, ProcessSpecError } from "../run/process/mod.ts";
import { CONFIG_FILE_BYTES_MAX } from "./config_file.ts";
import { lineOf, UsageError } from "./exit_codes.ts";

/** A file for `millrace supervise`. */
export interface ProcessFile {
  /** Its list `process`, checked. */
  readonly processes: readonly ProcessSpec[];
  /** Its `socket`, on which the supervisor listens for commands. */
  readonly socket: string | undefined;
}

/**
 * Reads a file of processes: JSON when its name ends in `.json`, else TOML.
 *
 * @throws {UsageError} (as a rejection) when it cannot be read, or is not valid
 */
export async function readProcessFile(path: string): Promise<ProcessFile> {
  let text: string;
  try {
    const { size } = await Deno.stat(path);
    if (size > CONFIG_FILE_BYTES_MAX) {
      throw new UsageError(`${path}: it has ${size} bytes, expected at most ${CONFIG_FILE_BYTES_MAX}`);
    }
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const isMissing = error instanceof Deno.errors.NotFound;
    const where = isAbsolute(path) ? "" : ` in ${Deno.cwd()}`;
    const reason = isMissing ? `there is no such file${where}` : lineOf(error);
    throw new UsageError(`${path}: ${reason}`);
  }
  return parseProcessFile(path, text);
}

/**
 * The same for the text of a file.
 *
 * @throws {UsageError} when it is not valid: with the file, the key, the value found, and what is expected
 */
export function parseProcessFile(path: string, text: string): ProcessFile {
  const document = path.endsWith(".json") ? parseJson(path, text) : parseToml(path, text);
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new UsageError(
      `${path}: it is ${JSON.stringify(document)}, expected an object with the list process`,
    );
  }
  const { process, socket, ...unknown } = document as Record<string, unknown>;
  for (const key of Object.keys(unknown)) {
    throw new UsageError(`${path}: ${key} is unknown, expected process or socket`);
  }
  if (socket !== undefined && (typeof socket !== "string" || socket === "")) {
    throw new UsageError(`${path}: socket is ${JSON.stringify(socket)}, expected a path`);
  }
  try {
    return { processes: checkSpecs(process), socket };
  } catch (error) {
    if (!(error instanceof ProcessSpecError)) throw error;
    throw new UsageError(`${path}: ${error.message}`, { cause: error });
  }
}

function parseToml(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason] = error.message.replace("Invalid TOML document: ", "").split("\n", 1);
    throw new UsageError(`${path}:${error.line}:${error.column}: ${reason}`);
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path}: ${lineOf(error)}`);
  }
}
