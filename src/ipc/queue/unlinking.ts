import type { RegionFilter, RegionPlace } from "../sharing/mod.ts";
import { QUEUE_KIND } from "./layout.ts";
import { MAILBOX_KIND } from "./mailbox_layout.ts";

// A queue and its mailbox are two regions, and a process that removes their names may die between the two steps. The queue goes first: none is ever
// without its mailbox. A mailbox whose queue has lost its name is an orphan; a process that makes the next one, or cleans up, removes its name.

/**
 * Takes a queue's name away, and that of its mailbox; or that of a mailbox alone that is left of a queue.
 *
 * @throws {Deno.errors.NotFound} when there is neither
 */
export function unlinkQueue(name: string, place: RegionPlace): void {
  try {
    QUEUE_KIND.unlink(name, place);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && removeOrphan(name, place)) return;
    throw error;
  }
  removeOrphan(name, place);
}

/** Removes the names of queues that no process has open, and those of mailboxes that have no queue; returns those of the queues. */
export function removeAbandonedQueues(filter: RegionFilter): string[] {
  const names = QUEUE_KIND.removeAbandoned(filter);
  removeOrphans(filter);
  return names;
}

/** Takes the names of mailboxes away that have no queue; returns the names of those queues. */
export function removeOrphans(filter: RegionFilter): string[] {
  return MAILBOX_KIND.list(filter).map(({ name }) => name).filter((name) => removeOrphan(name, filter));
}

/**
 * Takes the name of a queue's mailbox away that is half-made, or that of a queue that has not that name any more; whether it did. That of the queue
 * with `identity` it leaves: its openers may have it to themselves.
 */
export function removeOrphan(name: string, place: RegionPlace, identity?: number): boolean {
  const { Busy, FilesystemLoop, InvalidData, IsADirectory, NotFound, PermissionDenied } = Deno.errors;
  try {
    // In this order: an identity that the mailbox has, and the queue of the name has not afterwards, comes never back.
    const found = lookAtMailbox(name, place);
    if (found === undefined) return MAILBOX_KIND.removeHalfMade(name, place);
    const queue = QUEUE_KIND.look(name, place);
    if (found === "damaged") {
      if (queue !== undefined) return false;
      MAILBOX_KIND.unlink(name, place);
      return true;
    }
    const { queueIdentity } = found.constants;
    if (queueIdentity === queue?.constants.identity || queueIdentity === identity) return false;
    MAILBOX_KIND.unlink(name, place, found.header);
    return true;
  } catch (error) {
    // Most queues have none. Some are being made; and what is no mailbox, or another user's, nobody has asked to take away.
    const isLeft = [Busy, FilesystemLoop, InvalidData, IsADirectory, NotFound, PermissionDenied]
      .some((kind) => error instanceof kind);
    if (!isLeft) throw error;
    return false;
  }
}

function lookAtMailbox(name: string, place: RegionPlace): ReturnType<typeof MAILBOX_KIND.look> | "damaged" {
  try {
    return MAILBOX_KIND.look(name, place);
  } catch (error) {
    if (error instanceof Deno.errors.InvalidData) return "damaged";
    throw error;
  }
}
