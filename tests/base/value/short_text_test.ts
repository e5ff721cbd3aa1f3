import { assertStrictEquals, assertThrows } from "@std/assert";
import { readShortText, SHORT_TEXT_BYTES_MAX, writeShortText } from "../../../src/base/value/short_text.ts";

const view = new DataView(new SharedArrayBuffer(64));

Deno.test("short texts of ASCII come back, the first time and again", () => {
  const texts = ["", "a", "\u0000\u007f", "add", "dad", "x".repeat(SHORT_TEXT_BYTES_MAX)];
  // More than are kept: some take the place of others.
  for (let index = 0; index < 1000; index++) texts.push(`text ${index}`);
  for (const text of [...texts, ...texts]) {
    assertStrictEquals(writeShortText(view, 3, text), true);
    assertStrictEquals(readShortText(view, 3, text.length), text);
  }
});

Deno.test("writeShortText() leaves what is longer, is not ASCII, or has no room to the encoder", () => {
  assertStrictEquals(writeShortText(view, 0, "x".repeat(SHORT_TEXT_BYTES_MAX + 1)), false);
  assertStrictEquals(writeShortText(view, 0, "abc\u0080"), false);
  assertStrictEquals(writeShortText(view, 0, "\ud800"), false);
  assertStrictEquals(writeShortText(view, 62, "abc"), false);
  assertStrictEquals(writeShortText(view, 61, "abc"), true);
});

Deno.test("readShortText() leaves what is not ASCII to the decoder, and does not go beyond the view", () => {
  view.setUint8(0, 0x61);
  view.setUint8(1, 0xc3);
  assertStrictEquals(readShortText(view, 0, 2), undefined);
  assertThrows(() => readShortText(view, 60, 5), RangeError);
});
