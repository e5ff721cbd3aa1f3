import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import type { Field, Fields, FieldType } from "../../../src/kafka/protocol/definition/fields.ts";
import { ZERO_UUID } from "../../../src/kafka/protocol/definition/uuid.ts";
import {
  includesVersion,
  parseVersions,
  type Versions,
} from "../../../src/kafka/protocol/definition/versions.ts";
import { comparable, messageOf, messagesByName, readFixtureLines } from "../../support/kafka_fixtures.ts";

/** A field in the JSON of Kafka's client jar. */
interface KafkaField {
  readonly name: string;
  readonly type: string;
  readonly versions?: Versions;
  readonly taggedVersions?: Versions;
  readonly nullableVersions?: Versions;
  readonly flexibleVersions?: Versions;
  readonly tag?: number;
  readonly default?: string | number | boolean;
  readonly ignorable?: boolean;
  readonly fields?: readonly KafkaField[];
}

interface KafkaStruct {
  readonly name: string;
  readonly fields: readonly KafkaField[];
}

interface KafkaDefinition extends KafkaStruct {
  readonly type: string;
  readonly apiKey?: number;
  readonly validVersions: Versions;
  readonly flexibleVersions: Versions;
  readonly commonStructs?: readonly KafkaStruct[];
}

/** A field in one version: what both sides are brought to. */
type Described = Record<string, unknown>;

const definitions = await readFixtureLines<KafkaDefinition>("definitions.jsonl.gz");

Deno.test("Definitions say of every version what those in Kafka's client jar say", () => {
  const compared = new Set<string>();
  for (const definition of definitions) {
    const message = messageOf(ourName(definition));
    const theirs = parseVersions(definition.validVersions);
    // Keys of internal topics: their number stands where a version does.
    const added = definition.type === "coordinator-key" ? definition.apiKey ?? 0 : 0;
    for (let version = message.versions.min; version <= message.versions.max; version++) {
      if (!includesVersion(theirs, version - added)) continue;
      const label = `${message.name} ${version}`;
      compared.add(label);
      const flexible = includesVersion(parseVersions(definition.flexibleVersions), version - added);
      assertStrictEquals(message.isFlexible(version), flexible, label);
      assertEquals(
        describeOurs(message.fields, version),
        describeTheirs(definition.fields, version - added, definition.commonStructs ?? []),
        label,
      );
    }
  }
  for (const { name, versions } of messagesByName.values()) {
    for (let version = versions.min; version <= versions.max; version++) {
      assert(compared.has(`${name} ${version}`), `${name} ${version} is not in the jar`);
    }
  }
});

Deno.test("Definitions ignore on writing what those in Kafka's client jar ignore", () => {
  let count = 0;
  for (const definition of definitions) {
    count += checkIgnorable(
      messageOf(ourName(definition)).fields,
      definition.fields,
      definition.commonStructs ?? [],
      definition.name,
    );
  }
  assert(count > 100);
});

function ourName(definition: KafkaDefinition): string {
  return definition.name.replace("Legacy", "");
}

/** Kafka's names begin with a capital letter or not, as it happens; ours never do. */
function lower(name: string): string {
  return name[0].toLowerCase() + name.slice(1);
}

function versionsOf(field: KafkaField): Versions {
  return field.versions ?? field.taggedVersions ?? "none";
}

function fieldsOf(field: KafkaField, structs: readonly KafkaStruct[]): readonly KafkaField[] | undefined {
  const name = field.type.replace("[]", "");
  return field.fields ?? structs.find((struct) => struct.name === name)?.fields;
}

function describeTheirs(
  fields: readonly KafkaField[],
  version: number,
  structs: readonly KafkaStruct[],
): Described[] {
  return fields.filter((field) => includesVersion(parseVersions(versionsOf(field)), version)).map((field) => {
    const parts = fieldsOf(field, structs);
    const isArray = field.type.startsWith("[]");
    return {
      name: lower(field.name),
      type: parts === undefined ? field.type : isArray ? "[]" : "struct",
      nullable: includesVersion(parseVersions(field.nullableVersions ?? "none"), version),
      tag: field.tag ?? null,
      neverFlexible: field.flexibleVersions === "none",
      default: defaultOfTheirs(field),
      fields: parts && describeTheirs(parts, version, structs),
    };
  });
}

function defaultOfTheirs({ type, default: value = "" }: KafkaField): unknown {
  if (value === "null") return null;
  switch (type) {
    case "string":
      return value;
    case "bool":
      return String(value) === "true";
    case "int64":
      return `${BigInt(value)}n`;
    case "int8":
    case "int16":
    case "uint16":
    case "int32":
    case "float64":
      return Number(value);
    case "uuid":
      return ZERO_UUID;
    case "bytes":
    case "records":
      return "0x";
    default:
      return undefined;
  }
}

function describeOurs(fields: Fields, version: number): Described[] {
  return Object.entries(fields).filter(([, field]) => includesVersion(field.versions, version)).map(
    ([name, field]) => {
      const parts = structFields(field.type);
      return {
        name,
        type: typeName(field.type),
        nullable: includesVersion(field.nullable, version),
        tag: field.tag,
        neverFlexible: field.neverFlexible,
        default: comparable(field.default),
        fields: parts && describeOurs(parts, version),
      };
    },
  );
}

function structFields(type: FieldType): Fields | undefined {
  if (type.kind === "array") return structFields(type.element);
  return type.kind === "struct" ? type.fields : undefined;
}

function typeName(type: FieldType): string {
  if (type.kind !== "array") return type.kind;
  return type.element.kind === "struct" ? "[]" : `[]${type.element.kind}`;
}

/** Compares each field that one of our versions does not have; gives how many there were. */
function checkIgnorable(
  ours: Fields,
  theirs: readonly KafkaField[],
  structs: readonly KafkaStruct[],
  path: string,
): number {
  let count = 0;
  for (const [name, field] of Object.entries(ours)) {
    const kafka: KafkaField | undefined = theirs.find((candidate) => lower(candidate.name) === name);
    assert(kafka, `${path}.${name}`);
    if (isOfSomeVersions(field)) {
      count++;
      assertStrictEquals(field.ignorable, kafka.ignorable ?? false, `${path}.${name}`);
    }
    const parts = structFields(field.type);
    if (parts) count += checkIgnorable(parts, fieldsOf(kafka, structs) ?? [], structs, `${path}.${name}`);
  }
  return count;
}

function isOfSomeVersions(field: Field): boolean {
  const all = parseVersions("0+");
  return field.versions.min !== all.min || field.versions.max !== all.max;
}
