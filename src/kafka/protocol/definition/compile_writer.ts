import { type ByteWriter, utf8ByteLength } from "../../../base/bytes/mod.ts";
import { compileIsDefault, makeDefault } from "./defaults.ts";
import { UnsupportedVersionError } from "./errors.ts";
import type { Field, Fields, FieldType, ScalarKind, ScalarValues } from "./fields.ts";
import { writeUuid } from "./uuid.ts";
import { includesVersion } from "./versions.ts";

/** Writes one value in one version. */
export type Write = (writer: ByteWriter, value: unknown) => void;

type MessageObject = Readonly<Record<string, unknown>>;

interface TaggedWriter {
  readonly tag: number;
  readonly name: string;
  readonly isDefault: (value: unknown) => boolean;
  readonly write: Write;
}

const INT16_MAX = 2 ** 15 - 1;

/** Makes the writer of a struct in one version; `subject` names it in errors. */
export function compileStructWriter(
  fields: Fields,
  version: number,
  flexible: boolean,
  subject: string,
): Write {
  const names: string[] = [];
  const writes: Write[] = [];
  const tagged: TaggedWriter[] = [];
  for (const [name, field] of Object.entries(fields)) {
    const path = `${subject}.${name}`;
    if (!includesVersion(field.versions, version)) {
      if (field.ignorable) continue;
      names.push(name);
      writes.push(compileRefusal(field, version, path));
      continue;
    }
    const write = compileFieldWriter(field, version, flexible, path);
    if (field.tag === null) {
      names.push(name);
      writes.push(write);
    } else {
      tagged.push({ tag: field.tag, name, isDefault: compileIsDefault(field), write });
    }
  }
  tagged.sort((a, b) => a.tag - b.tag);
  const count = names.length;
  return (writer, value) => {
    const message = value as MessageObject;
    for (let index = 0; index < count; index++) writes[index](writer, message[names[index]]);
    if (flexible) writeTaggedFields(writer, message, tagged);
  };
}

function writeTaggedFields(
  writer: ByteWriter,
  message: MessageObject,
  tagged: readonly TaggedWriter[],
): void {
  let count = 0;
  for (const field of tagged) if (!field.isDefault(message[field.name])) count++;
  writer.writeUnsignedVarint(count);
  if (count === 0) return;
  for (const field of tagged) {
    if (field.isDefault(message[field.name])) continue;
    writer.writeUnsignedVarint(field.tag);
    const start = writer.length;
    field.write(writer, message[field.name]);
    writer.insertUnsignedVarintLength(start);
  }
}

/** What a version without a field does with a value for it: as in Kafka, only the default is no loss. */
function compileRefusal(field: Field, version: number, path: string): Write {
  const isDefault = compileIsDefault(field);
  return (_writer, value) => {
    if (!isDefault(value)) throw new UnsupportedVersionError(path, version, "no such field", "its default");
  };
}

function compileFieldWriter(field: Field, version: number, flexibleMessage: boolean, path: string): Write {
  const flexible = flexibleMessage && !field.neverFlexible;
  const nullable = includesVersion(field.nullable, version);
  const writeValue = compileTypeWriter(field.type, version, flexible, path);
  const writeNull = nullable ? compileNullWriter(field.type, flexible) : () => {
    throw new UnsupportedVersionError(path, version, "null", "a value");
  };
  // Of all types only a part has no length that could say null: a byte before it does.
  const write: Write = nullable && field.type.kind === "struct"
    ? (writer, value) => {
      writer.writeInt8(1);
      writeValue(writer, value);
    }
    : writeValue;
  const defaultOf = makeDefault(field);
  return (writer, input) => {
    const value = input === undefined ? defaultOf() : input;
    if (value === null) writeNull(writer);
    else write(writer, value);
  };
}

function compileNullWriter(type: FieldType, flexible: boolean): (writer: ByteWriter) => void {
  if (type.kind === "struct") return (writer) => writer.writeInt8(-1);
  if (flexible) return (writer) => writer.writeUnsignedVarint(0);
  if (type.kind === "string") return (writer) => writer.writeInt16(-1);
  return (writer) => writer.writeInt32(-1);
}

function compileTypeWriter(type: FieldType, version: number, flexible: boolean, path: string): Write {
  switch (type.kind) {
    case "array":
      return compileArrayWriter(type.element, version, flexible, path);
    case "struct":
      return compileStructWriter(type.fields, version, flexible, path);
    case "string":
      return flexible ? writeCompactString : (writer, value) => writeString(writer, value as string, path);
    case "bytes":
    case "records":
      return flexible ? writeCompactBytes : writeBytes;
    default:
      return scalarWriters[type.kind] as Write;
  }
}

type Scalars = Omit<ScalarValues, "string" | "bytes" | "records">;

const scalarWriters: {
  readonly [Kind in keyof Scalars & ScalarKind]: (writer: ByteWriter, value: Scalars[Kind]) => void;
} = {
  bool: (writer, value) => writer.writeBool(value),
  int8: (writer, value) => writer.writeInt8(value),
  int16: (writer, value) => writer.writeInt16(value),
  uint16: (writer, value) => writer.writeUint16(value),
  int32: (writer, value) => writer.writeInt32(value),
  int64: (writer, value) => writer.writeInt64(value),
  float64: (writer, value) => writer.writeFloat64(value),
  uuid: writeUuid,
};

function compileArrayWriter(element: FieldType, version: number, flexible: boolean, path: string): Write {
  const write = compileTypeWriter(element, version, flexible, path);
  return (writer, value) => {
    const list = value as readonly unknown[];
    if (flexible) writer.writeUnsignedVarint(list.length + 1);
    else writer.writeInt32(list.length);
    for (let index = 0; index < list.length; index++) write(writer, list[index]);
  };
}

function writeString(writer: ByteWriter, text: string, path: string): void {
  const byteLength = utf8ByteLength(text);
  if (byteLength > INT16_MAX) {
    throw new RangeError(`${path}: a text of ${byteLength} bytes, expected at most ${INT16_MAX}`);
  }
  writer.writeInt16(byteLength);
  writer.writeUtf8(text, byteLength);
}

function writeCompactString(writer: ByteWriter, value: unknown): void {
  const text = value as string;
  const byteLength = utf8ByteLength(text);
  writer.writeUnsignedVarint(byteLength + 1);
  writer.writeUtf8(text, byteLength);
}

function writeBytes(writer: ByteWriter, value: unknown): void {
  writer.writeInt32((value as Uint8Array).length);
  writer.writeBytes(value as Uint8Array);
}

function writeCompactBytes(writer: ByteWriter, value: unknown): void {
  writer.writeUnsignedVarint((value as Uint8Array).length + 1);
  writer.writeBytes(value as Uint8Array);
}
