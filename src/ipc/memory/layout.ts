/**
 * The bytes of a region's file. Numbers are in the machine's order (little-endian where Deno runs on Linux).
 *
 * ```text
 *    byte  0        4        8        12       16                24       28       32                40
 *          ├────────┼────────┼────────┼────────┼─────────────────┼────────┼────────┼─────────────────┼────────────────┐
 *       0  │ magic  │version │ layout │ state  │ byteLength      │ creator│ check  │ creator started │ created        │
 *          │ int32  │ int32  │  hash  │ int32  │ float64         │  pid   │  sum   │ ms, float64     │ ms, float64    │
 *          ├────────┴────────┴────────┴────────┴─────────────────┴────────┴────────┴─────────────────┴────────────────┘
 *      48  │ zeroes
 *          ├────────
 *    4096  │ the region: byteLength bytes, and zeroes up to a multiple of 4096
 *          └────────
 * ```
 *
 * The creator writes the header, first with the state `making`, then the state `ready` alone; no process writes afterwards.
 * Pids and times are for display. The checksum is `fnv1a()` of the words from 16 on, its own aside.
 *
 * Locks of single bytes (`F_OFD_SETLK`) say who is there. They lie on the numbers of bytes and have nothing to do with what is
 * in the bytes:
 *
 * ```text
 *    byte  0            `open`: shared by each opener as long as it has the region open; had alone by the creator until the
 *                       state is `ready`, and by who removes a region that nobody has open
 *                       SYNC region.open: the header is valid for a process that gets it shared
 *    byte  1            `remove`: had alone by who takes the name away, so that it is still the name of this file
 *    bytes 1024 to 2047 the locks 0 to 1023 of `SharedMemory.tryLock()`
 * ```
 */

import { fnv1a } from "../../base/mod.ts";

/** "MSHM", read as a little-endian word. */
export const REGION_MAGIC = 0x4d48534d;
/** Changes with the meaning of any byte. */
export const REGION_VERSION = 2;
/** Bytes before the region's own: a page, so that these begin at one. */
export const HEADER_BYTES = 4096;
/** Bytes of the header that mean something. */
export const HEADER_USED_BYTES = 48;
/** What the region's own bytes are rounded up to in the file. */
export const ROUND_BYTES = 4096;

/** Where in the header its fields begin. */
export const AT = {
  magic: 0,
  version: 4,
  layoutHash: 8,
  state: 12,
  byteLength: 16,
  creatorPid: 24,
  checksum: 28,
  creatorStartedMs: 32,
  createdMs: 40,
} as const;

/** Values of the state; a file of zeroes has none of them. */
export const STATE = { making: 1, ready: 2 } as const;

/** Which byte stands for which lock. */
export const LOCK_AT = { open: 0, remove: 1, first: 1024 } as const;

/** The largest region in bytes: 4 GiB. */
export const SHARED_MEMORY_BYTES_MAX = 2 ** 32;
/** Locks of a region, numbered from 0. */
export const SHARED_MEMORY_LOCK_COUNT = 1024;

/** A number that differs where any offset or meaning above does; peers of other builds are told apart by it. */
export const LAYOUT_HASH: number = fnv1a([
  REGION_VERSION,
  HEADER_BYTES,
  ROUND_BYTES,
  ...Object.values(AT),
  ...Object.values(STATE),
  ...Object.values(LOCK_AT),
  SHARED_MEMORY_LOCK_COUNT,
]);

/** What a header says, its constants aside. */
export interface RegionHeader {
  readonly byteLength: number;
  readonly creatorPid: number;
  /** Milliseconds since 1970; 0: not known. */
  readonly creatorStartedMs: number;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
}

/** What a file is, by its size and its header; `found` says what is wrong with it. */
export type Inspection =
  | { readonly state: "ready" | "making"; readonly header: RegionHeader }
  /** Nothing was written yet. */
  | { readonly state: "empty" }
  | { readonly state: "damaged" | "other version" | "foreign"; readonly found: string };

/** Bytes of the file of a region of `byteLength` bytes. */
export function fileBytesOf(byteLength: number): number {
  return HEADER_BYTES + Math.ceil(byteLength / ROUND_BYTES) * ROUND_BYTES;
}

/** The page before a region that is being made. */
export function encodeHeader(header: RegionHeader): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  view.setInt32(AT.magic, REGION_MAGIC, true);
  view.setInt32(AT.version, REGION_VERSION, true);
  view.setInt32(AT.layoutHash, LAYOUT_HASH, true);
  view.setInt32(AT.state, STATE.making, true);
  view.setFloat64(AT.byteLength, header.byteLength, true);
  view.setInt32(AT.creatorPid, header.creatorPid, true);
  view.setFloat64(AT.creatorStartedMs, header.creatorStartedMs, true);
  view.setFloat64(AT.createdMs, header.createdMs, true);
  view.setInt32(AT.checksum, checksumOf(view), true);
  return new Uint8Array(view.buffer);
}

function checksumOf(view: DataView): number {
  const words: number[] = [];
  for (let at: number = AT.byteLength; at < HEADER_USED_BYTES; at += 4) {
    if (at !== AT.checksum) words.push(view.getInt32(at, true));
  }
  return fnv1a(words);
}

/** The bytes of a state, to be written at `AT.state`. */
export function encodeState(state: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Int32Array([state]).buffer);
}

/** What a file of `fileBytes` bytes is that begins with `bytes`, {@linkcode HEADER_USED_BYTES} of them where it has so many. */
export function inspect(bytes: Uint8Array<ArrayBuffer>, fileBytes: number): Inspection {
  if (fileBytes === 0) return { state: "empty" };
  if (bytes.byteLength < HEADER_USED_BYTES || fileBytes < HEADER_BYTES) {
    return { state: "foreign", found: `it has ${fileBytes} bytes, and is no region of Millrace's` };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number) => view.getInt32(at, true);
  if (word(AT.magic) !== REGION_MAGIC) return { state: "foreign", found: "it is no region of Millrace's" };
  const version = word(AT.version);
  if (version !== REGION_VERSION) {
    return { state: "other version", found: `it has version ${version}, expected ${REGION_VERSION}` };
  }
  if (word(AT.layoutHash) !== LAYOUT_HASH) {
    return { state: "other version", found: "its layout is another build's" };
  }
  const header: RegionHeader = {
    byteLength: view.getFloat64(AT.byteLength, true),
    creatorPid: word(AT.creatorPid),
    creatorStartedMs: view.getFloat64(AT.creatorStartedMs, true),
    createdMs: view.getFloat64(AT.createdMs, true),
  };
  const inspection = inspectFields(header, word(AT.state), fileBytes);
  if (inspection.state === "ready" && word(AT.checksum) !== checksumOf(view)) {
    return { state: "damaged", found: "it is damaged: its header does not have its checksum" };
  }
  return inspection;
}

function inspectFields(header: RegionHeader, state: number, fileBytes: number): Inspection {
  const { byteLength } = header;
  if (!(Number.isInteger(byteLength) && byteLength > 0 && byteLength <= SHARED_MEMORY_BYTES_MAX)) {
    return { state: "damaged", found: `it is damaged: its length is ${byteLength}` };
  }
  for (const ms of [header.creatorStartedMs, header.createdMs]) {
    if (Number.isNaN(new Date(ms).getTime())) {
      return { state: "damaged", found: `it is damaged: it has ${ms} for a time` };
    }
  }
  if (state === STATE.making) return { state: "making", header };
  if (state !== STATE.ready) return { state: "damaged", found: `it is damaged: its state is ${state}` };
  const expected = fileBytesOf(byteLength);
  if (fileBytes !== expected) {
    return {
      state: "damaged",
      found: `it is damaged: it has ${fileBytes} bytes, expected ${expected} for its length`,
    };
  }
  return { state: "ready", header };
}
