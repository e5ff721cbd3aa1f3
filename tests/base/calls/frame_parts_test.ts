import { assertEquals, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import {
  encodeFrame,
  FRAME,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  writePartHeader,
} from "../../../src/base/calls/frame.ts";
import { FrameParts } from "../../../src/base/calls/frame_parts.ts";

function part(length: number, piece: Uint8Array): DataView {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + piece.length);
  const view = new DataView(bytes.buffer);
  writePartHeader(view, 0, length);
  bytes.set(piece, FRAME_HEADER_BYTES);
  return view;
}

Deno.test("FrameParts.take() gives a frame when its last part is there, one after the other", () => {
  const parts = new FrameParts();
  for (const text of ["first", "second"]) {
    const frame = encodeFrame(FRAME.message, 0, 0, [text.repeat(10)]);
    const pieces = [frame.subarray(0, 24), frame.subarray(24, 32), frame.subarray(32)];
    const given = pieces.map((piece) => {
      const view = part(frame.length, piece);
      return parts.take(view, 0, view.byteLength);
    });
    assertEquals(given.slice(0, 2), [undefined, undefined]);
    assertEquals(new Uint8Array(given[2]?.buffer as ArrayBuffer), frame);
  }
});

Deno.test("FrameParts.take() refuses lengths that cannot be, before it makes room for them", () => {
  for (const length of [-8, 0, FRAME_HEADER_BYTES, FRAME_BYTES_MAX + 8]) {
    const view = part(length, new Uint8Array(8));
    assertThrowsMatching(
      () => new FrameParts().take(view, 0, view.byteLength),
      /^Error: read a part: it is of a frame of/,
    );
  }
});

Deno.test("FrameParts.take() refuses a part of another frame, and one that goes beyond its own", () => {
  for (const [length, pieceBytes] of [[104, 8], [96, 80]]) {
    const parts = new FrameParts();
    const first = part(96, new Uint8Array(24));
    assertStrictEquals(parts.take(first, 0, first.byteLength), undefined);
    const next = part(length, new Uint8Array(pieceBytes));
    assertThrowsMatching(
      () => parts.take(next, 0, next.byteLength),
      /^Error: read a part: \d+ bytes of a frame of/,
    );
  }
});
