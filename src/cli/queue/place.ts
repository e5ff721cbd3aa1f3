import type { QueuePlace } from "../../ipc/queue/mod.ts";
import type { Settings } from "../settings.ts";
import type { QueueCommand } from "../command.ts";

/** The option with the directory of queues, for commands that have it. */
export const PLACE_OPTION: QueueCommand["options"] = {
  directory: "existing directory of the queue's file (default: the system's shared memory)",
};

/**
 * The place of the queue.
 *
 * @throws {UsageError} when it is not a directory
 */
export function placeOf(settings: Settings): QueuePlace {
  const directory = settings.get("directory");
  if (directory === undefined) return {};
  if (!isDirectory(directory)) throw settings.refusal("directory", "an existing directory");
  return { directory };
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}
