import type { ByteReader } from "../../../base/bytes/mod.ts";
import { makeDefault } from "./defaults.ts";
import type { Field, Fields, FieldType, ScalarKind } from "./fields.ts";
import { readUuid } from "./uuid.ts";
import { includesVersion } from "./versions.ts";

/** Reads one value of one version. */
export type Read = (reader: ByteReader) => unknown;

type MessageObject = Record<string, unknown>;

/**
 * How many elements the message that is being read may still have. Reading never waits, so that one number
 * serves every message of the thread.
 */
let elementsLeft = 0;

/** Begins a message of at most `count` elements, those of all its arrays together. */
export function limitElements(count: number): void {
  elementsLeft = count;
}

/** A tagged field takes at least its number and its size. */
const TAGGED_BYTES_MIN = 2;

/**
 * Makes the reader of a struct in one version: one closure a field, called in order. Whatever a count or a
 * length claims is compared with the bytes that are left before anything is allocated.
 */
export function compileStructReader(fields: Fields, version: number, flexible: boolean): Read {
  const names: string[] = [];
  const reads: Read[] = [];
  const tagged = new Map<number, { readonly name: string; readonly read: Read }>();
  for (const [name, field] of Object.entries(fields)) {
    names.push(name);
    if (!includesVersion(field.versions, version)) {
      reads.push(makeDefault(field));
    } else if (field.tag !== null) {
      // In its place among the others, so that all messages have their fields in one order.
      reads.push(makeDefault(field));
      tagged.set(field.tag, { name, read: compileFieldReader(field, version, flexible) });
    } else {
      reads.push(compileFieldReader(field, version, flexible));
    }
  }
  const count = names.length;
  return (reader) => {
    const message: MessageObject = {};
    for (let index = 0; index < count; index++) message[names[index]] = reads[index](reader);
    if (flexible) readTaggedFields(reader, message, tagged);
    return message;
  };
}

function readTaggedFields(
  reader: ByteReader,
  message: MessageObject,
  known: ReadonlyMap<number, { readonly name: string; readonly read: Read }>,
): void {
  const count = reader.readUnsignedVarint();
  if (count === 0) return;
  checkCount(reader, count, TAGGED_BYTES_MIN);
  for (let index = 0; index < count; index++) {
    const tag = reader.readUnsignedVarint();
    const byteLength = reader.readUnsignedVarint();
    const field = known.get(tag);
    if (field === undefined) {
      reader.skip(byteLength);
      continue;
    }
    const end = reader.narrow(byteLength);
    message[field.name] = field.read(reader);
    reader.expectEnd(`the end of tagged field ${tag}`);
    reader.widen(end);
  }
}

function compileFieldReader(field: Field, version: number, flexibleMessage: boolean): Read {
  const flexible = flexibleMessage && !field.neverFlexible;
  const nullable = includesVersion(field.nullable, version);
  return compileTypeReader(field.type, version, flexible, nullable);
}

function compileTypeReader(type: FieldType, version: number, flexible: boolean, nullable: boolean): Read {
  switch (type.kind) {
    case "array":
      return compileArrayReader(type.element, version, flexible, nullable);
    case "struct": {
      const read = compileStructReader(type.fields, version, flexible);
      return nullable ? (reader) => reader.readInt8() < 0 ? null : read(reader) : read;
    }
    case "string": {
      const readLength = flexible ? readCompactLength : readInt16Length;
      return (reader) => {
        const length = readLength(reader, nullable);
        return length < 0 ? null : reader.readUtf8(length);
      };
    }
    case "bytes":
    case "records": {
      const readLength = flexible ? readCompactLength : readInt32Length;
      return (reader) => {
        const length = readLength(reader, nullable);
        return length < 0 ? null : reader.readBytes(length);
      };
    }
    default:
      return scalarReaders[type.kind];
  }
}

const scalarReaders: Readonly<Record<Exclude<ScalarKind, "string" | "bytes" | "records">, Read>> = {
  bool: (reader) => reader.readBool(),
  int8: (reader) => reader.readInt8(),
  int16: (reader) => reader.readInt16(),
  uint16: (reader) => reader.readUint16(),
  int32: (reader) => reader.readInt32(),
  int64: (reader) => reader.readInt64(),
  float64: (reader) => reader.readFloat64(),
  uuid: readUuid,
};

function compileArrayReader(element: FieldType, version: number, flexible: boolean, nullable: boolean): Read {
  const read = compileTypeReader(element, version, flexible, false);
  const elementBytesMin = bytesMin(element, version, flexible);
  const readCount = flexible ? readCompactLength : readInt32Length;
  return (reader) => {
    const count = readCount(reader, nullable);
    if (count < 0) return null;
    checkCount(reader, count, elementBytesMin);
    elementsLeft -= count;
    if (elementsLeft < 0) {
      throw reader.malformed(`${-elementsLeft} elements too many`, "a message within its limit");
    }
    const list: unknown[] = [];
    for (let index = 0; index < count; index++) list.push(read(reader));
    return list;
  };
}

function checkCount(reader: ByteReader, count: number, elementBytesMin: number): void {
  if (count * elementBytesMin <= reader.remaining) return;
  throw reader.malformed(
    `a count of ${count} with ${reader.remaining} bytes left`,
    `at least ${elementBytesMin} bytes for each`,
  );
}

/** A length, or -1 for null. */
function readCompactLength(reader: ByteReader, nullable: boolean): number {
  return checkNull(reader, reader.readUnsignedVarint() - 1, nullable);
}

function readInt16Length(reader: ByteReader, nullable: boolean): number {
  return checkNull(reader, reader.readInt16(), nullable);
}

function readInt32Length(reader: ByteReader, nullable: boolean): number {
  return checkNull(reader, reader.readInt32(), nullable);
}

function checkNull(reader: ByteReader, length: number, nullable: boolean): number {
  if (length >= 0 || (nullable && length === -1)) return length;
  throw reader.malformed(
    length === -1 ? "null" : `a length of ${length}`,
    nullable ? "a length or -1" : "a length",
  );
}

/**
 * How many bytes a value takes at least; never none, so that a count is bounded by the bytes that are left.
 */
function bytesMin(type: FieldType, version: number, flexible: boolean): number {
  switch (type.kind) {
    case "bool":
    case "int8":
      return 1;
    case "int16":
    case "uint16":
      return 2;
    case "int32":
      return 4;
    case "int64":
    case "float64":
      return 8;
    case "uuid":
      return 16;
    case "string":
      return flexible ? 1 : 2;
    case "bytes":
    case "records":
    case "array":
      return flexible ? 1 : 4;
    case "struct": {
      let sum = flexible ? 1 : 0;
      for (const field of Object.values(type.fields)) {
        if (field.tag !== null || !includesVersion(field.versions, version)) continue;
        const nullableStruct = field.type.kind === "struct" && includesVersion(field.nullable, version);
        sum += nullableStruct ? 1 : bytesMin(field.type, version, flexible && !field.neverFlexible);
      }
      return Math.max(1, sum);
    }
  }
}
