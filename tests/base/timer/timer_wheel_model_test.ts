import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { DELAY_MS_MAX, ManualClock, type Timer, TimerWheel } from "@millrace/millrace/timer";
import { SeededRandom } from "../../../src/base/mod.ts";

interface ModelTimer {
  ordinal: number;
  /** The first tick that begins at the deadline or later. */
  tick: number;
  timer: Timer;
}

/** The wheel beside a plain list, both driven by one random sequence of events. */
class Model {
  readonly #random: SeededRandom;
  readonly #clock: ManualClock;
  readonly #wheel: TimerWheel;
  readonly #tickMs: number;
  readonly #originMs: number;
  readonly #timers = new Map<number, ModelTimer>();
  #due: ModelTimer[] = [];
  #advancing = false;
  #ordinal = 0;
  /** When an owner that sleeps as the wheel tells it would wake. */
  #wakeMs = Infinity;

  constructor(random: SeededRandom) {
    this.#random = random;
    // Binary fractions, so that the list's arithmetic is exact.
    this.#tickMs = [0.25, 1, 1, 1, 10, 64][random.below(6)];
    this.#originMs = random.below(1000) / 8;
    this.#clock = new ManualClock(this.#originMs);
    this.#wheel = new TimerWheel({ clock: this.#clock, tickMs: this.#tickMs });
    this.#wheel.onEarlier = () => this.#sleep();
  }

  step(): void {
    const action = this.#random.below(10);
    if (action < 5) this.#schedule();
    else if (action < 7) this.#cancel();
    else this.#passTime();
    this.#check();
  }

  finish(): void {
    for (let round = 0; this.#timers.size > 0; round++) {
      assert(round < 100_000, "the wheel does not come to an end");
      this.#passTime();
      this.#check();
    }
    assertStrictEquals(this.#wheel.nextDelayMs, undefined);
  }

  #delayMs(): number {
    const kind = this.#random.below(12);
    if (kind === 0) return 0;
    if (kind < 5) return this.#random.below(64 * 8) / 8;
    if (kind < 9) return this.#random.below(1000);
    if (kind < 10) return this.#random.below(2 ** 20);
    if (kind < 11) return this.#random.below(2 ** 32);
    return Math.floor(this.#random.float() * DELAY_MS_MAX);
  }

  #schedule(): void {
    const delayMs = this.#delayMs();
    const deadlineMs = this.#clock.nowMs() + delayMs;
    const ordinal = this.#ordinal++;
    const timer = this.#wheel.schedule(delayMs, () => {
      assert(this.#clock.nowMs() >= deadlineMs, `timer ${ordinal} is early`);
      this.#ran(ordinal);
    });
    const tick = Math.ceil((deadlineMs - this.#originMs) / this.#tickMs);
    this.#timers.set(ordinal, { ordinal, tick, timer });
  }

  #cancel(): void {
    // Recent timers and, sometimes, ones long gone.
    const ordinal = this.#ordinal - 1 - this.#random.below(Math.min(this.#ordinal, 200) || 1);
    const known = this.#timers.get(ordinal);
    if (known === undefined) return;
    assertStrictEquals(known.timer.cancel(), true);
    assertStrictEquals(known.timer.active, false);
    this.#timers.delete(ordinal);
    this.#due = this.#due.filter((due) => due !== known);
  }

  #ran(ordinal: number): void {
    const expected = this.#due.shift();
    assertStrictEquals(ordinal, expected?.ordinal);
    assertStrictEquals(expected?.timer.active, false);
    assertStrictEquals(expected?.timer.cancel(), false);
    this.#timers.delete(ordinal);
    const reaction = this.#random.below(10);
    if (reaction < 2) this.#schedule();
    if (reaction === 1 || reaction === 2) this.#cancel();
  }

  #passTime(): void {
    const kind = this.#random.below(20);
    const nextDelayMs = this.#wheel.nextDelayMs ?? 1;
    if (kind < 8) this.#clock.advance(this.#random.below(80 * 8) / 8);
    else if (kind < 14) this.#clock.advance(nextDelayMs);
    else if (kind < 17) this.#clock.advance(this.#random.below(5000));
    else if (kind < 19) this.#clock.advance(this.#random.below(2 ** 31));
    else this.#clock.advance(this.#random.below(2 ** 31) * 512);
    const nowTick = this.#nowTick();
    this.#due = [...this.#timers.values()].filter((known) => known.tick <= nowTick)
      .sort((a, b) => a.tick - b.tick || a.ordinal - b.ordinal);
    this.#advancing = true;
    const ranBefore = this.#timers.size;
    const runCount = this.#wheel.advance();
    this.#advancing = false;
    assertEquals(this.#due, [], "due timers that did not run");
    assert(runCount <= ranBefore);
    this.#sleep();
  }

  #sleep(): void {
    assertStrictEquals(this.#advancing, false);
    const delayMs = this.#wheel.nextDelayMs;
    this.#wakeMs = delayMs === undefined ? Infinity : this.#clock.nowMs() + delayMs;
  }

  #check(): void {
    assertStrictEquals(this.#wheel.size, this.#timers.size);
    let firstMs = Infinity;
    for (const { tick } of this.#timers.values()) {
      firstMs = Math.min(firstMs, this.#originMs + tick * this.#tickMs);
    }
    assert(
      this.#wakeMs <= firstMs,
      `an owner asleep until ${this.#wakeMs} misses the timer of ${firstMs}`,
    );
    const delayMs = this.#wheel.nextDelayMs;
    assertStrictEquals(delayMs === undefined, this.#timers.size === 0);
    if (delayMs === undefined) return;
    assert(delayMs >= 0 && delayMs <= Math.max(0, firstMs - this.#clock.nowMs()));
  }

  #nowTick(): number {
    return Math.floor((this.#clock.nowMs() - this.#originMs) / this.#tickMs);
  }
}

Deno.test("TimerWheel agrees with a sorted list over random schedules, cancellations and jumps of time", () => {
  const seed = Number(Deno.env.get("SEED") ?? Math.floor(Math.random() * 2 ** 32));
  const random = new SeededRandom(seed);
  try {
    for (let run = 0; run < 60; run++) {
      const model = new Model(random);
      for (let step = 0; step < 500; step++) model.step();
      model.finish();
    }
  } catch (error) {
    throw new Error(`replay with SEED=${seed}`, { cause: error });
  }
});
