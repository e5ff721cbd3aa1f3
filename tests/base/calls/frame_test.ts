import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  callOf,
  encodeFrame,
  FRAME,
  FRAME_HEADER_BYTES,
  frameBytes,
  frameBytesMax,
  kindAndCountOf,
  kindOf,
  taskOf,
  writeFrame,
  writePartHeader,
} from "../../../src/base/calls/frame.ts";
import { portable, ValueReader } from "../../../src/base/value/mod.ts";

Deno.test("the layout of frames is as documented", () => {
  const view = new DataView(encodeFrame(FRAME.call, 7, 3, [1.5, "a"]).buffer);
  const words = Array.from({ length: 6 }, (_, index) => view.getInt32(index * 4, true));
  assertEquals(words, [FRAME.call | 2 << 16, 7, 3, 0, 4, 8]);
  assertStrictEquals(view.byteLength, 16 + 16 + 16);
  assertStrictEquals(FRAME_HEADER_BYTES, 16);
  assertEquals(FRAME, {
    call: 1,
    result: 2,
    error: 3,
    cancel: 4,
    part: 5,
    message: 6,
    finishing: 7,
    shutdown: 8,
  });
});

Deno.test("encodeFrame() says what was said", () => {
  const values = [
    "resize",
    0,
    { a: [1, "x", new Date(5)] },
    new Uint8Array([1, 2]),
    undefined,
    null,
    1e300,
    "日本",
  ];
  const bytes = encodeFrame(FRAME.call, 0x7fff_fffe, 5, values.map(portable));
  const view = new DataView(bytes.buffer);
  assertEquals([kindOf(view, 0), callOf(view, 0), taskOf(view, 0)], [FRAME.call, 0x7fff_fffe, 5]);
  const reader = new ValueReader();
  reader.begin(view, FRAME_HEADER_BYTES);
  assertEquals(Array.from({ length: kindAndCountOf(view, 0) >>> 16 }, () => reader.read()), values);
  assertStrictEquals(bytes.length % 8, 0);
});

Deno.test("a frame says how many values it has, up to 65,535", () => {
  const view = new DataView(encodeFrame(FRAME.call, 0, 0, new Array(65_535).fill(null)).buffer);
  assertEquals([kindOf(view, 0), kindAndCountOf(view, 0) >>> 16], [FRAME.call, 65_535]);
});

Deno.test("frameBytes() is what a frame takes, and frameBytesMax() no less", () => {
  for (const list of [[], [""], ["a日"], [1, true], [new Uint8Array(9)], [{ a: "x".repeat(100) }]]) {
    const values = list.map(portable);
    const view = new DataView(new ArrayBuffer(1024), 8);
    assertStrictEquals(writeFrame(view, 0, FRAME.message, 0, 0, values), frameBytes(values));
    assert(frameBytesMax(values) >= frameBytes(values));
  }
});

Deno.test("writePartHeader() names the length of the whole", () => {
  const view = new DataView(new ArrayBuffer(FRAME_HEADER_BYTES));
  writePartHeader(view, 0, 70_000);
  assertEquals([kindOf(view, 0), callOf(view, 0)], [FRAME.part, 70_000]);
});
