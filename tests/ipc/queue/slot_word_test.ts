import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  freed,
  generationOf,
  isImpossible,
  isNobodys,
  moved,
  ownerOf,
  PHASE,
  phaseOf,
} from "../../../src/ipc/queue/slot_word.ts";
import { NOBODY } from "../../../src/ipc/sharing/mod.ts";

/** Generations where signs and the width of the field change. */
const GENERATIONS = [0, 1, 2 ** 20 - 1, 2 ** 20, 2 ** 21 - 1];

Deno.test("slot word: every number is what it is", () => {
  assertEquals([PHASE, NOBODY], [{ free: 0, writing: 1, ready: 2, reserved: 3, replied: 4 }, 0]);
  const word = 5 << 11 | 3 << 8 | 7;
  assertEquals([generationOf(word), phaseOf(word), ownerOf(word)], [5, 3, 7]);
});

Deno.test("slot word: its parts come out as they went in, and moving leaves the generation", () => {
  for (const generation of GENERATIONS) {
    for (const phase of Object.values(PHASE)) {
      for (const owner of [0, 1, 128, 255]) {
        const word = moved(generation << 11, phase, owner);
        assertStrictEquals(word, word | 0, "as Atomics give it");
        assertEquals([generationOf(word), phaseOf(word), ownerOf(word)], [generation, phase, owner]);
        const again = moved(word, PHASE.ready, NOBODY);
        assertEquals([generationOf(again), phaseOf(again), ownerOf(again)], [
          generation,
          PHASE.ready,
          NOBODY,
        ]);
      }
    }
  }
});

Deno.test("slot word: a slot that becomes free has the next generation, which wraps", () => {
  for (const generation of GENERATIONS) {
    const word = freed(moved(generation << 11, PHASE.reserved, 255));
    assertStrictEquals(word, word | 0);
    assertEquals([generationOf(word), phaseOf(word), ownerOf(word)], [
      (generation + 1) % 2 ** 21,
      PHASE.free,
      NOBODY,
    ]);
  }
});

Deno.test("slot word: what could not have come about is told", () => {
  for (let phase = 0; phase < 8; phase++) {
    for (const owner of [0, 1, 255]) {
      const isOwned = phase === PHASE.writing || phase === PHASE.reserved || phase === PHASE.replied;
      const expected = phase > PHASE.replied || isOwned !== owner > 0;
      assertStrictEquals(isImpossible(moved(-1, phase, owner)), expected, `${phase} ${owner}`);
      const isOfNoInterest = (phase === PHASE.free || phase === PHASE.ready) && owner === NOBODY;
      assertStrictEquals(isNobodys(moved(-1, phase, owner)), isOfNoInterest, `${phase} ${owner}`);
    }
  }
});
