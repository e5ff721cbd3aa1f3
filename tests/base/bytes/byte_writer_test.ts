import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { ByteLimitError, ByteWriter } from "../../../src/base/bytes/mod.ts";

function bytesOf(write: (writer: ByteWriter) => void): number[] {
  const writer = new ByteWriter({ capacityBytes: 0 });
  write(writer);
  return [...writer.written()];
}

Deno.test("ByteWriter writes numbers of fixed width, big-endian", () => {
  assertEquals(bytesOf((writer) => writer.writeBool(true)), [1]);
  assertEquals(bytesOf((writer) => writer.writeInt8(-2)), [0xfe]);
  assertEquals(bytesOf((writer) => writer.writeUint8(0xfe)), [0xfe]);
  assertEquals(bytesOf((writer) => writer.writeInt16(-2)), [0xff, 0xfe]);
  assertEquals(bytesOf((writer) => writer.writeUint16(0xfffe)), [0xff, 0xfe]);
  assertEquals(bytesOf((writer) => writer.writeInt32(-2)), [0xff, 0xff, 0xff, 0xfe]);
  assertEquals(bytesOf((writer) => writer.writeUint32(2 ** 32 - 2)), [0xff, 0xff, 0xff, 0xfe]);
  assertEquals(bytesOf((writer) => writer.writeInt64(-2n)), [255, 255, 255, 255, 255, 255, 255, 254]);
  assertEquals(bytesOf((writer) => writer.writeInt64FromNumber(-2)), [
    255,
    255,
    255,
    255,
    255,
    255,
    255,
    254,
  ]);
  assertEquals(bytesOf((writer) => writer.writeFloat64(1.5)), [0x3f, 0xf8, 0, 0, 0, 0, 0, 0]);
});

Deno.test("ByteWriter writes varints in as few bytes as there are", () => {
  const lengths = [[0, 1], [0x7f, 1], [0x80, 2], [0x3fff, 2], [0x4000, 3], [2 ** 28 - 1, 4], [2 ** 28, 5]];
  for (const [value, length] of lengths) {
    assertStrictEquals(bytesOf((writer) => writer.writeUnsignedVarint(value)).length, length);
  }
  assertEquals(bytesOf((writer) => writer.writeUnsignedVarint(300)), [0xac, 0x02]);
  assertEquals([0, -1, 1, -2].map((value) => bytesOf((writer) => writer.writeVarint(value))[0]), [
    0,
    1,
    2,
    3,
  ]);
  assertEquals(bytesOf((writer) => writer.writeVarlong(-(2 ** 31))), [0xff, 0xff, 0xff, 0xff, 0x0f]);
});

Deno.test("ByteWriter refuses numbers that do not fit their type, and writes nothing of them", () => {
  const writer = new ByteWriter();
  for (const value of [128, -129, 0.5, NaN]) assertThrows(() => writer.writeInt8(value), RangeError);
  for (const value of [256, -1]) assertThrows(() => writer.writeUint8(value), RangeError);
  for (const value of [2 ** 15, -(2 ** 15) - 1]) assertThrows(() => writer.writeInt16(value), RangeError);
  for (const value of [2 ** 16, -1]) assertThrows(() => writer.writeUint16(value), RangeError);
  for (const value of [2 ** 31, -(2 ** 31) - 1, 0.5]) {
    assertThrows(() => writer.writeInt32(value), RangeError);
    assertThrows(() => writer.writeVarint(value), RangeError);
  }
  for (const value of [2 ** 32, -1]) {
    assertThrows(() => writer.writeUint32(value), RangeError);
    assertThrows(() => writer.writeUnsignedVarint(value), RangeError);
  }
  for (const value of [2n ** 63n, -(2n ** 63n) - 1n]) {
    assertThrows(() => writer.writeInt64(value), RangeError);
  }
  for (const value of [2 ** 53, -(2 ** 53), 0.5]) {
    assertThrows(() => writer.writeInt64FromNumber(value), RangeError);
    assertThrows(() => writer.writeVarlong(value), RangeError);
  }
  assertStrictEquals(writer.length, 0);
});

Deno.test("ByteWriter grows up to its limit, and not a byte further", () => {
  const writer = new ByteWriter({ capacityBytes: 1, limitBytes: 10 });
  for (let index = 0; index < 10; index++) writer.writeUint8(index);
  assertThrowsMatching(() => writer.writeUint8(10), (error) => {
    assert(error instanceof ByteLimitError);
    assertEquals([error.limitBytes, error.neededBytes], [10, 11]);
    return true;
  });
  assertEquals([...writer.written()], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assertStrictEquals(writer.written().buffer.byteLength, 10);
  writer.clear();
  assertThrows(() => writer.writeBytes(new Uint8Array(11)), ByteLimitError);
  assertThrows(() => writer.writeUtf8("eleven char"), ByteLimitError);
});

Deno.test("ByteWriter refuses sizes that mean nothing", () => {
  for (const limitBytes of [-1, 0.5, NaN, 2 ** 31]) {
    assertThrows(() => new ByteWriter({ limitBytes }), RangeError);
  }
  assertThrows(() => new ByteWriter({ capacityBytes: 2, limitBytes: 1 }), RangeError);
});

Deno.test("ByteWriter.insertUnsignedVarintLength() moves what it is the length of", () => {
  for (const size of [0, 1, 127, 128, 20_000]) {
    const part = Uint8Array.from({ length: size }, (_, index) => index);
    const written = bytesOf((writer) => {
      writer.writeUint8(7);
      const start = writer.length;
      writer.writeBytes(part);
      writer.insertUnsignedVarintLength(start);
      writer.writeUint8(8);
    });
    const expected = bytesOf((writer) => {
      writer.writeUint8(7);
      writer.writeUnsignedVarint(size);
      writer.writeBytes(part);
      writer.writeUint8(8);
    });
    assertEquals(written, expected);
  }
});

Deno.test("ByteWriter.setInt32() writes over what is written", () => {
  const writer = new ByteWriter();
  writer.writeInt32(0);
  writer.writeInt8(5);
  writer.setInt32(0, -2);
  assertEquals([...writer.written()], [255, 255, 255, 254, 5]);
  assertThrows(() => writer.setInt32(2, 0));
});
