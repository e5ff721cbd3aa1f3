import assert from "node:assert/strict";
import {
  callOf,
  encodeFrame,
  FRAME,
  FRAME_HEADER_BYTES,
  frameBytes,
  frameBytesMax,
  frameOf,
  kindOf,
  valuesOf,
  writeFrame,
  writePartHeader,
} from "../../../src/run/tasks/frames.ts";

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
  const bytes = encodeFrame(frameOf(FRAME.task, 0xffff_fffe, values));
  const view = new DataView(bytes.buffer);
  assert.deepEqual([kindOf(view, 0), callOf(view, 0)], [FRAME.task, 0xffff_fffe]);
  assert.deepEqual(valuesOf(view, 0), values);
  assert.equal(bytes.length % 8, 0);
});

Deno.test("frameBytes() is what a frame takes, and frameBytesMax() no less", () => {
  for (const values of [[], [""], ["a日"], [1, true], [new Uint8Array(9)], [{ a: "x".repeat(100) }]]) {
    const frame = frameOf(FRAME.message, 0, values);
    const view = new DataView(new ArrayBuffer(1024), 8);
    assert.equal(writeFrame(view, 0, frame), frameBytes(frame));
    assert.ok(frameBytesMax(frame) >= frameBytes(frame));
  }
});

Deno.test("frameOf() refuses what cannot travel, or is too much", () => {
  assert.throws(() => frameOf(FRAME.message, 0, [() => {}]), TypeError);
  assert.throws(() => frameOf(FRAME.message, 0, [new AbortController().signal]), TypeError);
  assert.throws(() => frameOf(FRAME.task, 0, new Array(65_536).fill(0)), RangeError);
  assert.throws(() => frameOf(FRAME.message, 0, [new Uint8Array(256 * 2 ** 20)]), {
    name: "RangeError",
    message: /^it takes 268435480 bytes, expected at most 268435456$/,
  });
});

Deno.test("writePartHeader() names the length of the whole", () => {
  const view = new DataView(new ArrayBuffer(FRAME_HEADER_BYTES));
  writePartHeader(view, 0, 70_000);
  assert.deepEqual([kindOf(view, 0), callOf(view, 0)], [FRAME.part, 70_000]);
});
