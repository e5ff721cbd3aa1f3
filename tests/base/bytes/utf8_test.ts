import { assertEquals, assertStrictEquals } from "@std/assert";
import { decodeUtf8, encodeUtf8Into, utf8ByteLength } from "../../../src/base/bytes/mod.ts";

const texts = [
  "",
  "a",
  "my-topic",
  "x".repeat(23),
  "x".repeat(24),
  "x".repeat(64),
  "x".repeat(65),
  "x".repeat(5000),
  "Prüfung",
  "\u07ff\u0800\uffff",
  "日本語",
  "😀 and 😀",
  "\ufeffwith a mark",
  "\0",
];

Deno.test("utf8ByteLength() and encodeUtf8Into() give what TextEncoder gives", () => {
  for (const text of [...texts, "\ud800", "\udc00x", "a\ud800\ud800\udc00", "\udc00\ud800"]) {
    const expected = new TextEncoder().encode(text);
    const length = utf8ByteLength(text);
    assertStrictEquals(length, expected.length, JSON.stringify(text));
    const bytes = new Uint8Array(length + 2).fill(0xaa);
    encodeUtf8Into(text, bytes, 1, length);
    assertEquals(bytes.subarray(1, length + 1), expected);
    assertEquals([bytes[0], bytes[length + 1]], [0xaa, 0xaa]);
  }
});

Deno.test("decodeUtf8() gives the text back, also when it comes again", () => {
  for (let round = 0; round < 2; round++) {
    for (const text of texts) {
      const bytes = new TextEncoder().encode(`<${text}>`);
      assertStrictEquals(decodeUtf8(bytes, 1, bytes.length - 1), text);
    }
  }
});

Deno.test("decodeUtf8() never mixes up texts, however many there are", () => {
  // Many more than are kept, so that every place is taken and taken again.
  for (let number = 0; number < 20_000; number++) {
    const text = `topic-${number % 7000}`;
    const bytes = new TextEncoder().encode(text);
    assertStrictEquals(decodeUtf8(bytes, 0, bytes.length), text);
  }
});

Deno.test("decodeUtf8() replaces what is no UTF-8, and does not throw", () => {
  assertStrictEquals(decodeUtf8(new Uint8Array([0x61, 0xff, 0x62]), 0, 3), "a\ufffdb");
  assertStrictEquals(decodeUtf8(new Uint8Array([0xe2, 0x82]), 0, 2), "\ufffd");
});
