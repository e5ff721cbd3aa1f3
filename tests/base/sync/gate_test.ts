import assert from "node:assert/strict";
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
    assert.equal(gate.count, 2);
  }
  assert.equal(gate.count, 1);
  first.release();
  first.release();
  assert.deepEqual([gate.count, gate.closed], [0, false]);
});

Deno.test("Gate.enter() throws and Gate.tryEnter() gives undefined when closed", async () => {
  const gate = new Gate();
  gate.tryEnter()?.release();
  await gate.close();
  assert.throws(() => gate.enter(), GateClosedError);
  assert.equal(gate.tryEnter(), undefined);
  assert.deepEqual([gate.count, gate.closed], [0, true]);
});

Deno.test("Gate.hold() stays inside until the work has ended, and leaves if it throws", async () => {
  const gate = new Gate();
  assert.equal(await gate.hold(() => gate.count), 1);
  await assert.rejects(gate.hold(() => Promise.reject(new Error("work"))), /work/);
  assert.equal(gate.count, 0);
  await gate.close();
  let called = false;
  await assert.rejects(gate.hold(() => called = true), GateClosedError);
  assert.equal(called, false);
});

Deno.test("Gate.close() resolves when all have left, for every caller", async () => {
  const gate = new Gate();
  const first = gate.enter();
  const second = gate.enter();
  const closings = [new Followed(gate.close()), new Followed(gate[Symbol.asyncDispose]())];
  first.release();
  await flush();
  assert.deepEqual(closings.map(({ outcome }) => outcome.state), ["pending", "pending"]);
  second.release();
  await flush();
  assert.deepEqual(closings.map(({ outcome }) => outcome.state), ["ok", "ok"]);
  await gate.close();
});

Deno.test("Gate.close() can be given up, and the gate stays closed", async () => {
  const gate = new Gate();
  const permit = gate.enter();
  const abort = new CountedAbort();
  const closing = gate.close({ signal: abort.signal });
  abort.abort("no patience");
  await assert.rejects(closing, (reason) => reason === "no patience");
  await assert.rejects(gate.close({ signal: abort.signal }), (reason) => reason === "no patience");
  assert.deepEqual([gate.closed, gate.count, abort.listenerCount], [true, 1, 0]);
  const patient = new CountedAbort();
  const later = gate.close({ signal: patient.signal });
  permit.release();
  await later;
  assert.equal(patient.listenerCount, 0);
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
          assert.equal(permit === undefined, closings.length > 0);
          if (permit !== undefined) inside.push(permit);
        } else if (choice < 97) {
          if (inside.length > 0) inside.splice(random.below(inside.length), 1)[0].release();
        } else closings.push(new Followed(gate.close()));
        await flush();
        assert.equal(gate.count, inside.length);
        const expected = inside.length === 0 ? "ok" : "pending";
        for (const { outcome } of closings) assert.equal(outcome.state, expected);
      }
    });
  }
});
