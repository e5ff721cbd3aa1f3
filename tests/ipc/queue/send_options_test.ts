import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { QueueShape } from "../../../src/ipc/queue/mod.ts";
import { Envelopes } from "../../../src/ipc/queue/send_options.ts";
import { fakeMemory } from "./support.ts";

const envelopes = (shape: QueueShape): Envelopes => new Envelopes(fakeMemory(shape).memory);

Deno.test("Envelopes.of() gives the least urgent lane, and no end, where nothing is said", () => {
  assertEquals(envelopes({ priorities: 4 }).of({}, 0), { lane: 3, flags: 0, expiresMs: 0 });
  assertEquals(envelopes({ priorities: 4 }).of({ priority: 0 }, 2), { lane: 0, flags: 2, expiresMs: 0 });
});

Deno.test("Envelopes.of() turns time to live into an instant", () => {
  const beforeMs = Date.now();
  const { expiresMs } = envelopes({}).of({ expiresAfterMs: 1000 }, 0);
  assert(expiresMs >= beforeMs + 1000 && expiresMs <= Date.now() + 1000);
  assertStrictEquals(envelopes({}).of({ expiresAfterMs: Infinity }, 0).expiresMs, 0);
  assertStrictEquals(envelopes({}).of({ expiresAfterMs: Number.MAX_VALUE }, 0).expiresMs, Number.MAX_VALUE);
});

Deno.test("Envelopes.of() gives a key the same partition always, and spreads keys", () => {
  const partitions = 8;
  const [one, other] = [envelopes({ partitions }), envelopes({ partitions })];
  const counts = new Array<number>(partitions).fill(0);
  for (let key = 0; key < 4000; key++) {
    const { lane } = one.of({ key: `${key}` }, 0);
    assertStrictEquals(other.of({ key: new TextEncoder().encode(`${key}`) }, 0).lane, lane);
    counts[lane]++;
  }
  assert(counts.every((count) => count > 250 && count < 1000), `${counts}`);
  const lanes = Array.from({ length: partitions }, () => one.of({}, 0).lane);
  assertEquals(lanes.sort(), [0, 1, 2, 3, 4, 5, 6, 7], "without a key, one after the other");
});

Deno.test("Envelopes.of() refuses what the queue has not, and what is none", () => {
  const plain = envelopes({ priorities: 2 });
  for (const priority of [-1, 2, 0.5, NaN]) assertThrows(() => plain.of({ priority }, 0), RangeError);
  for (const expiresAfterMs of [0, -1, NaN]) assertThrows(() => plain.of({ expiresAfterMs }, 0), RangeError);
  assertThrows(() => plain.of({ key: "" }, 0), RangeError);
  assertThrows(() => envelopes({ partitions: 2 }).of({ priority: 1 }, 0), RangeError);
  assertStrictEquals(envelopes({ partitions: 1 }).of({ priority: 0 }, 0).lane, 0);
});
