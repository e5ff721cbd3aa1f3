import assert from "node:assert/strict";
import { BELL, BELL_WORDS, createMesh } from "../../src/cores/mesh.ts";
import { SpscRing } from "../../src/ring/mod.ts";

Deno.test("createMesh() makes a ring for every ordered pair, and 128 bytes for each participant", () => {
  const { rings, bells } = createMesh(4096, 3);
  assert.equal(BELL_WORDS, 32);
  assert.deepEqual(BELL, { bell: 0, task: 1, turn: 2, wakes: 3 });
  assert.equal(bells.byteLength, 3 * 128);
  const made = new Set<SharedArrayBuffer>();
  rings.forEach((row, from) =>
    row.forEach((memory, to) => {
      assert.equal(memory === undefined, from === to);
      if (memory === undefined) return;
      made.add(memory);
      SpscRing.attach(memory);
    })
  );
  assert.equal(made.size, 6);
});
