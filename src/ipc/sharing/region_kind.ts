import { assert, fnv1a, nameProblem } from "../../base/mod.ts";
import {
  SHARED_MEMORY_BYTES_MAX,
  SHARED_MEMORY_NAME_LENGTH_MAX,
  SharedMemory,
  type SharedMemoryFilter,
  type SharedMemoryInfo,
  type SharedMemoryOptions,
} from "../memory/mod.ts";
import { inWordsOf, wordsOf } from "./shared_region.ts";

/** The longest name of a queue, state, lock, semaphore or pool, in characters. */
export const REGION_NAME_LENGTH_MAX = 190;

/** Words that the regions of all kinds begin with. The creator writes them before the region is `ready`; no process does afterwards. */
export const HEADER = { magic: 0, version: 1, layoutHash: 2, checksum: 3, constants: 4 } as const;

/** Constants that a kind can have. */
const CONSTANTS_MAX = 12;
const HEADER_WORDS = HEADER.constants + CONSTANTS_MAX;
/** What no region of a kind begins with: it has only those that are half-made or damaged. */
const NO_HEADER = new Uint8Array(4);

/** Where something shared is. */
export interface RegionPlace {
  /**
   * An existing directory for its file, in place of the system's shared memory: for one that survives a reboot.
   *
   * @default {the system's shared memory}
   */
  directory?: string;
}

/** Who may open what is made. */
export interface RegionAccess extends RegionPlace {
  /**
   * Who may open it, as permissions of a file.
   *
   * @default {0o600}
   */
  mode?: number;
}

/** Which of a kind are listed, or removed. */
export interface RegionFilter extends RegionPlace {
  /**
   * What the names begin with.
   *
   * @default {""}
   */
  prefix?: string;
}

/** What something shared was made with: whole numbers, by their names. */
export type Constants<Name extends string> = Readonly<Record<Name, number>>;

/** The least and the largest value of a constant. */
export type ConstantRange = readonly [min: number, max: number];

/** A constant that may have any value. */
export const ANY_WORD: ConstantRange = [-(2 ** 31), 2 ** 31 - 1];
/** A constant that is 1 for yes, and 0 for no. */
export const YES_OR_NO: ConstantRange = [0, 1];

/** What tells the regions of a kind from others. */
export interface RegionFormat<Name extends string> {
  /** What it is called: `state`. */
  readonly noun: string;
  /**
   * What errors call one of that name.
   *
   * @default {the noun and the name}
   */
  readonly subjectOf?: (name: string) => string;
  /** What its region begins with. */
  readonly magic: number;
  readonly version: number;
  /** Differs where any offset or meaning does. */
  readonly layoutHash: number;
  /** Its constants, in the order in which they are in the header. */
  readonly constants: Readonly<Record<Name, ConstantRange>>;
  /** The constant of which 0 says that there is no limit, as `Infinity` does in options. */
  readonly unlimited?: NoInfer<Name>;
  /** Bytes of a region with constants that are in their ranges; `undefined` when these do not go together. */
  readonly byteLengthOf: (constants: Constants<Name>) => number | undefined;
}

/** A region that is open, and the constants that it was made with. */
export interface OpenedRegion<Name extends string> {
  readonly region: SharedMemory;
  readonly constants: Constants<Name>;
}

/** Options that make one of a kind: those that name constants must fit one that exists. */
export type RegionOptions<Name extends string> = RegionAccess & { readonly [Constant in Name]?: number };

/** What a region is: of the kind, or what is wrong with it. */
export type RegionInspection<Name extends string> =
  | { readonly state: "ok"; readonly constants: Constants<Name> }
  | { readonly state: "foreign" | "other version" | "damaged"; readonly found: string };

/** A kind of thing that lies in a region of its own, which processes share by its name. */
export class RegionKind<Name extends string> {
  readonly format: RegionFormat<Name>;
  readonly #names: readonly Name[];

  constructor(format: RegionFormat<Name>) {
    this.format = format;
    this.#names = Object.keys(format.constants) as Name[];
    assert(this.#names.length <= CONSTANTS_MAX, `${format.noun}: more constants than a header holds`);
    assert(
      format.noun.length + 1 + REGION_NAME_LENGTH_MAX <= SHARED_MEMORY_NAME_LENGTH_MAX,
      `${format.noun}: its names are longer than those of regions`,
    );
  }

  /** Makes one, complete before anybody can open it; it is no more when `use()` throws. */
  create<T>(
    name: string,
    constants: Constants<Name>,
    options: RegionOptions<Name>,
    use: (opened: OpenedRegion<Name>) => T,
  ): T {
    const plan = this.#planOf(name, constants, options);
    const region = inWordsOf(
      "create",
      plan.subject,
      () => SharedMemory.create(this.#regionOf(name), plan),
    );
    return this.#used("create", name, { region, constants }, use, () => this.unlink(name, options));
  }

  /** Opens an existing one. */
  connect<T>(name: string, place: RegionPlace, use: (opened: OpenedRegion<Name>) => T): T {
    return this.#used("connect to", name, this.#connect("connect to", name, place), use);
  }

  /** Opens one, or makes it where there is none. */
  open<T>(
    name: string,
    constants: Constants<Name>,
    options: RegionOptions<Name>,
    use: (opened: OpenedRegion<Name>) => T,
  ): T {
    const plan = this.#planOf(name, constants, options);
    let found: Constants<Name> | undefined;
    const check = (region: SharedMemory): void => {
      found = this.#constantsOf("open", name, region);
      this.#requireFit(name, found, options);
    };
    const region = inWordsOf(
      "open",
      plan.subject,
      () => SharedMemory.open(this.#regionOf(name), { ...plan, check }),
    );
    const undo = found === undefined ? () => this.unlink(name, options) : undefined;
    return this.#used("open", name, { region, constants: found ?? constants }, use, undo);
  }

  /** What an existing one was made with, and what its region begins with, which no other does; `undefined` when there is none. */
  look(
    name: string,
    place: RegionPlace,
  ): { readonly constants: Constants<Name>; readonly header: Uint8Array } | undefined {
    try {
      const { region, constants } = this.#connect("look at", name, place);
      using opened = region;
      return { constants, header: opened.bytes.slice(0, HEADER_WORDS * 4) };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Those that this process may open, by name. */
  list(filter: RegionFilter): SharedMemoryInfo[] {
    return SharedMemory.list(this.#filterOf(filter))
      .map((info) => ({ ...info, name: info.name.slice(this.#prefix.length) }));
  }

  /** Takes the name of one away; where a `header` is given, only if it begins so. */
  unlink(name: string, { directory }: RegionPlace, header: Uint8Array = this.#magicBytes): void {
    const region = this.#regionOf(name);
    const subject = this.#subjectOf(name);
    inWordsOf(
      "unlink",
      subject,
      () => SharedMemory.unlink(region, { directory, subject, beginsWith: header }),
    );
  }

  /** Removes the names of those that no process has open. */
  removeAbandoned(filter: RegionFilter): string[] {
    return SharedMemory.removeAbandoned(this.#filterOf(filter))
      .map((name) => name.slice(this.#prefix.length));
  }

  /** Takes the name of one away that is half-made, and whose creator has died; whether it did. */
  removeHalfMade(name: string, { directory }: RegionPlace): boolean {
    const filter = { name: this.#regionOf(name), directory, beginsWith: NO_HEADER };
    return SharedMemory.removeAbandoned(filter).length > 0;
  }

  /** Writes the header of a region. */
  writeHeader(words: Int32Array, constants: Constants<Name>): void {
    const { magic, version, layoutHash } = this.format;
    words[HEADER.magic] = magic;
    words[HEADER.version] = version;
    words[HEADER.layoutHash] = layoutHash;
    words.set(this.#names.map((name) => constants[name]), HEADER.constants);
    words[HEADER.checksum] = checksumOf(words);
  }

  /** Looks at the header of a region of `byteLength` bytes that begins with `words`. */
  inspect(words: Int32Array, byteLength: number): RegionInspection<Name> {
    const { noun, magic, version, layoutHash } = this.format;
    if (words.length < HEADER_WORDS || words[HEADER.magic] !== magic) {
      return { state: "foreign", found: `it is no ${noun}` };
    }
    if (words[HEADER.version] !== version) {
      return {
        state: "other version",
        found: `it has version ${words[HEADER.version]}, expected ${version}`,
      };
    }
    if (words[HEADER.layoutHash] !== layoutHash) {
      return { state: "other version", found: "its layout is another build's" };
    }
    if (words[HEADER.checksum] !== checksumOf(words)) {
      return { state: "damaged", found: "it is damaged: the checksum of its header is wrong" };
    }
    const entries = this.#names.map((name, index) => [name, words[HEADER.constants + index]] as const);
    const constants = Object.fromEntries(entries) as Constants<Name>;
    const isInRange = entries.every(([name, value]) => isWithin(value, this.format.constants[name]));
    const expected = isInRange ? this.format.byteLengthOf(constants) : undefined;
    if (expected === undefined) {
      return { state: "damaged", found: "it is damaged: its constants are out of range" };
    }
    if (byteLength !== expected) {
      return { state: "damaged", found: `it is damaged: it has ${byteLength} bytes, expected ${expected}` };
    }
    return { state: "ok", constants };
  }

  #connect(action: string, name: string, { directory }: RegionPlace): OpenedRegion<Name> {
    const subject = this.#subjectOf(name);
    const object = this.#regionOf(name);
    const region = inWordsOf(action, subject, () => SharedMemory.connect(object, { directory, subject }));
    try {
      return { region, constants: this.#constantsOf(action, name, region) };
    } catch (error) {
      region.close();
      throw error;
    }
  }

  /** @throws {Deno.errors.InvalidData} when the region is not of this kind */
  #constantsOf(action: string, name: string, { bytes }: SharedMemory): Constants<Name> {
    const inspection = this.inspect(wordsOf(bytes), bytes.byteLength);
    if (inspection.state === "ok") return inspection.constants;
    throw new Deno.errors.InvalidData(`${action} ${this.#subjectOf(name)}: ${inspection.found}`);
  }

  /** @throws {Deno.errors.AlreadyExists} when an option is not what one that exists was made with */
  #requireFit(name: string, found: Constants<Name>, options: RegionOptions<Name>): void {
    for (const constant of this.#names) {
      const asked = options[constant];
      const isUnlimited = constant === this.format.unlimited && found[constant] === 0;
      const value = isUnlimited ? Infinity : found[constant];
      if (asked === undefined || asked === value) continue;
      throw new Deno.errors.AlreadyExists(
        `open ${this.#subjectOf(name)}: ${constant} is ${value}, expected ${asked}`,
      );
    }
  }

  /** @throws {RangeError} when there can be no such region */
  #planOf(
    name: string,
    constants: Constants<Name>,
    options: RegionOptions<Name>,
  ): SharedMemoryOptions & { subject: string } {
    const { noun, constants: ranges, byteLengthOf } = this.format;
    for (const constant of this.#names) checkCount(noun, constant, constants[constant], ranges[constant]);
    const byteLength = byteLengthOf(constants);
    assert(byteLength !== undefined, `${noun}: constants that do not go together are refused before`);
    if (byteLength > SHARED_MEMORY_BYTES_MAX) {
      const asked = this.#names.filter((constant) => options[constant] !== undefined);
      const numbers = asked.map((constant) => `${constant} ${options[constant]}`).join(" and ");
      throw new RangeError(
        `create ${noun}: ${numbers} take ${byteLength} bytes, expected at most ${SHARED_MEMORY_BYTES_MAX}`,
      );
    }
    const initialize = (bytes: Uint8Array<ArrayBuffer>): void => this.writeHeader(wordsOf(bytes), constants);
    const { mode, directory } = options;
    return { byteLength, mode, directory, initialize, subject: this.#subjectOf(name) };
  }

  /** What `use()` makes of an opened region, which is closed when that throws. */
  #used<T>(
    action: string,
    name: string,
    opened: OpenedRegion<Name>,
    use: (opened: OpenedRegion<Name>) => T,
    undo: () => void = () => {},
  ): T {
    try {
      return use(opened);
    } catch (error) {
      opened.region.close();
      undo();
      if (!(error instanceof Deno.errors.Busy)) throw error;
      throw new Deno.errors.Busy(`${action} ${this.#subjectOf(name)}: ${error.message}`, { cause: error });
    }
  }

  get #prefix(): string {
    return `${this.format.noun}.`;
  }

  get #magicBytes(): Uint8Array {
    return new Uint8Array(new Int32Array([this.format.magic]).buffer);
  }

  #filterOf({ prefix = "", directory }: RegionFilter): SharedMemoryFilter {
    return { prefix: this.#prefix + prefix, directory, beginsWith: this.#magicBytes };
  }

  #subjectOf(name: string): string {
    return this.format.subjectOf?.(name) ?? `${this.format.noun} ${name}`;
  }

  #regionOf(name: string): string {
    const problem = nameProblem(name, REGION_NAME_LENGTH_MAX);
    if (problem === undefined) return this.#prefix + name;
    throw new RangeError(`name of a ${this.format.noun}: ${problem}`);
  }
}

/** @throws {RangeError} when an option is no whole number in its range */
export function checkCount(noun: string, name: string, value: number, range: ConstantRange): void {
  if (Number.isInteger(value) && isWithin(value, range)) return;
  throw new RangeError(`create ${noun}: ${name} is ${value}, expected ${range[0]} to ${range[1]}`);
}

function isWithin(value: number, [min, max]: ConstantRange): boolean {
  return value >= min && value <= max;
}

function checksumOf(words: Int32Array): number {
  return fnv1a([
    ...words.subarray(0, HEADER.checksum),
    ...words.subarray(HEADER.constants, HEADER_WORDS),
  ]);
}
