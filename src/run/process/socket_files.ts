import type { GuardedSocket } from "./guard.ts";

/** A socket as the guard, which survives this process, knows it. */
export async function guardedSocket(path: string): Promise<GuardedSocket> {
  return { path, inode: (await Deno.lstat(path)).ino ?? 0 };
}

/** Removes a Unix socket without a listener; leaves everything else. */
export async function removeLeftOver(path: string): Promise<void> {
  try {
    if (!(await Deno.lstat(path)).isSocket) return;
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) await Deno.remove(path);
    else if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Removes sockets, each if it is still the same one. */
export function removeSockets(files: readonly GuardedSocket[]): void {
  for (const { path, inode } of files) {
    try {
      if (Deno.lstatSync(path).ino === inode) Deno.removeSync(path);
    } catch {
      // It was removed meanwhile.
    }
  }
}
