import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { BodyPieces } from "../../../src/io/http/body_pieces.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";

/** Bytes that differ from their neighbours. */
function pattern(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
}

function drain(pieces: BodyPieces): Uint8Array<ArrayBuffer>[] {
  const taken: Uint8Array<ArrayBuffer>[] = [];
  for (let piece = pieces.take(); piece !== undefined; piece = pieces.take()) taken.push(piece);
  return taken;
}

Deno.test("BodyPieces.take() gives few pieces for many bytes pushed one by one", () => {
  const pieces = new BodyPieces();
  const bytes = pattern(100_000);
  for (let at = 0; at < bytes.byteLength; at++) pieces.push(bytes, at, 1);
  assertStrictEquals(pieces.byteLength, 100_000);
  const taken = drain(pieces);
  assertStrictEquals(taken.length, Math.ceil(100_000 / 16_384));
  assertEquals(Buffer.concat(taken), Buffer.from(bytes));
  assertStrictEquals(pieces.byteLength, 0);
});

Deno.test("BodyPieces.take() bounds the pieces by their bytes when small and large ones alternate", () => {
  const pieces = new BodyPieces();
  const bytes = pattern(4097);
  for (let count = 0; count < 16; count++) {
    pieces.push(bytes, 0, 1);
    pieces.push(bytes, 1, 4096);
  }
  assertStrictEquals(drain(pieces).length, 32);
});

Deno.test("BodyPieces.take() hands out buffers of their own, of their own length", () => {
  const pieces = new BodyPieces();
  const bytes = pattern(50);
  pieces.push(bytes, 0, 10);
  pieces.push(bytes, 10, 10);
  const first = pieces.take();
  pieces.push(bytes, 20, 10);
  const second = pieces.take();
  assert(first !== undefined && second !== undefined);
  assertEquals([first.buffer.byteLength, second.buffer.byteLength], [20, 10]);
  assertEquals([...first, ...second], [...bytes.subarray(0, 30)]);
  assertStrictEquals(pieces.take(), undefined);
});

Deno.test("BodyPieces.takeAll() gives a single piece as it is, and an empty array for nothing", () => {
  const pieces = new BodyPieces();
  const piece = pattern(100);
  pieces.give(piece);
  assertStrictEquals(pieces.takeAll(), piece);
  assertStrictEquals(pieces.takeAll().byteLength, 0);
});

Deno.test("BodyPieces gives back what was put in, in order, however it is cut", async () => {
  for (const seed of testSeeds(20)) {
    await withSeed(seed, () => {
      const random = new SeededRandom(seed);
      const bytes = pattern(200_000);
      const pieces = new BodyPieces();
      const taken: Uint8Array[] = [];
      const lengths = [0, 1, 2, 100, 4095, 4096, 4097, 16_383, 16_384, 20_000];
      for (let at = 0; at < bytes.byteLength;) {
        const length = Math.min(lengths[random.below(lengths.length)], bytes.byteLength - at);
        if (random.below(2) === 0) pieces.push(bytes, at, length);
        else pieces.give(bytes.slice(at, at + length));
        at += length;
        if (random.below(8) === 0) taken.push(pieces.take() ?? new Uint8Array(0));
        assertStrictEquals(
          pieces.byteLength,
          at - taken.reduce((sum, { byteLength }) => sum + byteLength, 0),
        );
      }
      if (random.below(2) === 0) taken.push(pieces.takeAll());
      else taken.push(...drain(pieces));
      assert(Buffer.concat(taken).equals(Buffer.from(bytes)));
    });
  }
});
