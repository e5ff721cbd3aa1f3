import { assert, assertEquals, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { ByteReader, ByteWriter, MalformedBytesError } from "../../../src/base/bytes/mod.ts";
import { InvariantError, SeededRandom } from "../../../src/base/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";

const readerOf = (...bytes: number[]) => new ByteReader(new Uint8Array(bytes));

Deno.test("ByteReader reads numbers of fixed width, big-endian, at their limits", () => {
  assertStrictEquals(readerOf(0x80).readInt8(), -128);
  assertStrictEquals(readerOf(0xff).readUint8(), 255);
  assertStrictEquals(readerOf(0x7f, 0xff).readInt16(), 32767);
  assertStrictEquals(readerOf(0x80, 0x01).readUint16(), 32769);
  assertStrictEquals(readerOf(0x80, 0, 0, 0).readInt32(), -(2 ** 31));
  assertStrictEquals(readerOf(0xff, 0xff, 0xff, 0xfe).readUint32(), 2 ** 32 - 2);
  assertStrictEquals(readerOf(0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff).readInt64(), 2n ** 63n - 1n);
  assertStrictEquals(readerOf(0x3f, 0xf8, 0, 0, 0, 0, 0, 0).readFloat64(), 1.5);
  assertEquals([0, 1, 2, 255].map((byte) => readerOf(byte).readBool()), [false, true, true, true]);
});

Deno.test("ByteReader.readInt64AsNumber() refuses what a number does not hold", () => {
  const read = (value: bigint) => {
    const writer = new ByteWriter();
    writer.writeInt64(value);
    return new ByteReader(writer.written()).readInt64AsNumber();
  };
  const limit = 2n ** 53n - 1n;
  for (const value of [0n, -1n, 2n ** 32n, -(2n ** 32n), limit, -limit]) {
    assertStrictEquals(read(value), Number(value));
  }
  for (const value of [limit + 1n, -limit - 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    assertThrows(() => read(value), MalformedBytesError);
  }
});

Deno.test("ByteReader reads the varints that Protocol Buffers and Kafka document", () => {
  // https://protobuf.dev/programming-guides/encoding/: 150 and the table of zigzag.
  assertStrictEquals(readerOf(0x96, 0x01).readUnsignedVarint(), 150);
  assertStrictEquals(readerOf(0xff, 0xff, 0xff, 0xff, 0x0f).readUnsignedVarint(), 2 ** 32 - 1);
  assertEquals([0, 1, 2, 3].map((byte) => readerOf(byte).readVarint()), [0, -1, 1, -2]);
  assertStrictEquals(readerOf(0xfe, 0xff, 0xff, 0xff, 0x0f).readVarint(), 2 ** 31 - 1);
  assertStrictEquals(readerOf(0xff, 0xff, 0xff, 0xff, 0x0f).readVarint(), -(2 ** 31));
  assertStrictEquals(readerOf(0xff, 0xff, 0xff, 0xff, 0x0f).readVarlong(), -(2 ** 31));
});

Deno.test("ByteReader refuses varints of too many bytes or bits", () => {
  assertThrows(() => readerOf(0xff, 0xff, 0xff, 0xff, 0x10).readUnsignedVarint(), MalformedBytesError);
  assertThrows(() => readerOf(0x80, 0x80, 0x80, 0x80, 0x80, 0).readUnsignedVarint(), MalformedBytesError);
  const longest = new Array(9).fill(0xff);
  // 2^63 - 1 and -2^63 are 64-bit values, but no numbers.
  assertThrows(() => readerOf(0xfe, ...longest.slice(1), 0x01).readVarlong(), MalformedBytesError);
  assertThrows(() => readerOf(...longest, 0x02).readVarlong(), MalformedBytesError);
  assertThrows(() => readerOf(...longest, 0x80, 0).readVarlong(), MalformedBytesError);
});

Deno.test("ByteReader gives back every varint that ByteWriter wrote, of every length", async () => {
  const edges: number[] = [];
  for (let bits = 0; bits <= 53; bits++) {
    for (const value of [2 ** bits - 1, 2 ** bits, -(2 ** bits), 1 - 2 ** bits]) {
      if (Number.isSafeInteger(value)) edges.push(value);
    }
  }
  for (const value of edges) checkVarints(value);
  const [seed] = testSeeds(1);
  await withSeed(seed, () => {
    const random = new SeededRandom(seed);
    for (let index = 0; index < 1000; index++) {
      const value = Math.floor(random.float() * 2 ** random.below(53));
      checkVarints(random.below(2) === 0 ? value : -value);
    }
  });
});

function checkVarints(value: number): void {
  const writer = new ByteWriter();
  writer.writeVarlong(value);
  writer.writeInt64FromNumber(value);
  writer.writeVarint(value | 0);
  writer.writeUnsignedVarint(value >>> 0);
  const reader = new ByteReader(writer.written());
  // `+ 0` makes minus zero zero, which is all that bytes can say.
  assertStrictEquals(reader.readVarlong(), value + 0);
  assertStrictEquals(reader.readInt64AsNumber(), value + 0);
  assertStrictEquals(reader.readVarint(), value | 0);
  assertStrictEquals(reader.readUnsignedVarint(), value >>> 0);
  reader.expectEnd("the test");
}

Deno.test("ByteReader says where it stopped and what it expected", () => {
  const reader = readerOf(1, 2, 3);
  reader.skip(1);
  try {
    reader.readInt32();
    fail("no error");
  } catch (error) {
    assert(error instanceof MalformedBytesError);
    assertStrictEquals(error.position, 1);
    assertStrictEquals(error.expected, "int32");
    assertStrictEquals(error.message, "ByteReader: the end after 2 bytes at position 1, expected int32");
  }
  // What failed was not taken.
  assertStrictEquals(reader.readInt16(), 0x0203);
});

Deno.test("ByteReader throws for every read beyond its range, and reads nothing after it", () => {
  const bytes = new Uint8Array(32).fill(0x80);
  const reads: ((reader: ByteReader) => unknown)[] = [
    (reader) => reader.readBool(),
    (reader) => reader.readInt8(),
    (reader) => reader.readUint8(),
    (reader) => reader.readInt16(),
    (reader) => reader.readUint16(),
    (reader) => reader.readInt32(),
    (reader) => reader.readUint32(),
    (reader) => reader.readInt64(),
    (reader) => reader.readInt64AsNumber(),
    (reader) => reader.readFloat64(),
    (reader) => reader.readUnsignedVarint(),
    (reader) => reader.readVarint(),
    (reader) => reader.readVarlong(),
    (reader) => reader.readBytes(1),
    (reader) => reader.readUtf8(1),
    (reader) => reader.skip(1),
    (reader) => reader.narrow(1),
  ];
  for (const read of reads) assertThrows(() => read(new ByteReader(bytes, 4, 4)), MalformedBytesError);
});

Deno.test("ByteReader refuses lengths that are not there: negative, too long, no number", () => {
  for (const length of [-1, 4, 2 ** 31, NaN, Infinity]) {
    assertThrows(() => readerOf(1, 2, 3).readBytes(length), MalformedBytesError);
    assertThrows(() => readerOf(1, 2, 3).readUtf8(length), MalformedBytesError);
    assertThrows(() => readerOf(1, 2, 3).skip(length), MalformedBytesError);
    assertThrows(() => readerOf(1, 2, 3).narrow(length), MalformedBytesError);
  }
});

Deno.test("ByteReader.readBytes() gives a view, not a copy", () => {
  const bytes = new Uint8Array([0, 1, 2, 3]);
  const view = new ByteReader(bytes.subarray(1), 1).readBytes(2);
  assertEquals([...view], [2, 3]);
  bytes[2] = 9;
  assertStrictEquals(view[0], 9);
});

Deno.test("ByteReader.narrow() ends the range early, widen() restores it", () => {
  const reader = readerOf(1, 2, 3);
  const end = reader.narrow(1);
  assertStrictEquals(reader.remaining, 1);
  assertThrows(() => reader.readInt16(), MalformedBytesError);
  reader.skip(1);
  reader.expectEnd("a part");
  reader.widen(end);
  assertStrictEquals(reader.remaining, 2);
  assertThrows(() => reader.expectEnd("the whole"), MalformedBytesError);
});

Deno.test("ByteReader.rewind() goes back, never ahead", () => {
  const reader = readerOf(1, 2, 3);
  reader.skip(2);
  reader.rewind(1);
  assertStrictEquals(reader.readInt16(), 0x0203);
  assertThrows(() => reader.rewind(4), InvariantError);
});

Deno.test("ByteReader.reset() reads another range, of the same bytes or of others", () => {
  const bytes = new Uint8Array([1, 2, 3, 4]);
  const reader = new ByteReader(bytes, 0, 2);
  reader.reset(bytes, 2);
  assertStrictEquals(reader.readInt16(), 0x0304);
  reader.reset(new Uint8Array([7]).subarray(0));
  assertStrictEquals(reader.readInt8(), 7);
  for (const [start, end] of [[-1, 2], [3, 2], [0, 5], [0.5, 2]]) {
    assertThrows(() => reader.reset(bytes, start, end), RangeError);
    assertThrows(() => new ByteReader(bytes, start, end), RangeError);
  }
});
