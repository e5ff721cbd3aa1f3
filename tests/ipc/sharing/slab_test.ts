import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { Slab, SLAB_BYTES, wordsOf } from "../../../src/ipc/sharing/mod.ts";

const SOURCE = new Uint8Array(8192).map((_, index) => index * 7);

/** Copies of parts of the source that say where they are from. */
function copies(slab: Slab, lengths: readonly number[]): Uint8Array[] {
  return lengths.map((length, index) => slab.copy(index * 4, length));
}

Deno.test("Slab.copy() gives copies that are right, whatever comes behind them", () => {
  const slab = new Slab(SOURCE, wordsOf(SOURCE), 4096);
  const lengths = Array.from(
    { length: 600 },
    (_, index) => [0, 1, 3, 4, 63, 256, 257, 1000, 2048, 2049, 4096][index % 11],
  );
  const found = copies(slab, lengths);
  found.forEach((copy, index) => assertEquals(copy, SOURCE.slice(index * 4, index * 4 + lengths[index])));
});

Deno.test("Slab.copy() puts short ones side by side, each at a multiple of 8, and long ones into memory of their own", () => {
  const slab = new Slab(SOURCE, wordsOf(SOURCE), 8192);
  const [first, second, long] = copies(slab, [5, 9, 3000]);
  assertStrictEquals(first.buffer, second.buffer);
  assertEquals([first.byteOffset, second.byteOffset], [0, 8]);
  assertNotStrictEquals(long.buffer, first.buffer);
  assertStrictEquals(long.buffer.byteLength, 3000);
});

Deno.test("Slab.makeRoom() begins a new one where the longest short one has no room", () => {
  const slab = new Slab(SOURCE, wordsOf(SOURCE), 64);
  const { bytes } = slab;
  while (slab.at + 64 <= SLAB_BYTES) slab.take(slab.at, 64);
  slab.makeRoom();
  assertNotStrictEquals(slab.bytes, bytes);
  assertStrictEquals(slab.at, 0);
});
