import { assert, assertEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../../support/assertions.ts";
import { Buffer } from "node:buffer";
import { messagePackPayload, unpackMessagePack } from "../../../../src/base/value/payload/mod.ts";

const VALUES: unknown[] = [
  null,
  true,
  0,
  -1,
  127,
  -33,
  200,
  -200,
  60_000,
  -30_000,
  2 ** 31,
  -(2 ** 31),
  2 ** 40,
  -(2 ** 40),
  1.5,
  "",
  "short",
  "ü".repeat(20),
  "x".repeat(300),
  "x".repeat(70_000),
  new Uint8Array(3),
  new Uint8Array(300),
  new Uint8Array(70_000),
  [],
  [[[[]]]],
  Array.from({ length: 20 }, (_, index) => index),
  Array.from({ length: 70_000 }, () => 1),
  {},
  { a: { b: [{ c: null }] } },
  Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, index])),
  Object.fromEntries(Array.from({ length: 66_000 }, (_, index) => [`k${index}`, index])),
  new Date(1.5e12),
  new Date(1.5e12 + 1),
  new Date(1e14),
];

Deno.test("unpackMessagePack() gives what messagePackPayload() was given, wherever the bytes lie", () => {
  for (const value of [...VALUES, VALUES]) {
    const packed = messagePackPayload(value);
    assertEquals(unpackMessagePack(packed), value);
    const within = new Uint8Array(packed.length + 20).fill(0xdd);
    within.set(packed, 7);
    assertEquals(unpackMessagePack(within.subarray(7, 7 + packed.length)), value);
  }
});

Deno.test("unpackMessagePack() takes all formats of the specification, also those that nobody writes here", () => {
  const formats: [hex: string, value: unknown][] = [
    ["ca3fc00000", 1.5],
    ["cf0000000000000001", 1],
    ["d3ffffffffffffffff", -1],
    ["d90161", "a"],
    ["da000161", "a"],
    ["db0000000161", "a"],
    ["c40107", new Uint8Array([7])],
    ["c5000107", new Uint8Array([7])],
    ["c60000000107", new Uint8Array([7])],
    ["dc000101", [1]],
    ["dd0000000101", [1]],
    ["de0001a16101", { a: 1 }],
    ["df00000001a16101", { a: 1 }],
  ];
  for (const [hex, value] of formats) {
    assertEquals(unpackMessagePack(new Uint8Array(Buffer.from(hex, "hex"))), value, hex);
  }
  // Extensions of types that are not known.
  for (
    const hex of ["d40507", "d5050707", "d60507070707", `d705${"07".repeat(8)}`, `d805${"07".repeat(16)}`]
  ) {
    unpackMessagePack(new Uint8Array(Buffer.from(hex, "hex")));
  }
  for (const hex of ["c7010507", "c800010507", "c9000000010507"]) {
    unpackMessagePack(new Uint8Array(Buffer.from(hex, "hex")));
  }
});

Deno.test("unpackMessagePack() refuses each beginning of a value, and what goes on behind it", () => {
  for (
    const value of [...VALUES.filter((value) => messagePackPayload(value).length < 100), VALUES.slice(0, 18)]
  ) {
    const packed = messagePackPayload(value);
    for (let byteLength = 0; byteLength < packed.length; byteLength++) {
      assertThrows(() => unpackMessagePack(packed.subarray(0, byteLength)), RangeError);
    }
    assertThrows(() => unpackMessagePack(new Uint8Array([...packed, 0])), RangeError);
  }
});

Deno.test("unpackMessagePack() makes no room for values that are not there", () => {
  const expected = { name: "RangeError", message: "MessagePack: it ends before all of its values" };
  // With room made for each, this would be more memory than machines have.
  const many = [0xdd, 0x06, 0, 0, 0];
  for (
    const bytes of [many, Array.from({ length: 1000 }, () => many).flat(), [0xdf, 0xff, 0xff, 0xff, 0xff, 0]]
  ) {
    assertThrowsMatching(() => unpackMessagePack(new Uint8Array(bytes)), expected);
  }
  // As many as there are bytes, level by level.
  const levels = new Uint8Array(100_000);
  const view = new DataView(levels.buffer);
  for (let at = 0; at + 5 <= levels.length; at += 5) {
    levels[at] = 0xdd;
    view.setUint32(at + 1, levels.length - at - 5);
  }
  assertThrowsMatching(() => unpackMessagePack(levels), expected);
});

Deno.test("unpackMessagePack() takes any bytes", () => {
  for (let first = 0; first < 256; first++) {
    for (let second = 0; second < 256; second += 5) {
      const bytes = new Uint8Array([first, second, second, first, 0xff, 0, 1, 2, 3]);
      try {
        unpackMessagePack(bytes);
      } catch (error) {
        assert(error instanceof Error && /^(RangeError|DecodeError)$/.test(error.name), String(error));
      }
    }
  }
});
