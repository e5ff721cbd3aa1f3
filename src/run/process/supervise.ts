import { asSystemError } from "../../../ffi/mod.ts";
import type { Children } from "./child.ts";
import { ControlServer } from "./control_server.ts";
import { GUARD_MARK } from "./guard.ts";
import { type HeldSockets, holdSockets } from "./held_sockets.ts";
import { fillIn } from "./instance.ts";
import { NativeChildren } from "./native_children.ts";
import { PortableChildren } from "./portable_children.ts";
import type { ProcessSpec } from "./process_spec.ts";
import { readSpecs, type ResolvedProcess } from "./read_specs.ts";
import { resolveCommand } from "./resolve_command.ts";
import { type ResolvedParts, Supervisor } from "./supervisor.ts";

/** Options of {@linkcode supervise}. */
export interface SuperviseOptions {
  /** Shuts the supervisor down when it aborts. */
  signal?: AbortSignal;
  /**
   * Path of a Unix socket on which the supervisor answers `millrace ps`, `reload` and `stop`, and only to its owner.
   *
   * @default {none}
   */
  controlPath?: string;
  /**
   * Takes a line about each event; `loud` when an operator has to act: a process was given up, or not reloaded.
   *
   * @default {loud ones go to standard error}
   */
  log?: (line: string, loud: boolean) => void;
}

/** Bytes of the path of a directory of sockets: theirs have 107 at most. */
const DIRECTORY_BYTES_MAX = 80;
/** Where to look for programs when `PATH` is not set, or the program may not read it. */
const SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * Starts processes and looks after them: those that end are started again, those that hang are replaced, and
 * {@linkcode Supervisor.reload} replaces all without a gap. Resolves when everything is at hand; the processes start right after, so
 * that a caller that asks for events at once misses none.
 *
 * With the native library, the processes are killed by the kernel when the supervisor's thread ends, however it ends, and the
 * supervisor's sockets are handed to them. Without it, a shell that survives for a moment kills them, and connections are passed on.
 *
 * ```ts
 * import { supervise } from "@millrace/millrace/process";
 *
 * const supervisor = await supervise([{ name: "nap", command: "sleep", args: ["60"], instances: 1 }]);
 * for await (const event of supervisor.events()) {
 *   console.log(event.type);
 *   if (event.type === "ready") supervisor.shutdown();
 * }
 * console.log(await supervisor.finished);
 * ```
 *
 * @throws {ProcessSpecError} (as a rejection) for a mistake in a specification
 * @throws {Deno.errors.NotFound | Deno.errors.PermissionDenied} (as rejections) when a command is no program
 * @throws {Deno.errors.AddrInUse} (as a rejection) when a port is taken, or another supervisor listens at `controlPath`
 */
export async function supervise(
  specs: readonly ProcessSpec[],
  options: SuperviseOptions = {},
): Promise<Supervisor> {
  const { signal, controlPath, log = complain } = options;
  signal?.throwIfAborted();
  const resolved = readSpecs(specs);
  const handsDown = NativeChildren.available;
  const held: HeldSockets[] = [];
  let directory: string | undefined;
  let control: ControlServer | undefined;
  let children: Children | undefined;
  try {
    const programs = await Promise.all(resolved.map(programOf));
    await Promise.all(resolved.map(checkWatched));
    await Promise.all(resolved.map(checkDirectories));
    // First: who starts the same twice is told so, and not of the first port that is taken.
    if (controlPath !== undefined) control = await ControlServer.open(controlPath);
    const processes: ResolvedParts[] = [];
    for (const [index, spec] of resolved.entries()) {
      const sockets = await holdSockets(spec.name, spec.listen, handsDown);
      held.push(sockets);
      processes.push({ spec, program: programs[index], sockets });
    }
    directory = await makeSocketDirectory();
    await Deno.writeTextFile(`${directory}/${GUARD_MARK}`, "");
    const files = held.flatMap(({ files }) => files);
    if (control !== undefined) files.push(control.file);
    children = handsDown ? new NativeChildren(directory, files) : new PortableChildren(directory, files);
    const supervisor = new Supervisor({
      children,
      processes,
      log: harmless(log),
      release: () => release(control, directory),
    });
    control?.serve(supervisor);
    const onAbort = (): void => void supervisor.shutdown();
    signal?.addEventListener("abort", onAbort, { once: true });
    supervisor.finished.then(() => signal?.removeEventListener("abort", onAbort));
    if (signal?.aborted) onAbort();
    return supervisor;
  } catch (error) {
    for (const sockets of held) sockets.close();
    await release(control, directory);
    await children?.close();
    throw error;
  }
}

/** A directory that only this user may use, with a path that sockets can have. */
async function makeSocketDirectory(): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "millrace-" });
  const { byteLength } = new TextEncoder().encode(directory);
  if (byteLength <= DIRECTORY_BYTES_MAX) return directory;
  await Deno.remove(directory);
  throw new TypeError(
    `TMPDIR is too long for the sockets of a supervisor: ${directory} has ${byteLength} bytes, expected at most ${DIRECTORY_BYTES_MAX}`,
  );
}

/** Files to watch must be there: they are watched for changes. */
async function checkWatched({ name, watch }: ResolvedProcess): Promise<void> {
  for (const path of watch?.paths ?? []) {
    await Deno.stat(path).catch((error) => {
      throw asSystemError("watch", error, `${path} for ${name}`);
    });
  }
}

/** Where its instances are to run; what this process may not look at is found out when they start. */
async function checkDirectories({ name, cwd, instances }: ResolvedProcess): Promise<void> {
  if (cwd === undefined) return;
  const paths = new Set(Array.from({ length: instances }, (_, index) => fillIn(cwd, name, index)));
  for (const path of paths) {
    const info = await Deno.stat(path).catch((error) => error);
    if (info instanceof Deno.errors.NotFound || info.isDirectory === false) {
      throw new Deno.errors.NotFound(
        `start ${name}: cwd ${JSON.stringify(path)}: there is no such directory`,
      );
    }
  }
}

function ownPath(): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "PATH" });
  return state === "granted" ? Deno.env.get("PATH") : undefined;
}

async function programOf(spec: ResolvedProcess): Promise<string> {
  const cwd = spec.cwd ?? Deno.cwd();
  const searchPath = spec.env.PATH ?? (spec.clearEnv ? SEARCH_PATH : ownPath() ?? SEARCH_PATH);
  try {
    return await resolveCommand(spec.command, cwd, searchPath);
  } catch (error) {
    if (error instanceof Error) error.message = `start ${spec.name}: command ${error.message}`;
    throw error;
  }
}

async function release(control: ControlServer | undefined, directory: string | undefined): Promise<void> {
  await control?.close();
  if (directory !== undefined) await Deno.remove(directory, { recursive: true }).catch(() => {});
}

/** What nobody takes is heard when it matters. */
function complain(line: string, loud: boolean): void {
  // deno-lint-ignore no-console -- the default, for the operator's eyes
  if (loud) console.error(`millrace: ${line}`);
}

/** What a log throws is no failure of the process that it tells of. */
function harmless(log: (line: string, loud: boolean) => void): (line: string, loud: boolean) => void {
  return (line, loud) => {
    try {
      log(line, loud);
    } catch (error) {
      complain(`log: ${error instanceof Error ? error.message : error}: ${line}`, true);
    }
  };
}
