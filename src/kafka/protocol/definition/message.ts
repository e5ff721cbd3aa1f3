import type { ByteReader, ByteWriter } from "../../../base/bytes/mod.ts";
import { compileStructReader, limitElements, type Read } from "./compile_reader.ts";
import { compileStructWriter, type Write } from "./compile_writer.ts";
import { UnsupportedVersionError } from "./errors.ts";
import type { Fields, InputOf, ValueOf } from "./fields.ts";
import { includesVersion, parseVersions, type VersionRange, type Versions } from "./versions.ts";

/** What a message is made of; see {@linkcode defineMessage}. */
export interface MessageDefinition<Parts extends Fields> {
  /** Kafka's name: `ProduceRequest`. */
  readonly name: string;
  readonly versions: Versions;
  /** Versions with tagged fields and compact lengths. */
  readonly flexibleVersions: Versions;
  readonly fields: Parts;
}

/**
 * The default of {@linkcode ReadOptions}. An element of two bytes becomes an object of 70: without a limit
 * 100 MB of the smallest elements would take 3 GB of memory, and seconds.
 */
export const MESSAGE_ELEMENTS_MAX_DEFAULT = 1_000_000;

/** Options of {@linkcode Message.read}. */
export interface ReadOptions {
  /** How many elements all arrays of the message may have together. @default 1,000,000 */
  readonly elementsMax?: number;
}

/** A message as it is read: `MessageValue<typeof offsetCommitKey>`. */
export type MessageValue<Defined> = Defined extends Message<infer Parts> ? ValueOf<Parts> : never;

/** A message to be written: `MessageInput<typeof offsetCommitKey>`. */
export type MessageInput<Defined> = Defined extends Message<infer Parts> ? InputOf<Parts> : never;

/** One message in all its versions, read and written by the same definition. */
export class Message<Parts extends Fields = Fields> {
  readonly name: string;
  readonly versions: VersionRange;
  readonly flexibleVersions: VersionRange;
  readonly fields: Parts;
  readonly #reads: (Read | undefined)[] = [];
  readonly #writes: (Write | undefined)[] = [];

  /** See {@linkcode defineMessage}. */
  constructor(definition: MessageDefinition<Parts>) {
    this.name = definition.name;
    this.versions = parseVersions(definition.versions);
    this.flexibleVersions = parseVersions(definition.flexibleVersions);
    this.fields = definition.fields;
  }

  /**
   * Reads the message at the reader's position. Bytes and records are views of what the reader reads; bytes
   * after the message are left.
   *
   * @throws {MalformedBytesError} when the bytes are no such message, or one of too many elements
   * @throws {UnsupportedVersionError} when there is no such version
   */
  read(reader: ByteReader, version: number, options?: ReadOptions): ValueOf<Parts> {
    limitElements(options?.elementsMax ?? MESSAGE_ELEMENTS_MAX_DEFAULT);
    const read = this.#reads[version] ?? this.#compileRead(version);
    return read(reader) as ValueOf<Parts>;
  }

  /**
   * Writes `message` after what is written.
   *
   * @throws {UnsupportedVersionError} when there is no such version, or a field has a value that the version
   *   cannot carry and that is not to be ignored
   * @throws {RangeError} when a value does not fit its type
   * @throws {ByteLimitError} when the writer is full; what is written of the message then is not taken back
   */
  write(writer: ByteWriter, message: InputOf<Parts>, version: number): void {
    const write = this.#writes[version] ?? this.#compileWrite(version);
    write(writer, message);
  }

  /** Whether `version` has tagged fields and compact lengths. */
  isFlexible(version: number): boolean {
    return includesVersion(this.flexibleVersions, version);
  }

  #compileRead(version: number): Read {
    this.#requireVersion(version);
    return this.#reads[version] = compileStructReader(this.fields, version, this.isFlexible(version));
  }

  #compileWrite(version: number): Write {
    this.#requireVersion(version);
    return this.#writes[version] = compileStructWriter(
      this.fields,
      version,
      this.isFlexible(version),
      this.name,
    );
  }

  #requireVersion(version: number): void {
    if (Number.isInteger(version) && includesVersion(this.versions, version)) return;
    throw UnsupportedVersionError.ofMessage(this.name, version, this.versions);
  }
}

/** Defines a message that belongs to no API: a header, a record of an internal topic. */
export function defineMessage<const Parts extends Fields>(
  definition: MessageDefinition<Parts>,
): Message<Parts> {
  return new Message(definition);
}
