import { dirname } from "node:path";

/** What the default path of the control socket depends on. */
export interface ControlPathSources {
  /** `XDG_RUNTIME_DIR`: a directory that only this user may use, and that goes with the session. */
  readonly runtimeDirectory: string | undefined;
  /** `TMPDIR`. */
  readonly temporaryDirectory: string | undefined;
  /** The number of the user. */
  readonly uid: number | null;
}

/** Where a supervisor listens for commands by default. */
export function defaultControlPath(
  { runtimeDirectory, temporaryDirectory, uid }: ControlPathSources,
): string {
  if (runtimeDirectory) return `${runtimeDirectory}/millrace.sock`;
  return `${temporaryDirectory || "/tmp"}/millrace-${uid ?? "user"}/control.sock`;
}

/**
 * Makes the directory of a control socket, for its owner alone, if it is not there.
 *
 * @throws {Deno.errors.PermissionDenied} (as a rejection) when it belongs to another user
 */
export async function makeControlDirectory(path: string, uid: number | null): Promise<void> {
  const directory = dirname(path);
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const info = await Deno.lstat(directory);
  if (uid !== null && info.uid !== uid && info.uid !== 0) {
    throw new Deno.errors.PermissionDenied(
      `${directory} belongs to user ${info.uid}, expected this one, ${uid}`,
    );
  }
}
