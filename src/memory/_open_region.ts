import {
  closeDescriptor,
  createSharedObject,
  openSharedObject,
  processStartedMs,
  reserveSharedObject,
  SharedMapping,
  statSharedObject,
  tryLockByte,
  unlockAllBytes,
  writeAt,
} from "../../ffi/mod.ts";
import { attemptRepeatedly, inspectFile, removeName, withOpened } from "./_region_file.ts";
import { AT, encodeHeader, encodeState, fileBytesOf, HEADER_BYTES, LOCK_AT, STATE } from "./layout.ts";
import { objectOf } from "./_region_name.ts";

/** A region that is open: its descriptor, which its locks belong to, and its memory. */
export interface OpenedRegion {
  readonly fd: number;
  readonly mapping: SharedMapping;
}

/** Makes a region; leaves nothing behind when it fails. See `SharedMemory.create()`. */
export function createRegion(name: string, byteLength: number, mode: number): OpenedRegion {
  const object = objectOf(name);
  const operation = `create shared memory ${name}`;
  return attemptRepeatedly(operation, () => {
    const fd = createSharedObject(object, mode);
    return withOpened(fd, (fd, keep) => {
      try {
        lockWhileMaking(fd, operation);
        // Somebody took it for one whose creator had died, right after it was made.
        if (statSharedObject(fd).nameCount === 0) return undefined;
        const region = { fd, mapping: make(fd, byteLength) };
        keep();
        return region;
      } catch (error) {
        removeName(fd, object);
        throw error;
      }
    });
  });
}

/** Others who look at it have it for a moment, or for as long as they are stopped. */
function lockWhileMaking(fd: number, operation: string): void {
  attemptRepeatedly(operation, () => tryLockByte(fd, LOCK_AT.open, "exclusive") || undefined);
}

function make(fd: number, byteLength: number): SharedMapping {
  const fileBytes = fileBytesOf(byteLength);
  const header = {
    byteLength,
    creatorPid: Deno.pid,
    creatorStartedMs: processStartedMs(),
    createdMs: Date.now(),
  };
  writeAt(fd, encodeHeader(header), 0);
  reserveSharedObject(fd, fileBytes);
  const mapping = SharedMapping.open(fd, fileBytes, HEADER_BYTES, byteLength);
  try {
    writeAt(fd, encodeState(STATE.ready), AT.state);
    // SYNC region.open: the header is valid.
    tryLockByte(fd, LOCK_AT.open, "shared");
  } catch (error) {
    mapping.close();
    throw error;
  }
  return mapping;
}

/** Opens a region. See `SharedMemory.open()`. */
export function openRegion(name: string): OpenedRegion {
  const object = objectOf(name);
  const operation = `open shared memory ${name}`;
  return attemptRepeatedly(operation, (last) =>
    withOpened(openSharedObject(object), (fd, keep) => {
      // SYNC region.open: whoever gets it sees the header that the creator wrote.
      if (!tryLockByte(fd, LOCK_AT.open, "shared")) return refuseForeign(fd, operation);
      // Removed between opening and locking: the name is nobody's, or another region's.
      if (statSharedObject(fd).nameCount === 0) return undefined;
      const found = inspectFile(fd);
      if (found.state === "ready") {
        const { byteLength } = found.header;
        const mapping = SharedMapping.open(fd, fileBytesOf(byteLength), HEADER_BYTES, byteLength);
        keep();
        return { fd, mapping };
      }
      if ("found" in found) refuse(operation, found.found);
      // Its creator has died, or is about to take the lock.
      if (last) refuse(operation, "it is half-made: its creator has died");
      return undefined;
    }));
}

/** Somebody else's file may be locked for ever. */
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
