import { fnv1a, nameProblem } from "../../base/mod.ts";
import { SharedMemory, type SharedMemoryInfo } from "../memory/mod.ts";
import { inWordsOf, wordsOf } from "./shared_region.ts";

/** The longest name of a state, lock, semaphore or pool, in characters. */
export const STATE_NAME_LENGTH_MAX = 180;

/** Words that the regions of all kinds begin with. The creator writes them before the region is `ready`; nobody does afterwards. */
export const HEADER = { magic: 0, version: 1, layoutHash: 2, checksum: 3, constants: 4 } as const;

/** Constants that a kind can have. */
const CONSTANTS_MAX = 12;

/** Where something shared is. */
export interface StatePlace {
  /**
   * An existing directory for its file, in place of the system's shared memory: for one that survives a reboot.
   *
   * @default {the system's shared memory}
   */
  directory?: string;
}

/** Who may open what is made. */
export interface StateAccess extends StatePlace {
  /**
   * Who may open it, as permissions of a file.
   *
   * @default {0o600}
   */
  mode?: number;
}

/** Which of a kind are listed, or removed. */
export interface StateFilter extends StatePlace {
  /**
   * What the names begin with.
   *
   * @default {""}
   */
  prefix?: string;
}

/** A kind of thing that lies in a region of its own. */
export interface RegionKind {
  /** What it is called: `state`. */
  readonly noun: string;
  /** The same behind `it is no …`, and for `list()`: what its region begins with. */
  readonly magic: number;
  readonly version: number;
  /** Differs where any offset or meaning does. */
  readonly layoutHash: number;
  /** How many constants it has. */
  readonly constantCount: number;
  /** Bytes of a region with such constants; `undefined` when there can be none. */
  readonly byteLengthOf: (constants: readonly number[]) => number | undefined;
}

/** A region that is open, and the constants that it was made with. */
export interface OpenedKind {
  readonly region: SharedMemory;
  readonly constants: readonly number[];
}

/** What a region is: of that kind, or what is wrong with it. */
export type KindInspection =
  | { readonly state: "ok"; readonly constants: readonly number[] }
  | { readonly state: "foreign" | "other version" | "damaged"; readonly found: string };

/** Writes the header of a region. */
export function writeHeader(words: Int32Array, kind: RegionKind, constants: readonly number[]): void {
  words[HEADER.magic] = kind.magic;
  words[HEADER.version] = kind.version;
  words[HEADER.layoutHash] = kind.layoutHash;
  words.set(constants, HEADER.constants);
  words[HEADER.checksum] = checksumOf(words);
}

/** Looks at the header of a region of `byteLength` bytes that begins with `words`. */
export function inspectHeader(words: Int32Array, kind: RegionKind, byteLength: number): KindInspection {
  const { noun } = kind;
  if (words.length < HEADER.constants + CONSTANTS_MAX || words[HEADER.magic] !== kind.magic) {
    return { state: "foreign", found: `it is no ${noun}` };
  }
  const version = words[HEADER.version];
  if (version !== kind.version) {
    return { state: "other version", found: `it has version ${version}, expected ${kind.version}` };
  }
  if (words[HEADER.layoutHash] !== kind.layoutHash) {
    return { state: "other version", found: "its layout is another build's" };
  }
  if (words[HEADER.checksum] !== checksumOf(words)) {
    return { state: "damaged", found: "it is damaged: the checksum of its header is wrong" };
  }
  const constants = [...words.subarray(HEADER.constants, HEADER.constants + kind.constantCount)];
  const expected = kind.byteLengthOf(constants);
  if (expected === undefined) {
    return { state: "damaged", found: "it is damaged: its constants are out of range" };
  }
  if (byteLength !== expected) {
    return { state: "damaged", found: `it is damaged: it has ${byteLength} bytes, expected ${expected}` };
  }
  return { state: "ok", constants };
}

/** Makes a region of a kind, complete before anybody can open it. */
export function createKind(
  kind: RegionKind,
  name: string,
  constants: readonly number[],
  { directory, mode }: StateAccess,
  fill?: (words: Int32Array) => void,
): OpenedKind {
  const region = regionOf(kind, name);
  const subject = `${kind.noun} ${name}`;
  const byteLength = kind.byteLengthOf(constants);
  if (byteLength === undefined) throw new RangeError(`create ${subject}: constants are out of range`);
  const initialize = (bytes: Uint8Array<ArrayBuffer>): void => {
    writeHeader(wordsOf(bytes), kind, constants);
    fill?.(wordsOf(bytes));
  };
  const opened = inWordsOf(
    "create",
    subject,
    () => SharedMemory.create(region, { byteLength, mode, directory, initialize, subject }),
  );
  return { region: opened, constants };
}

/** Opens a region of a kind, and looks at what it says it is. */
export function connectKind(kind: RegionKind, name: string, { directory }: StatePlace): OpenedKind {
  const subject = `${kind.noun} ${name}`;
  const object = regionOf(kind, name);
  const region = inWordsOf("connect to", subject, () => SharedMemory.connect(object, { directory, subject }));
  const { bytes } = region;
  const inspection = inspectHeader(wordsOf(bytes), kind, bytes.byteLength);
  if (inspection.state === "ok") return { region, constants: inspection.constants };
  region.close();
  throw new Deno.errors.InvalidData(`connect to ${subject}: ${inspection.found}`);
}

/** What `connect()` opens; where there is none, what `create()` makes, unless somebody else was faster. */
export function connectOrCreate<T>(connect: () => T, create: () => T): T {
  for (;;) {
    try {
      return connect();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    try {
      return create();
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

/** Opens what is in a region by `open`; closes the region when that throws, and takes its name away where it was made for this. */
export function openedOr<T>(region: SharedMemory, open: () => T, undo: () => void = () => {}): T {
  try {
    return open();
  } catch (error) {
    region.close();
    undo();
    throw error;
  }
}

/** The regions of a kind, by what their names begin with. */
export function listKind(kind: RegionKind, { prefix = "", directory }: StateFilter): SharedMemoryInfo[] {
  return SharedMemory.list(filterOf(kind, prefix, directory))
    .map((info) => ({ ...info, name: info.name.slice(prefixOf(kind).length) }));
}

/** Takes the name of one of a kind away. */
export function unlinkKind(kind: RegionKind, name: string, { directory }: StatePlace): void {
  const subject = `${kind.noun} ${name}`;
  const object = regionOf(kind, name);
  inWordsOf(
    "unlink",
    subject,
    () => SharedMemory.unlink(object, { directory, subject, beginsWith: magicBytes(kind) }),
  );
}

/** Takes the names of those of a kind away that nobody has open. */
export function removeAbandonedKind(kind: RegionKind, { prefix = "", directory }: StateFilter): string[] {
  return SharedMemory.removeAbandoned(filterOf(kind, prefix, directory))
    .map((name) => name.slice(prefixOf(kind).length));
}

/** @throws {RangeError} when an option is no whole number from `min` to `max` */
export function checkCount(noun: string, name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`create ${noun}: ${name} is ${value}, expected ${min} to ${max}`);
}

function filterOf(
  kind: RegionKind,
  prefix: string,
  directory: string | undefined,
): { prefix: string; directory: string | undefined; beginsWith: Uint8Array } {
  return { prefix: prefixOf(kind) + prefix, directory, beginsWith: magicBytes(kind) };
}

function prefixOf({ noun }: RegionKind): string {
  return `${noun}.`;
}

function regionOf(kind: RegionKind, name: string): string {
  const problem = nameProblem(name, STATE_NAME_LENGTH_MAX);
  if (problem === undefined) return prefixOf(kind) + name;
  throw new RangeError(`name of a ${kind.noun}: ${problem}`);
}

function magicBytes({ magic }: RegionKind): Uint8Array {
  return new Uint8Array(new Int32Array([magic]).buffer);
}

function checksumOf(words: Int32Array): number {
  return fnv1a([
    ...words.subarray(0, HEADER.checksum),
    ...words.subarray(HEADER.constants, HEADER.constants + CONSTANTS_MAX),
  ]);
}
