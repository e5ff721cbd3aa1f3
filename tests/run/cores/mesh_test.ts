import { assertEquals, assertStrictEquals } from "@std/assert";
import { BELL, BELL_WORDS, createMesh, ringMemory } from "../../../src/run/cores/mesh.ts";
import { SpscRing } from "../../../src/ipc/ring/mod.ts";

Deno.test("createMesh() makes a ring for every ordered pair, and 128 bytes for each participant", () => {
  const { rings, bells } = createMesh(4096, 3);
  assertStrictEquals(BELL_WORDS, 32);
  assertEquals(BELL, { bell: 0, task: 1, turn: 2, wakes: 3 });
  assertStrictEquals(bells.byteLength, 3 * 128);
  // Apart from each other, and few pieces: every worker is sent all of them.
  assertStrictEquals(rings.length, 3);
  const made = new Set<string>();
  for (let from = 0; from < 3; from++) {
    for (let to = 0; to < 3; to++) {
      const memory = ringMemory({ rings, bells }, from, to);
      assertStrictEquals(memory.buffer, rings[from]);
      if (from === to) continue;
      assertStrictEquals(SpscRing.attach(memory).capacityBytes, 4096);
      assertStrictEquals(memory.byteLength, SpscRing.byteLengthFor({ capacityBytes: 4096 }));
      assertStrictEquals(memory.byteOffset % 128, 0);
      made.add(`${from} ${memory.byteOffset}`);
    }
  }
  assertStrictEquals(made.size, 6);
});
