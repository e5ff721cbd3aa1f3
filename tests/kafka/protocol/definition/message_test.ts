import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../../support/assertions.ts";
import {
  ByteLimitError,
  ByteReader,
  ByteWriter,
  MalformedBytesError,
} from "../../../../src/base/bytes/mod.ts";
import { UnsupportedVersionError } from "../../../../src/kafka/protocol/definition/errors.ts";
import {
  array,
  bytes,
  int16,
  int32,
  int64,
  records,
  string,
  struct,
  uuid,
} from "../../../../src/kafka/protocol/definition/fields.ts";
import {
  defineMessage,
  MESSAGE_ELEMENTS_MAX_DEFAULT,
  type MessageInput,
  type MessageValue,
} from "../../../../src/kafka/protocol/definition/message.ts";
import { ZERO_UUID } from "../../../../src/kafka/protocol/definition/uuid.ts";

/** A bit of everything: flexible from 2 on. */
const sample = defineMessage({
  name: "Sample",
  versions: "0-3",
  flexibleVersions: "2+",
  fields: {
    name: string(),
    note: string({ nullable: "1+", default: "none" }),
    time: int64({ versions: "1+", default: -1n, ignorable: true }),
    limit: int32({ versions: "1+", default: 10 }),
    parts: array({ id: int32(), ids: array(int16()) }, { versions: "1+", nullable: "3+" }),
    topic: uuid({ versions: "3+" }),
    leader: struct({ id: int32({ default: -1 }), epoch: int32({ default: -1 }) }, { versions: "2+", tag: 1 }),
    extra: bytes({ versions: "2+", tag: 0, nullable: "0+", default: null }),
    assigned: struct({ id: int32() }, { versions: "3+", nullable: "0+", default: null }),
    data: records({ versions: "2+", nullable: "0+" }),
  },
});

type Sample = MessageValue<typeof sample>;
type SampleInput = MessageInput<typeof sample>;

function hexOf(input: SampleInput, version: number): string {
  const writer = new ByteWriter();
  sample.write(writer, input, version);
  return writer.written().toHex();
}

function read(hex: string, version: number): Sample {
  const reader = new ByteReader(Uint8Array.fromHex(hex));
  const value = sample.read(reader, version);
  reader.expectEnd("the message");
  return value;
}

const defaults: Sample = {
  name: "",
  note: "none",
  time: -1n,
  limit: 10,
  parts: [],
  topic: ZERO_UUID,
  leader: { id: -1, epoch: -1 },
  extra: null,
  assigned: null,
  data: new Uint8Array(0),
};

Deno.test("Message.write() lays fields out as each version has them", () => {
  const input: SampleInput = { name: "ab", note: "c", limit: 10 };
  assertStrictEquals(hexOf(input, 0), "00026162" + "000163");
  assertStrictEquals(hexOf(input, 1), "00026162" + "000163" + "ff".repeat(8) + "0000000a" + "00000000");
  const flexible = "036162" + "0263" + "ff".repeat(8) + "0000000a" + "01";
  assertStrictEquals(hexOf(input, 2), flexible + "01" + "00");
  assertStrictEquals(hexOf(input, 3), flexible + "00".repeat(16) + "ff" + "01" + "00");
});

Deno.test("Message.write() writes tagged fields by number, and none that has its default", () => {
  const tail = (hex: string) => hex.slice(hexOf({ name: "" }, 2).length - 2);
  assertStrictEquals(tail(hexOf({ name: "", leader: { id: -1, epoch: -1 }, extra: null }, 2)), "00");
  assertStrictEquals(
    tail(hexOf({ name: "", leader: { id: 5 }, extra: new Uint8Array([7]) }, 2)),
    "02" + "00" + "02" + "0207" + "01" + "09" + "00000005ffffffff" + "00",
  );
});

Deno.test("Message.write() moves a tagged field whose size takes more than one byte", () => {
  const extra = new Uint8Array(300).fill(9);
  const hex = hexOf({ name: "", extra }, 2);
  assert(hex.endsWith("01" + "00" + "ae02" + "ad02" + "09".repeat(300)));
  assertEquals(read(hex, 2), { ...defaults, extra });
});

Deno.test("Message.read() gives every field, those of other versions with their defaults", () => {
  assertEquals(read(hexOf({ name: "" }, 0), 0), defaults);
  const names = Object.keys(defaults);
  for (const version of [0, 1, 2, 3]) {
    assertEquals(Object.keys(read(hexOf(defaults, version), version)), names);
  }
});

Deno.test("Message.read() gives each message arrays and parts of its own", () => {
  const hex = hexOf({ name: "" }, 0);
  const first = read(hex, 0);
  first.parts?.push({ id: 1, ids: [] });
  first.leader.id = 4;
  assertEquals(read(hex, 0), defaults);
});

Deno.test("Message.read() gives back what Message.write() took, null and empty told apart", () => {
  const full: Sample = {
    name: "ä".repeat(100),
    note: null,
    time: 2n ** 62n + 1n,
    limit: -5,
    parts: [{ id: 1, ids: [1, -2] }, { id: 2, ids: [] }],
    topic: "_____________________w",
    leader: { id: 1, epoch: 2 },
    extra: new Uint8Array(0),
    assigned: { id: 9 },
    data: new Uint8Array([1, 2, 3]),
  };
  assertEquals(read(hexOf(full, 3), 3), full);
  const nulls = { ...full, parts: null, extra: null, assigned: null, data: null };
  assertEquals(read(hexOf(nulls, 3), 3), nulls);
});

Deno.test("Message.read() gives records and bytes as views of what was received", () => {
  const frame = Uint8Array.fromHex(hexOf({ name: "", data: new Uint8Array([1, 2, 3]) }, 2));
  const { data } = sample.read(new ByteReader(frame), 2);
  assertStrictEquals(data?.buffer, frame.buffer);
});

Deno.test("Message.write() refuses values that a version cannot carry, and drops those to be ignored", () => {
  const refused = (input: SampleInput, version: number, subject: string) =>
    assertThrowsMatching(() => hexOf(input, version), (error) => {
      assert(error instanceof UnsupportedVersionError);
      assertEquals([error.subject, error.version], [subject, version]);
      return true;
    });
  refused({ name: "", limit: 11 }, 0, "Sample.limit");
  refused({ name: "", parts: [{ id: 1, ids: [] }] }, 0, "Sample.parts");
  refused({ name: "", parts: null }, 0, "Sample.parts");
  refused({ name: "", leader: { id: 0 } }, 1, "Sample.leader");
  refused({ name: "", note: null }, 0, "Sample.note");
  refused({ name: "", parts: null }, 2, "Sample.parts");
  assertStrictEquals(hexOf({ name: "", time: 99n }, 0), hexOf({ name: "" }, 0));
});

Deno.test("Message refuses versions that it does not have", () => {
  const writer = new ByteWriter();
  for (const version of [-1, 4, 0.5, NaN]) {
    assertThrows(() => sample.read(new ByteReader(new Uint8Array(9)), version), UnsupportedVersionError);
    assertThrows(() => sample.write(writer, { name: "" }, version), UnsupportedVersionError);
  }
});

Deno.test("Message.write() refuses numbers and texts that do not fit, and stops at the writer's limit", () => {
  assertThrows(() => hexOf({ name: "", limit: 2 ** 31 }, 1), RangeError);
  assertThrows(() => hexOf({ name: "x".repeat(2 ** 15) }, 0), RangeError);
  assertStrictEquals(read(hexOf({ name: "x".repeat(2 ** 15) }, 2), 2).name.length, 2 ** 15);
  const writer = new ByteWriter({ limitBytes: 5 });
  assertThrows(() => sample.write(writer, { name: "abcdef" }, 0), ByteLimitError);
});

Deno.test("Message.read() refuses null where there is none, and lengths below it", () => {
  assertThrows(() => read("ffff" + "0000", 0), MalformedBytesError);
  assertThrows(() => read("0000" + "ffff", 0), MalformedBytesError);
  assertThrows(() => read("0000" + "fffe" + "00".repeat(16), 1), MalformedBytesError);
  assertThrows(() => read("00" + "00".repeat(40), 2), MalformedBytesError);
});

Deno.test("Message.read() compares a count with the bytes that are left before it makes an array", () => {
  const before = "0000" + "0000" + "00".repeat(12);
  // Each part takes at least 8 bytes: two fit into 16, three do not, whatever follows.
  assertStrictEquals(read(before + "00000002" + "00".repeat(16), 1).parts?.length, 2);
  for (const count of ["00000003", "7fffffff"]) {
    assertMalformed(() => read(before + count + "00".repeat(16), 1), "at least 8 bytes for each");
  }
  for (const count of ["fffffffe", "ffffffff"]) {
    assertMalformed(() => read(before + count + "00".repeat(16), 1), "a length");
  }
});

Deno.test("Message.read() refuses more elements than its limit, those of all arrays together", () => {
  const parts = [{ id: 1, ids: [1, 2] }, { id: 2, ids: [3] }];
  const bytes = Uint8Array.fromHex(hexOf({ name: "", parts }, 1));
  assertEquals(sample.read(new ByteReader(bytes), 1, { elementsMax: 5 }).parts, parts);
  for (const elementsMax of [0, 1, 2, 4]) {
    assertMalformed(
      () => sample.read(new ByteReader(bytes), 1, { elementsMax }),
      "a message within its limit",
    );
  }
  // Each message has the limit anew, also after one that was refused.
  assertEquals(sample.read(new ByteReader(bytes), 1, { elementsMax: 5 }).parts, parts);
});

Deno.test("Message.read() has a limit of elements where none is given", () => {
  const writer = new ByteWriter();
  const ids: number[] = new Array(MESSAGE_ELEMENTS_MAX_DEFAULT - 1).fill(0);
  sample.write(writer, { name: "", parts: [{ id: 1, ids }] }, 1);
  assertStrictEquals(sample.read(new ByteReader(writer.written()), 1).parts?.[0].ids.length, ids.length);
  ids.push(0);
  writer.clear();
  sample.write(writer, { name: "", parts: [{ id: 1, ids }] }, 1);
  assertMalformed(() => sample.read(new ByteReader(writer.written()), 1), "a message within its limit");
});

Deno.test("Message.read() passes over tagged fields that it does not know", () => {
  const known = hexOf({ name: "" }, 2).slice(0, -2);
  const unknown = "05" + "02" + "abcd" + "ffffffff0f" + "00";
  assertEquals(read(`${known}02${unknown}`, 2), defaults);
  assertEquals(read(`${known}03` + "00" + "02" + "0207" + unknown, 2).extra, new Uint8Array([7]));
});

Deno.test("Message.read() refuses tagged fields whose sizes lie", () => {
  const known = hexOf({ name: "" }, 2).slice(0, -2);
  const part = "0000000000000000" + "00";
  assertStrictEquals(read(`${known}0101` + "09" + part, 2).leader.id, 0);
  // Shorter than the part, longer than it, longer than the message, more fields than bytes.
  assertMalformed(() => read(`${known}0101` + "08" + part, 2), "unsigned varint");
  assertMalformed(() => read(`${known}0101` + "0a" + part + "00", 2), "the end of tagged field 1");
  assertMalformed(() => read(`${known}0101` + "7f" + part, 2), "at most 9 bytes of a part");
  assertMalformed(() => read(`${known}0105` + "7f" + part, 2), "at most 9 bytes to pass over");
  assertMalformed(() => read(`${known}ffffffff0f` + part, 2), "at least 2 bytes for each");
});

/** The one error, at the place that is meant: what follows a mistake would be refused as well. */
function assertMalformed(body: () => unknown, expected: string): void {
  assertThrowsMatching(body, (error) => {
    assert(error instanceof MalformedBytesError);
    assertStrictEquals(error.expected, expected);
    return true;
  });
}

Deno.test("Types follow from a definition: what may be left out, what may be null", () => {
  const input: SampleInput = { name: "" };
  const value: Sample = defaults;
  const again: SampleInput = value;
  const time: bigint = value.time;
  const note: string | null = value.note;
  const ids: number[] | undefined = value.parts?.[0]?.ids;
  // @ts-expect-error a field of all versions without a default is required
  const missing: SampleInput = {};
  // @ts-expect-error and never null
  const nothing: SampleInput = { name: null };
  // @ts-expect-error an offset is a bigint
  const wrong: SampleInput = { name: "", time: 1 };
  assert([input, again, time, note, ids, missing, nothing, wrong].length === 8);
});
