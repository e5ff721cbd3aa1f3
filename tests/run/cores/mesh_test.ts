import assert from "node:assert/strict";
import { BELL, BELL_WORDS, createMesh, ringMemory } from "../../../src/run/cores/mesh.ts";
import { SpscRing } from "../../../src/ipc/ring/mod.ts";

Deno.test("createMesh() makes a ring for every ordered pair, and 128 bytes for each participant", () => {
  const { rings, bells } = createMesh(4096, 3);
  assert.equal(BELL_WORDS, 32);
  assert.deepEqual(BELL, { bell: 0, task: 1, turn: 2, wakes: 3 });
  assert.equal(bells.byteLength, 3 * 128);
  // Apart from each other, and few pieces: every worker is sent all of them.
  assert.equal(rings.length, 3);
  const made = new Set<string>();
  for (let from = 0; from < 3; from++) {
    for (let to = 0; to < 3; to++) {
      const memory = ringMemory({ rings, bells }, from, to);
      assert.equal(memory.buffer, rings[from]);
      if (from === to) continue;
      assert.equal(SpscRing.attach(memory).capacityBytes, 4096);
      assert.equal(memory.byteLength, SpscRing.byteLengthFor({ capacityBytes: 4096 }));
      assert.equal(memory.byteOffset % 128, 0);
      made.add(`${from} ${memory.byteOffset}`);
    }
  }
  assert.equal(made.size, 6);
});
