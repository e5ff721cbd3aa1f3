import { assertEquals, assertStrictEquals } from "@std/assert";
import { SeededRandom } from "../../../src/base/mod.ts";
import type { Permit } from "../../../src/base/sync/mod.ts";
import { expectedListenerCount, flush, Followed, SignalPool } from "./support.ts";

/** What a semaphore and a lock have in common: so many units, and calls that take some of them. */
export interface LockUnderTest {
  readonly units: number;
  /** Some number of units that a call may take. */
  pickCount(random: SeededRandom): number;
  acquire(count: number, signal: AbortSignal | undefined): Promise<Permit>;
  tryAcquire(count: number): Permit | undefined;
  close(reason: unknown): void;
  /** Units that nobody holds. */
  available(): number;
  waitingCount(): number;
}

interface Call {
  readonly id: number;
  readonly count: number;
  readonly signal: AbortSignal | undefined;
  readonly followed: Followed<Permit>;
}

/** The plainest fair lock: an array of calls, served from the front as long as the first one fits. */
class Model {
  waiting: Call[] = [];
  readonly held: { count: number; permit: Permit }[] = [];
  readonly granted: number[] = [];
  available: number;
  closeReason: Error | undefined;

  constructor(units: number) {
    this.available = units;
  }

  serve(): Call[] {
    const served: Call[] = [];
    while (this.waiting.length > 0 && this.waiting[0].count <= this.available) {
      const call = this.waiting.shift() as Call;
      this.available -= call.count;
      this.granted.push(call.id);
      served.push(call);
    }
    return served;
  }

  hold({ count, followed }: Call): void {
    assertStrictEquals(followed.outcome.state, "ok", "a call whose turn it was has been granted");
    if (followed.outcome.state === "ok") this.held.push({ count, permit: followed.outcome.value });
  }
}

/** Drives `lock` and the model through the same random calls, and compares them after each. */
export async function checkLock(lock: LockUnderTest, seed: number, stepCount = 400): Promise<void> {
  const random = new SeededRandom(seed);
  const signals = new SignalPool(random);
  const model = new Model(lock.units);
  const granted: number[] = [];
  for (let step = 0; step < stepCount; step++) {
    const served: Call[] = [];
    const choice = random.below(100);
    if (choice < 45) {
      const count = lock.pickCount(random);
      const signal = signals.pick();
      const id = step;
      const followed = new Followed(lock.acquire(count, signal), () => granted.push(id));
      if (model.closeReason === undefined) model.waiting.push({ id, count, signal, followed });
      else {
        await flush();
        assertEquals(followed.outcome, { state: "failed", reason: model.closeReason });
      }
      served.push(...model.serve());
    } else if (choice < 55) {
      const count = lock.pickCount(random);
      const permit = lock.tryAcquire(count);
      const fits = model.closeReason === undefined && model.waiting.length === 0 && count <= model.available;
      assertStrictEquals(permit !== undefined, fits, "tryAcquire()");
      if (permit !== undefined) {
        model.available -= count;
        model.held.push({ count, permit });
      }
    } else if (choice < 85) {
      if (model.held.length === 0) continue;
      const [{ count, permit }] = model.held.splice(random.below(model.held.length), 1);
      model.available += count;
      permit.release();
      permit[Symbol.dispose]();
      served.push(...model.serve());
    } else if (choice < 99 || step < stepCount / 2) {
      const signal = signals.abortOne();
      const left = model.waiting.filter((call) => call.signal === signal);
      model.waiting = model.waiting.filter((call) => call.signal !== signal);
      served.push(...model.serve());
      await flush();
      for (const { followed } of left) {
        assertEquals(followed.outcome, { state: "failed", reason: signal.reason });
      }
    } else if (model.closeReason === undefined) {
      model.closeReason = new Error("closed by the test");
      lock.close(model.closeReason);
      await flush();
      for (const { followed } of model.waiting.splice(0)) {
        assertEquals(followed.outcome, { state: "failed", reason: model.closeReason });
      }
    }
    await flush();
    for (const call of served) model.hold(call);
    assertEquals(granted, model.granted, "calls are granted in their order");
    assertStrictEquals(lock.available(), model.available, "units available");
    assertStrictEquals(lock.waitingCount(), model.waiting.length, "calls that wait");
    const listening = expectedListenerCount(model.waiting);
    assertStrictEquals(
      signals.listenerCount,
      listening,
      "a listener for each signal of calls that wait, and no other",
    );
  }
}
