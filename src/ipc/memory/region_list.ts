import {
  isByteLocked,
  listSharedObjects,
  openSharedObject,
  readAt,
  statSharedObject,
  tryLockByte,
  unlinkSharedObject,
} from "../../../ffi/mod.ts";
import { nameProblem } from "../../base/mod.ts";
import { attemptRepeatedly, inspectFile, openIfPossible, removeName, withOpened } from "./region_file.ts";
import {
  OBJECT_PREFIX,
  objectOf,
  objectPrefixOf,
  SHARED_MEMORY_NAME_LENGTH_MAX,
  type SharedMemoryPlace,
  type SharedMemoryTarget,
  subjectOf,
} from "./region_name.ts";
import { HEADER_BYTES, type Inspection, LOCK_AT } from "./layout.ts";

/**
 * How far a region has got. `"being made"`: its creator is at it. `"half-made"`: its creator died before it was done.
 * `"damaged"` and `"other version"`: it cannot be opened by this version of Millrace, and `SharedMemory.connect()` says why.
 */
export type SharedMemoryState = "ready" | "being made" | "half-made" | "damaged" | "other version";

/** What {@linkcode SharedMemory.list} tells of a region. */
export interface SharedMemoryInfo {
  /** As it was made and is opened. */
  readonly name: string;
  /** Bytes that it has, or will have; 0 if that is unknown. */
  readonly byteLength: number;
  /** Permissions, e.g. `0o600`. */
  readonly mode: number;
  /** The process that made it, if that is known. For display: the number may be another process's by now. */
  readonly createdBy?: SharedMemoryCreator;
  /** When it was made, if that is known. */
  readonly createdAt?: Date;
  /** Whether a living process has it open. */
  readonly inUse: boolean;
  /** How far it has got. */
  readonly state: SharedMemoryState;
}

/** A process that made a region. */
export interface SharedMemoryCreator {
  /** Its number, in the system or the container that it ran in. */
  readonly pid: number;
  /** When it was started, where the system told. */
  readonly startedAt?: Date;
}

/** Which regions {@linkcode SharedMemory.list} and {@linkcode SharedMemory.removeAbandoned} look at. */
export interface SharedMemoryFilter extends SharedMemoryPlace {
  /**
   * What their names begin with.
   *
   * @default {""}
   */
  prefix?: string;
  /**
   * The one name to list, in place of all that begin with `prefix`.
   *
   * @default {all}
   */
  name?: string;
  /**
   * What they begin with themselves. Those that are half-made, or whose header is damaged, count whatever they begin with.
   *
   * @default {anything}
   */
  beginsWith?: Uint8Array;
}

/** See `SharedMemory.list()`. */
export function listRegions(filter: SharedMemoryFilter): SharedMemoryInfo[] {
  return regionNames(filter).map((name) => describe(name, filter)).filter((info) => info !== undefined);
}

/** See `SharedMemory.removeAbandoned()`. */
export function removeAbandonedRegions(filter: SharedMemoryFilter): string[] {
  return regionNames(filter).filter((name) => removeIfAbandoned(name, filter));
}

/** Options of {@linkcode SharedMemory.unlink}. */
export interface SharedMemoryUnlinkOptions extends SharedMemoryTarget {
  /**
   * What the region begins with, lest one of another kind be taken away. One that is half-made, or whose header is damaged, goes whatever it
   * begins with.
   *
   * @default {anything}
   */
  beginsWith?: Uint8Array;
}

/** See `SharedMemory.unlink()`. */
export function unlinkRegion(name: string, { beginsWith, ...place }: SharedMemoryUnlinkOptions): void {
  const object = objectOf(name, place);
  const subject = subjectOf(name, place);
  attemptRepeatedly(`unlink ${subject}`, () => {
    let fd: number;
    try {
      fd = openSharedObject(object, subject, "unlink");
    } catch (error) {
      if (!(error instanceof Deno.errors.PermissionDenied) || beginsWith !== undefined) throw error;
      // The system decides: a name may be taken away by who must not open what it names.
      unlinkSharedObject(object, subject);
      return true;
    }
    return withOpened(fd, (fd) => {
      const foreign = whyForeign(fd, beginsWith);
      if (foreign !== undefined) throw new Deno.errors.InvalidData(`unlink ${subject}: ${foreign}`);
      return removeName(fd, object) || undefined;
    });
  });
}

/** Why a file is not a region that begins so; `undefined`: it is one, or what is left of one. */
function whyForeign(fd: number, beginsWith: Uint8Array | undefined): string | undefined {
  const inspection = inspectFile(fd);
  if (inspection.state === "foreign") return `${inspection.found}; it is left as it is`;
  return isOfKind(fd, inspection, beginsWith)
    ? undefined
    : "it is a region of another kind; it is left as it is";
}

/** Whether a region begins so. Of one that is not ready that is unknown, and it counts. */
function isOfKind(fd: number, { state }: Inspection, beginsWith: Uint8Array = new Uint8Array(0)): boolean {
  if (state !== "ready") return true;
  const bytes = new Uint8Array(beginsWith.length);
  const found = bytes.subarray(0, readAt(fd, bytes, HEADER_BYTES));
  return found.length === bytes.length && found.every((byte, index) => byte === beginsWith[index]);
}

function regionNames({ prefix = "", name, ...place }: SharedMemoryFilter): string[] {
  if (name !== undefined) return [name];
  return listSharedObjects(objectPrefixOf(place))
    .map((object) => object.slice(OBJECT_PREFIX.length))
    .filter((name) =>
      name.startsWith(prefix) && nameProblem(name, SHARED_MEMORY_NAME_LENGTH_MAX) === undefined
    )
    .sort();
}

function describe(
  name: string,
  { beginsWith, ...place }: SharedMemoryFilter,
): SharedMemoryInfo | undefined {
  const fd = openIfPossible(objectOf(name, place));
  if (fd === undefined) return undefined;
  return withOpened(fd, () => {
    // In this order: one that gets ready in between was in use.
    const inUse = isByteLocked(fd, LOCK_AT.open);
    const found = inspectFile(fd);
    const state = stateOf(found, inUse);
    const { mode, nameCount } = statSharedObject(fd);
    if (state === undefined || nameCount === 0 || !isOfKind(fd, found, beginsWith)) return undefined;
    const info = { name, byteLength: 0, mode, inUse, state };
    if (!("header" in found)) return info;
    const { byteLength, creatorPid: pid, creatorStartedMs, createdMs } = found.header;
    const createdBy = creatorStartedMs > 0 ? { pid, startedAt: new Date(creatorStartedMs) } : { pid };
    return { ...info, byteLength, createdBy, createdAt: new Date(createdMs) };
  });
}

function stateOf({ state }: Inspection, inUse: boolean): SharedMemoryState | undefined {
  switch (state) {
    case "foreign":
      return undefined;
    case "empty":
    case "making":
      return inUse ? "being made" : "half-made";
    default:
      return state;
  }
}

function removeIfAbandoned(name: string, { beginsWith, ...place }: SharedMemoryFilter): boolean {
  const object = objectOf(name, place);
  const fd = openIfPossible(object);
  if (fd === undefined) return false;
  return withOpened(fd, () => {
    const found = inspectFile(fd);
    if (found.state === "foreign" || found.state === "other version") return false;
    if (!isOfKind(fd, found, beginsWith)) return false;
    // Until this closes it nobody gets to open the region; who was about to finds that its name is gone.
    if (!tryLockByte(fd, LOCK_AT.open, "exclusive")) return false;
    try {
      return removeName(fd, object);
    } catch (error) {
      // Another user's, that others may open: those behind it are not to stay for that.
      if (error instanceof Deno.errors.PermissionDenied) return false;
      throw error;
    }
  });
}
