/** What the directories of hubs are called, before a part that no other has. */
const PREFIX = "millrace-channels-";
/** The socket in it. */
const SOCKET = "channel.sock";
/** Milliseconds after which a directory without a listening socket is checked: until then its hub may be about to listen. */
const LEFT_MS = 60_000;

/** Makes a directory for a hub that only this user may use, and takes away those of hubs that were killed; the path of its socket. */
export async function makeHubDirectory(): Promise<{ readonly directory: string; readonly path: string }> {
  const directory = await Deno.makeTempDir({ prefix: PREFIX });
  await removeLeft(directory.slice(0, directory.lastIndexOf("/")));
  return { directory, path: `${directory}/${SOCKET}` };
}

async function removeLeft(parent: string): Promise<void> {
  try {
    for await (const { name, isDirectory } of Deno.readDir(parent)) {
      if (isDirectory && name.startsWith(PREFIX)) await removeIfLeft(`${parent}/${name}`);
    }
  } catch {
    // This process may not look at it.
  }
}

async function removeIfLeft(directory: string): Promise<void> {
  try {
    const { mtime } = await Deno.lstat(directory);
    if (mtime === null || Date.now() - mtime.getTime() < LEFT_MS) return;
    if (await isListenedTo(`${directory}/${SOCKET}`)) return;
    await Deno.remove(directory, { recursive: true });
  } catch {
    // It belongs to another user, or another process was faster.
  }
}

/** @throws {Error} (as a rejection) when that cannot be told */
async function isListenedTo(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
