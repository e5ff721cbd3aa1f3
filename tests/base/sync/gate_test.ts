import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import { Gate, GateClosedError, type Permit } from "../../../src/base/sync/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { CountedAbort } from "../timer/support.ts";
import { flush, Followed } from "./support.ts";

Deno.test("Gate.enter() counts those inside, each once", () => {
  const gate = new Gate();
  const first = gate.enter();
  {
    using _ = gate.enter();
    assertStrictEquals(gate.count, 2);
  }
  assertStrictEquals(gate.count, 1);
  first.release();
  first.release();
  assertEquals([gate.count, gate.closed], [0, false]);
});

Deno.test("Gate.enter() throws and Gate.tryEnter() gives undefined when closed", async () => {
  const gate = new Gate();
  gate.tryEnter()?.release();
  await gate.close();
  assertThrows(() => gate.enter(), GateClosedError);
  assertStrictEquals(gate.tryEnter(), undefined);
  assertEquals([gate.count, gate.closed], [0, true]);
});

Deno.test("Gate.hold() stays inside until the work has ended, and leaves if it throws", async () => {
  const gate = new Gate();
  assertStrictEquals(await gate.hold(() => gate.count), 1);
  await assertRejectsMatching(() => gate.hold(() => Promise.reject(new Error("work"))), /work/);
  assertStrictEquals(gate.count, 0);
  await gate.close();
  let called = false;
  await assertRejects(() => gate.hold(() => called = true), GateClosedError);
  assertStrictEquals(called, false);
});

Deno.test("Gate.close() resolves when all have left, for every caller", async () => {
  const gate = new Gate();
  const first = gate.enter();
  const second = gate.enter();
  const closings = [new Followed(gate.close()), new Followed(gate[Symbol.asyncDispose]())];
  first.release();
  await flush();
  assertEquals(closings.map(({ outcome }) => outcome.state), ["pending", "pending"]);
  second.release();
  await flush();
  assertEquals(closings.map(({ outcome }) => outcome.state), ["ok", "ok"]);
  await gate.close();
});

Deno.test("Gate.close() can be given up, and the gate stays closed", async () => {
  const gate = new Gate();
  const permit = gate.enter();
  const abort = new CountedAbort();
  const closing = gate.close({ signal: abort.signal });
  abort.abort("no patience");
  await assertRejectsMatching(() => closing, (reason) => reason === "no patience");
  await assertRejectsMatching(
    () => gate.close({ signal: abort.signal }),
    (reason) => reason === "no patience",
  );
  assertEquals([gate.closed, gate.count, abort.listenerCount], [true, 1, 0]);
  const patient = new CountedAbort();
  const later = gate.close({ signal: patient.signal });
  permit.release();
  await later;
  assertStrictEquals(patient.listenerCount, 0);
});

Deno.test("Gate agrees with a count under random coming, going and closing", async () => {
  for (const seed of testSeeds(20)) {
    await withSeed(seed, async () => {
      const random = new SeededRandom(seed);
      const gate = new Gate();
      const inside: Permit[] = [];
      const closings: Followed<void>[] = [];
      for (let step = 0; step < 200; step++) {
        const choice = random.below(100);
        if (choice < 50) {
          const permit = gate.tryEnter();
          assertStrictEquals(permit === undefined, closings.length > 0);
          if (permit !== undefined) inside.push(permit);
        } else if (choice < 97) {
          if (inside.length > 0) inside.splice(random.below(inside.length), 1)[0].release();
        } else closings.push(new Followed(gate.close()));
        await flush();
        assertStrictEquals(gate.count, inside.length);
        const expected = inside.length === 0 ? "ok" : "pending";
        for (const { outcome } of closings) assertStrictEquals(outcome.state, expected);
      }
    });
  }
});
