import { assertEquals, assertStrictEquals } from "@std/assert";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { Hints } from "../../../src/ipc/queue/hints.ts";
import { LANE, laneAt } from "../../../src/ipc/queue/layout.ts";
import type { QueueMemory } from "../../../src/ipc/queue/queue_memory.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, HastyClock, reopened } from "./support.ts";

nameSkipReason("Hints as native code sees them", nativeSkipReason());

/** Positions right before those where laps, signs and 32 bits wrap. */
const POSITIONS = [0, 511, 2 ** 24 - 3, 2 ** 31 - 3, -3, 2 ** 23 * 512 - 3 | 0];
const PLAIN = { lane: 0, flags: 0, expiresMs: 0 };

function openHints(
  position = 0,
): { memory: QueueMemory; hints: Hints; words: (name: "head" | "tail") => number } {
  const { memory } = fakeMemory({ capacity: 8, messageBytesMax: 8 });
  setPosition(memory, position);
  const lane = laneAt(memory.geometry, 0) >> 2;
  return { memory, hints: new Hints(memory), words: (name) => memory.words[lane + LANE[name]] };
}

/** As if `position` hints had been left and taken. */
function setPosition({ words, geometry }: QueueMemory, position: number): void {
  const lane = laneAt(geometry, 0) >> 2;
  words[lane + LANE.head] = words[lane + LANE.tail] = position;
  const { cellCount, cellsAt } = geometry;
  for (let cell = 0; cell < cellCount; cell++) {
    const isBehind = cell < (position & cellCount - 1);
    const lap = (position >>> Math.log2(cellCount)) + (isBehind ? 1 : 0) & 0x7fff;
    words[(cellsAt >> 2) + cell] = lap << 17;
  }
}

/** Takes every hint of lane 0. */
function takeAll(hints: Hints): number[] {
  const slots: number[] = [];
  for (let slot = hints.first(0); slot >= 0; slot = hints.first(0)) {
    slots.push(slot);
    hints.pass();
  }
  return slots;
}

Deno.test("Hints come in the order in which they were left, wherever laps and 32 bits wrap", () => {
  for (const position of POSITIONS) {
    const { hints, words } = openHints(position);
    for (let round = 0; round < 700; round++) {
      const left = [round % 8, (round + 1) % 8, (round + 2) % 8];
      for (const slot of left) hints.leave(0, slot);
      assertEquals(takeAll(hints), left, `from ${position}, round ${round}`);
    }
    assertEquals([words("head"), words("tail")], [position + 2100 | 0, position + 2100 | 0]);
  }
});

Deno.test("Hints.leave() leaves none where the ring is full, and has room again when one is taken", () => {
  for (const position of POSITIONS) {
    const { memory, hints, words } = openHints(position);
    const { cellCount } = memory.geometry;
    for (let count = 0; count < cellCount + 10; count++) hints.leave(0, count % 8);
    assertStrictEquals(words("tail"), position + cellCount | 0);
    assertStrictEquals(hints.first(0), 0);
    hints.pass();
    hints.leave(0, 5);
    hints.leave(0, 6);
    const slots = takeAll(hints);
    assertEquals([slots.length, slots[slots.length - 1]], [cellCount, 5]);
  }
});

Deno.test("Hints: whoever comes next moves a tail and a head on that a dead one has not", () => {
  for (const position of POSITIONS) {
    const { memory, hints, words } = openHints(position);
    const lane = laneAt(memory.geometry, 0) >> 2;
    hints.leave(0, 1);
    memory.words[lane + LANE.tail] = position;
    hints.leave(0, 2);
    assertStrictEquals(words("tail"), position + 2 | 0);
    assertStrictEquals(hints.first(0), 1);
    hints.pass();
    memory.words[lane + LANE.head] = position;
    assertEquals(takeAll(hints), [2]);
    // The same where the hint that the tail has not passed is taken already.
    hints.leave(0, 3);
    memory.words[lane + LANE.tail] = position + 2 | 0;
    assertEquals(takeAll(hints), [3]);
    hints.leave(0, 4);
    assertEquals([takeAll(hints), words("tail")], [[4], position + 4 | 0]);
  }
});

Deno.test("Hints.pass() takes away only what first() found", () => {
  const { hints } = openHints();
  const { memory } = openHints();
  const [one, other] = [new Hints(memory), new Hints(memory)];
  one.leave(0, 1);
  one.leave(0, 2);
  assertEquals([one.first(0), other.first(0)], [1, 1]);
  one.pass();
  other.pass();
  assertStrictEquals(one.first(0), 2);
  assertStrictEquals(hints.first(0), -1);
});

Deno.test("Hints of slots that are not there are passed over", () => {
  const { hints } = openHints();
  for (const slot of [8, 65_535, 3]) hints.leave(0, slot);
  assertEquals(takeAll(hints), [3]);
});

for (const native of [true, false]) {
  const what = `native code: ${native}`;

  nativeTest(`QueueCore delivers in order wherever laps and 32 bits wrap, ${what}`, () => {
    for (const position of POSITIONS) {
      const { memory } = fakeMemory({ capacity: 8, messageBytesMax: 8 });
      setPosition(memory, position);
      const core = new QueueCore(memory, { native });
      for (let round = 0; round < 300; round++) {
        for (let count = 0; count < 5; count++) core.trySend(new Uint8Array([round, count]), PLAIN);
        for (let count = 0; count < 5; count++) {
          assertEquals([...core.receive()?.data ?? []], [round & 0xff, count]);
        }
        assertStrictEquals(core.receive(), undefined);
      }
      core.close();
    }
  });

  nativeTest(
    `QueueCore delivers once what there are two hints of, and what there is none of, ${what}`,
    () => {
      using _ = new HastyClock();
      const { memory } = fakeMemory({ capacity: 8, messageBytesMax: 8 });
      const hints = new Hints(memory);
      const core = new QueueCore(memory, { native });
      for (let number = 0; number < 4; number++) {
        core.trySend(new Uint8Array([number]), PLAIN);
        // Doubled, stale, and of a slot that is not there.
        for (const slot of [number, 7, 9]) hints.leave(0, slot);
      }
      for (let number = 0; number < 4; number++) assertStrictEquals(core.receive()?.data[0], number);
      assertStrictEquals(core.receive(), undefined);
      for (let number = 0; number < 8; number++) core.trySend(new Uint8Array([number]), PLAIN);
      takeAll(hints);
      const seen = Array.from({ length: 8 }, () => core.receive()?.data[0]);
      assertEquals(seen, [0, 1, 2, 3, 4, 5, 6, 7], "the oldest first");
      core.close();
    },
  );

  nativeTest(`QueueCore carries messages while the ring of hints is full, ${what}`, () => {
    using _ = new HastyClock();
    const { memory } = fakeMemory({ capacity: 4, messageBytesMax: 8 });
    const hints = new Hints(memory);
    const core = new QueueCore(memory, { native });
    const other = new QueueCore(reopened(memory).memory, { native });
    for (let count = 0; count < memory.geometry.cellCount; count++) hints.leave(0, 3);
    for (let number = 0; number < 3; number++) core.trySend(new Uint8Array([number]), PLAIN);
    for (let number = 0; number < 3; number++) assertStrictEquals(other.receive()?.data[0], number);
    // Looking for them has cleared the ring.
    assertStrictEquals(hints.first(0), -1);
    core.close();
    other.close();
  });

  nativeTest(`QueueCore: generations of slots wrap, ${what}`, () => {
    const { memory } = fakeMemory({ capacity: 1, messageBytesMax: 8 });
    const core = new QueueCore(memory, { native });
    memory.words[memory.slots] = (2 ** 21 - 3) << 11;
    for (let number = 0; number < 6; number++) {
      assertStrictEquals(core.trySend(new Uint8Array([number]), PLAIN), 0);
      assertStrictEquals(core.trySend(new Uint8Array([number]), PLAIN), -1);
      const reserved = core.reserve();
      assertStrictEquals(reserved?.message.data[0], number);
      core.ack(0);
    }
    assertStrictEquals(memory.words[memory.slots], 3 << 11);
    core.close();
  });
}
