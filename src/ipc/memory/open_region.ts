import {
  closeDescriptor,
  createSharedObject,
  fillHolesOfSharedObject,
  openSharedObject,
  processStartedMs,
  reserveSharedObject,
  SharedMapping,
  statSharedObject,
  syncSharedObject,
  tryLockByte,
  unlinkSharedObject,
  unlockAllBytes,
  writeAt,
} from "../../../ffi/mod.ts";
import { attemptRepeatedly, inspectFile, openIfPossible, removeName, withOpened } from "./region_file.ts";
import { AT, encodeHeader, encodeState, fileBytesOf, HEADER_BYTES, LOCK_AT, STATE } from "./layout.ts";
import { objectOf, type SharedMemoryTarget, subjectOf } from "./region_name.ts";

/** A region that is open: its descriptor, which its locks belong to, and its memory. */
export interface OpenedRegion {
  readonly fd: number;
  readonly mapping: SharedMapping;
  /** Permissions of its file. */
  readonly mode: number;
}

/** What a region is made as. */
export interface RegionPlan {
  readonly byteLength: number;
  readonly mode: number;
  readonly initialize?: (bytes: Uint8Array<ArrayBuffer>) => void;
}

/** Others took the name of the new file away. */
const LOST = Symbol("lost");
/** How often a creator begins anew that was held up for so long that others took its file for that of a dead one. */
const LOST_NAMES_MAX = 3;

/** Makes a region; leaves nothing behind when it fails. See `SharedMemory.create()`. */
export function createRegion(name: string, place: SharedMemoryTarget, plan: RegionPlan): OpenedRegion {
  const object = objectOf(name, place);
  const operation = `create ${subjectOf(name, place)}`;
  const create = () => createSharedObject(object, plan.mode, subjectOf(name, place));
  for (let lostNames = 0;; lostNames++) {
    const region = attemptRepeatedly(operation, (last) => {
      const fd = createOrRepair(create, object, last);
      if (fd === undefined) return undefined;
      return makeIn(fd, object, operation, plan) ?? (last && lostNames < LOST_NAMES_MAX ? LOST : undefined);
    });
    if (region !== LOST) return region;
  }
}

/** Makes a region in a new file; `undefined` when its name is gone: others took it for one whose creator had died, right after it was made. */
function makeIn(fd: number, object: string, operation: string, plan: RegionPlan): OpenedRegion | undefined {
  return withOpened(fd, (fd, keep) => {
    try {
      lockWhileMaking(fd, operation);
      if (statSharedObject(fd).nameCount === 0) return undefined;
      const region = { fd, mapping: make(fd, plan), mode: plan.mode };
      keep();
      return region;
    } catch (error) {
      discard(fd, object);
      throw error;
    }
  });
}

/** Takes the name away from what could not be made. */
function discard(fd: number, object: string): void {
  try {
    removeName(fd, object);
  } catch {
    // Where the file system has no locks nobody else can take it away, so the name is still this file's.
    if (statSharedObject(fd).nameCount > 0) unlinkSharedObject(object);
  }
}

/** The descriptor of a new file, in place of a half-made one too; `undefined` while another process makes it. */
function createOrRepair(create: () => number, object: string, last: boolean): number | undefined {
  try {
    return create();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    const fd = openIfPossible(object);
    if (fd === undefined) throw error;
    return withOpened(fd, (fd) => {
      if (!isUnfinished(fd)) throw error;
      // SYNC region.open: the creator has it until the state is `ready`, so it is dead, or has got done since the look.
      if (tryLockByte(fd, LOCK_AT.open, "exclusive")) {
        const { state } = inspectFile(fd);
        // One that made the file a moment ago has not locked it yet: it gets the time to.
        const isDead = state === "making" || state === "empty" && last;
        if (isDead && removeName(fd, object)) return create();
      }
      if (last) throw error;
      return undefined;
    });
  }
}

function isUnfinished(fd: number): boolean {
  const { state } = inspectFile(fd);
  return state === "making" || state === "empty";
}

/** Others who look at it have it for a moment, or for as long as they are stopped. */
function lockWhileMaking(fd: number, operation: string): void {
  attemptRepeatedly(operation, () => tryLockByte(fd, LOCK_AT.open, "exclusive") || undefined);
}

function make(fd: number, { byteLength, initialize }: RegionPlan): SharedMapping {
  const fileBytes = fileBytesOf(byteLength);
  const header = {
    byteLength,
    creatorPid: Deno.pid,
    creatorStartedMs: processStartedMs(),
    createdMs: Date.now(),
  };
  writeAt(fd, encodeHeader(header), 0);
  // In a directory a power cut may come at any moment: before there is more than the header, it is on the disk.
  syncSharedObject(fd);
  reserveSharedObject(fd, fileBytes);
  const mapping = SharedMapping.open(fd, fileBytes, HEADER_BYTES, byteLength);
  try {
    const result: unknown = initialize?.(mapping.bytes);
    if (result instanceof Promise) {
      throw new TypeError(
        "create shared memory: initialize gave a promise, expected it to be done when it returns",
      );
    }
    // What is `ready` after a power cut is whole.
    syncSharedObject(fd);
    writeAt(fd, encodeState(STATE.ready), AT.state);
    syncSharedObject(fd);
    // SYNC region.open: the header and what `initialize` wrote are valid.
    tryLockByte(fd, LOCK_AT.open, "shared");
  } catch (error) {
    mapping.close();
    throw error;
  }
  return mapping;
}

/** Opens an existing region. See `SharedMemory.connect()`. */
export function connectRegion(name: string, place: SharedMemoryTarget): OpenedRegion {
  const object = objectOf(name, place);
  const operation = `connect to ${subjectOf(name, place)}`;
  const open = () => openSharedObject(object, subjectOf(name, place), "connect to");
  return attemptRepeatedly(operation, (last) =>
    withOpened(open(), (fd, keep) => {
      // SYNC region.open: a process that gets it sees the header and the bytes that the creator wrote.
      if (!tryLockByte(fd, LOCK_AT.open, "shared")) return refuseForeign(fd, operation);
      // Removed between opening and locking: the name is nobody's, or another region's.
      const { nameCount, mode } = statSharedObject(fd);
      if (nameCount === 0) return undefined;
      const found = inspectFile(fd);
      if (found.state === "ready") {
        const { byteLength } = found.header;
        fillHolesOfSharedObject(fd, fileBytesOf(byteLength), subjectOf(name, place));
        const mapping = SharedMapping.open(fd, fileBytesOf(byteLength), HEADER_BYTES, byteLength);
        keep();
        return { fd, mapping, mode };
      }
      if ("found" in found) refuse(operation, found.found);
      // SYNC region.open: the creator has the lock before it writes the header, so it has died. Of an empty one it may be about to take it.
      if (found.state === "empty" && !last) return undefined;
      throw new Deno.errors.NotFound(`${operation}: it is half-made: its creator has died`);
    }));
}

/** The file of another user may be locked for ever. */
function refuseForeign(fd: number, operation: string): undefined {
  const found = inspectFile(fd);
  if (found.state === "foreign" || found.state === "other version") refuse(operation, found.found);
}

function refuse(operation: string, found: string): never {
  throw new Deno.errors.InvalidData(`${operation}: ${found}`);
}

/** Closes what either of the above has opened. */
export function closeRegion({ fd, mapping }: OpenedRegion): void {
  mapping.close();
  unlockAllBytes(fd);
  closeDescriptor(fd);
}
