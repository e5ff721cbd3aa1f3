import { parseVersions, type VersionRange, type Versions } from "./versions.ts";
import { ZERO_UUID } from "./uuid.ts";

/** What a value of each kind without parts is in TypeScript. */
export interface ScalarValues {
  bool: boolean;
  int8: number;
  int16: number;
  uint16: number;
  int32: number;
  /** Exact: an offset, an identifier or a time may be any int64 that a peer likes. */
  int64: bigint;
  float64: number;
  string: string;
  /** 16 bytes in Kafka's own text form: base64url, 22 digits. */
  uuid: string;
  /** A view of what was read; never a copy. */
  bytes: Uint8Array;
  /** Record batches, one after another, as they lie: a view of what was read; never a copy. */
  records: Uint8Array;
}

/** The kinds without parts. */
export type ScalarKind = keyof ScalarValues;

/** How a value lies in bytes. */
export type FieldType =
  | { readonly kind: ScalarKind }
  | { readonly kind: "array"; readonly element: FieldType }
  | { readonly kind: "struct"; readonly fields: Fields };

/** The fields of a message or of a part of one, in their order on the wire. */
export type Fields = Readonly<Record<string, Field>>;

/**
 * One field in all its versions. `Value` is what reading gives, `Input` what writing takes, and `Optional`
 * whether writing may leave it out.
 */
export interface Field<Value = unknown, Input = unknown, Optional extends boolean = boolean> {
  readonly type: FieldType;
  /** Versions of the message that have it. */
  readonly versions: VersionRange;
  /** Versions in which it may be null. */
  readonly nullable: VersionRange;
  /** What it is where it is not there. `undefined` for an array or a part that is not null then. */
  readonly default: unknown;
  /** Whether a value for it is dropped, in place of refused, when a version without it is written. */
  readonly ignorable: boolean;
  /** Its number among the tagged fields, or null for one that is always there. */
  readonly tag: number | null;
  /** Whether it lies as in versions that are not flexible, always. */
  readonly neverFlexible: boolean;
  /** Never set: carries the types. */
  readonly types?: { readonly value: Value; readonly input: Input; readonly optional: Optional };
}

/** Options of every field. */
export interface FieldOptions<Value> {
  /** @default all versions of the message */
  readonly versions?: Versions;
  /** Versions in which it may be null. @default none */
  readonly nullable?: Versions;
  /** @default false, 0, an empty text, array or part, the zero UUID */
  readonly default?: Value | null;
  /** Whether a value is dropped, in place of refused, when a version without it is written. @default false */
  readonly ignorable?: true;
  /** Makes it a tagged field of that number. */
  readonly tag?: number;
  /** For the one field of headers that has to be read before the versions are known. @default false */
  readonly neverFlexible?: true;
}

type ValueWith<Value, Options> = Options extends { nullable: string } ? Value | null : Value;
type OptionalWith<Options> = Options extends { versions: string } | { default: unknown } | { tag: number }
  ? true
  : false;
type NoOptions = Record<never, never>;

/** A message as it is read: every field is there, one that its version does not have with its default. */
export type ValueOf<Parts extends Fields> = {
  -readonly [Name in keyof Parts]: Parts[Name] extends Field<infer Value, unknown, boolean> ? Value : never;
};

type OptionalNames<Parts extends Fields> = {
  [Name in keyof Parts]: Parts[Name] extends Field<unknown, unknown, true> ? Name : never;
}[keyof Parts];

/** A message to be written: fields with a default of their own, or not of all versions, may be left out. */
export type InputOf<Parts extends Fields> =
  & { readonly [Name in Exclude<keyof Parts, OptionalNames<Parts>>]: FieldInput<Parts[Name]> }
  & { readonly [Name in OptionalNames<Parts>]?: FieldInput<Parts[Name]> };

type FieldInput<Part> = Part extends Field<unknown, infer Input, boolean> ? Input : never;

type ScalarField<Value, Options> = Field<
  ValueWith<Value, Options>,
  ValueWith<Value, Options>,
  OptionalWith<Options>
>;

type ScalarFactory<Value> = <const Options extends FieldOptions<Value> = NoOptions>(
  options?: Options,
) => ScalarField<Value, Options>;

/** The value of a field that nothing says anything about. */
const scalarDefaults: ScalarValues = {
  bool: false,
  int8: 0,
  int16: 0,
  uint16: 0,
  int32: 0,
  int64: 0n,
  float64: 0,
  string: "",
  uuid: ZERO_UUID,
  bytes: new Uint8Array(0),
  records: new Uint8Array(0),
};

function scalar<Kind extends ScalarKind>(kind: Kind): ScalarFactory<ScalarValues[Kind]> {
  return (options) => makeField({ kind }, options, scalarDefaults[kind]);
}

/** True or false, in 1 byte. */
export const bool: ScalarFactory<boolean> = scalar("bool");
/** A signed number of 1 byte. */
export const int8: ScalarFactory<number> = scalar("int8");
/** A signed number of 2 bytes. */
export const int16: ScalarFactory<number> = scalar("int16");
/** An unsigned number of 2 bytes. */
export const uint16: ScalarFactory<number> = scalar("uint16");
/** A signed number of 4 bytes. */
export const int32: ScalarFactory<number> = scalar("int32");
/** A signed number of 8 bytes, as a `bigint`. */
export const int64: ScalarFactory<bigint> = scalar("int64");
/** A floating-point number of 8 bytes. */
export const float64: ScalarFactory<number> = scalar("float64");
/** Text in UTF-8, after its length in bytes. */
export const string: ScalarFactory<string> = scalar("string");
/** An identifier of 16 bytes. */
export const uuid: ScalarFactory<string> = scalar("uuid");
/** Bytes after their length. */
export const bytes: ScalarFactory<Uint8Array> = scalar("bytes");
/** Record batches after their length in bytes. */
export const records: ScalarFactory<Uint8Array> = scalar("records");

type ArrayOptions = Omit<FieldOptions<never>, "default"> & { readonly default?: null };

type ElementValue<Element> = Element extends Field<infer Value, unknown, boolean> ? Value
  : Element extends Fields ? ValueOf<Element>
  : never;

type ElementInput<Element> = Element extends Field<unknown, infer Input, boolean> ? Input
  : Element extends Fields ? InputOf<Element>
  : never;

/** Elements after their count: each a scalar, such as `int32()`, or a part of the fields that are given. */
export function array<
  const Element extends Field<unknown, unknown, false> | Fields,
  const Options extends ArrayOptions = NoOptions,
>(
  element: Element,
  options?: Options,
): Field<
  ValueWith<ElementValue<Element>[], Options>,
  ValueWith<readonly ElementInput<Element>[], Options>,
  OptionalWith<Options>
> {
  return makeField(
    { kind: "array", element: isField(element) ? element.type : structType(element) },
    options,
  );
}

/** A part with fields of its own, one after another without anything around them. */
export function struct<const Parts extends Fields, const Options extends ArrayOptions = NoOptions>(
  parts: Parts,
  options?: Options,
): Field<ValueWith<ValueOf<Parts>, Options>, ValueWith<InputOf<Parts>, Options>, OptionalWith<Options>> {
  return makeField(structType(parts), options);
}

function structType(fields: Fields): FieldType {
  return { kind: "struct", fields };
}

function isField(element: Field | Fields): element is Field {
  return typeof (element as Partial<Field>).type?.kind === "string";
}

function makeField(
  type: FieldType,
  options: FieldOptions<unknown> = {},
  defaultValue?: unknown,
): Field<never, never, never> {
  return {
    type,
    versions: parseVersions(options.versions ?? "0+"),
    nullable: parseVersions(options.nullable ?? "none"),
    default: options.default === undefined ? defaultValue : options.default,
    ignorable: options.ignorable ?? false,
    tag: options.tag ?? null,
    neverFlexible: options.neverFlexible ?? false,
  };
}
