import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
  fail,
} from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import {
  type Clock,
  DELAY_MS_MAX,
  ManualClock,
  TICK_MS_MIN,
  type Timer,
  TIMER_SIZE_MAX,
  type Timers,
  TimerWheel,
} from "@millrace/millrace/timer";
import { ManualTimers, runProgram } from "./support.ts";

Deno.test("TimerWheel is a Timers and a Clock", () => {
  const wheel = new TimerWheel();
  const timers: Timers = wheel;
  const clock: Clock = wheel;
  const timer: Timer & Disposable = timers.schedule(1, () => {});
  assert(clock.nowMs() >= 0);
  assertStrictEquals(timer.cancel(), true);
});

Deno.test("TimerWheel.schedule() runs a callback once, when its delay has passed and never before", async () => {
  const timers = new ManualTimers();
  let runCount = 0;
  const timer = timers.schedule(10, () => runCount++);
  assertStrictEquals(timer.active, true);
  assertStrictEquals(await timers.pass(9.999), 0);
  assertStrictEquals(await timers.pass(0.001), 1);
  assertStrictEquals(timer.active, false);
  assertStrictEquals(await timers.pass(1000), 0);
  assertStrictEquals(runCount, 1);
  assertStrictEquals(timers.size, 0);
});

Deno.test("TimerWheel.schedule() rounds a deadline up to a tick, whatever fraction the clock starts at", async () => {
  for (const startMs of [0, 0.1, 0.7, 1234.567, 1e9 + 0.3]) {
    for (const tickMs of [TICK_MS_MIN, 0.1, 0.25, 1, 3, 10]) {
      for (const delayMs of [0, 0.05, 0.1, 1, 7.77, 100]) {
        const timers = new ManualTimers({ tickMs }, new ManualClock(startMs));
        await timers.pass(0.4);
        const deadlineMs = timers.nowMs() + delayMs;
        let ranAtMs = -1;
        timers.schedule(delayMs, () => ranAtMs = timers.nowMs());
        let stepCount = 0;
        while (ranAtMs < 0) {
          const waitMs = timers.nextDelayMs;
          assert(waitMs !== undefined);
          timers.clock.advance(waitMs);
          timers.advance();
          // An owner that wakes when told to must not find that it has to wake again at once, over and over.
          assert(++stepCount < 30, `start ${startMs}, tick ${tickMs}, delay ${delayMs}`);
        }
        assert(ranAtMs >= deadlineMs, `ran at ${ranAtMs}, due at ${deadlineMs}`);
        assert(ranAtMs <= deadlineMs + 2 * tickMs + 1e-6, `ran at ${ranAtMs}, due at ${deadlineMs}`);
      }
    }
  }
});

Deno.test("TimerWheel.advance() is not early where the division by the tick rounds up", () => {
  const timers = new ManualTimers({ tickMs: 0.1 }, new ManualClock(0.7));
  const deadlineMs = 0.7 + 554 * 0.1;
  const justBeforeMs = 56.1;
  assert(justBeforeMs < deadlineMs && Math.floor((justBeforeMs - 0.7) / 0.1) === 554);
  const delayMs = deadlineMs - 0.7;
  assertStrictEquals(0.7 + delayMs, deadlineMs);
  timers.schedule(delayMs, () => {});
  timers.clock.set(justBeforeMs);
  assertStrictEquals(timers.advance(), 0);
  timers.clock.set(deadlineMs);
  assertStrictEquals(timers.advance(), 1);
});

Deno.test("TimerWheel.schedule() refuses a delay that is no number from 0 to DELAY_MS_MAX", () => {
  const timers = new ManualTimers();
  for (const delayMs of [-1, -0.001, NaN, Infinity, -Infinity, DELAY_MS_MAX + 1]) {
    assertThrows(() => timers.schedule(delayMs, () => {}), RangeError);
  }
  assertStrictEquals(timers.size, 0);
  timers.schedule(-0, () => {});
  timers.schedule(DELAY_MS_MAX, () => {});
  assertStrictEquals(timers.size, 2);
});

Deno.test("TimerWheel refuses a tick and a size out of range", () => {
  for (const tickMs of [0, -1, NaN, Infinity, TICK_MS_MIN / 2]) {
    assertThrows(() => new TimerWheel({ tickMs }), RangeError);
  }
  for (const sizeMax of [0, -1, 1.5, NaN, Infinity, TIMER_SIZE_MAX + 1]) {
    assertThrows(() => new TimerWheel({ sizeMax }), RangeError);
  }
});

Deno.test("TimerWheel.schedule() throws at sizeMax and takes timers again when one has gone", () => {
  const timers = new ManualTimers({ sizeMax: 3 });
  const [first] = [1, 2, 3].map((delayMs) => timers.schedule(delayMs, () => {}));
  assertThrows(() => timers.schedule(4, () => {}), RangeError);
  first.cancel();
  timers.schedule(4, () => {});
  timers.clock.advance(10);
  assertStrictEquals(timers.advance(), 3);
});

Deno.test("TimerWheel.advance() runs what is due by deadline and, within a tick, in the order scheduled", () => {
  const timers = new ManualTimers();
  const order: string[] = [];
  for (const [delayMs, name] of [[300, "d"], [5, "a"], [40, "b"], [40, "c"], [9999, "e"]] as const) {
    timers.schedule(delayMs, () => order.push(name));
  }
  timers.clock.advance(1_000_000);
  assertStrictEquals(timers.advance(), 5);
  assertEquals(order, ["a", "b", "c", "d", "e"]);
});

Deno.test("TimerWheel.advance() crosses any gap in bounded work", () => {
  const timers = new ManualTimers();
  const order: number[] = [];
  const delaysMs = [2 ** 20, 2 ** 30 - 1, 2 ** 30, 2 ** 31 + 7, 2 ** 40, 2 ** 40 + 1, DELAY_MS_MAX];
  for (const delayMs of delaysMs.toReversed()) timers.schedule(delayMs, () => order.push(delayMs));
  timers.clock.advance(2 ** 40 - 0.5);
  assertStrictEquals(timers.advance(), 4);
  timers.clock.advance(0.5);
  assertStrictEquals(timers.advance(), 1);
  timers.clock.advance(DELAY_MS_MAX);
  assertStrictEquals(timers.advance(), 2);
  assertEquals(order, delaysMs);
});

Deno.test("Timer.cancel() prevents the run once, and is false for a timer that ran", () => {
  const timers = new ManualTimers();
  const cancelled = timers.schedule(1, () => fail("cancelled"));
  const ran = timers.schedule(1, () => {});
  assertStrictEquals(cancelled.cancel(), true);
  assertStrictEquals(cancelled.cancel(), false);
  assertStrictEquals(cancelled.active, false);
  assertStrictEquals(timers.size, 1);
  timers.clock.advance(1);
  assertStrictEquals(timers.advance(), 1);
  assertStrictEquals(ran.cancel(), false);
});

Deno.test("Timer.cancel() of a timer long gone leaves its successors alone", () => {
  const timers = new ManualTimers();
  const gone = timers.schedule(1, () => {});
  timers.clock.advance(1);
  timers.advance();
  const successor = timers.schedule(1, () => {});
  assertStrictEquals(gone.active, false);
  assertStrictEquals(gone.cancel(), false);
  assertStrictEquals(successor.active, true);
});

Deno.test("Timer[Symbol.dispose]() cancels", () => {
  const timers = new ManualTimers();
  {
    using timer = timers.schedule(1, () => fail("disposed"));
    assertStrictEquals(timer.active, true);
  }
  assertStrictEquals(timers.size, 0);
  timers.clock.advance(5);
  assertStrictEquals(timers.advance(), 0);
});

Deno.test("TimerWheel.advance() lets a callback cancel timers due in the same call, itself included", () => {
  const timers = new ManualTimers();
  const order: string[] = [];
  const first: Timer = timers.schedule(1, () => {
    order.push("first");
    assertStrictEquals(first.active, false);
    assertStrictEquals(first.cancel(), false);
    assertStrictEquals(sameTick.cancel(), true);
    assertStrictEquals(laterTick.cancel(), true);
    assertStrictEquals(notDue.cancel(), true);
  });
  const sameTick = timers.schedule(1, () => order.push("same tick"));
  const laterTick = timers.schedule(50, () => order.push("later tick"));
  timers.schedule(60, () => order.push("last"));
  const notDue = timers.schedule(5000, () => order.push("not due"));
  timers.clock.advance(100);
  assertStrictEquals(timers.advance(), 2);
  assertEquals(order, ["first", "last"]);
  assertStrictEquals(timers.size, 0);
});

Deno.test("TimerWheel.advance() leaves what a callback schedules to a later call, even without delay", () => {
  const timers = new ManualTimers();
  let runCount = 0;
  const again = (): void => {
    runCount++;
    timers.schedule(0, again);
  };
  timers.schedule(0, again);
  for (let call = 1; call <= 3; call++) {
    assertStrictEquals(timers.advance(), 1);
    assertStrictEquals(runCount, call);
    assertStrictEquals(timers.nextDelayMs, 0);
  }
});

Deno.test("TimerWheel.advance() leaves what becomes due while it runs to a later call", () => {
  const timers = new ManualTimers();
  const order: string[] = [];
  timers.schedule(1, () => {
    order.push("slow");
    timers.clock.advance(10);
    timers.schedule(100, () => {});
  });
  timers.schedule(5, () => order.push("due meanwhile"));
  timers.clock.advance(1);
  assertStrictEquals(timers.advance(), 1);
  assertEquals(order, ["slow"]);
  assertStrictEquals(timers.nextDelayMs, 0);
  assertStrictEquals(timers.advance(), 1);
});

Deno.test("TimerWheel.advance() called by a callback goes on with what is due, each callback running once", () => {
  const timers = new ManualTimers();
  const order: string[] = [];
  timers.schedule(1, () => {
    order.push("a");
    assertStrictEquals(timers.nextDelayMs, 0);
    assertStrictEquals(timers.advance(), 2);
  });
  timers.schedule(2, () => order.push("b"));
  timers.schedule(3, () => order.push("c"));
  timers.clock.advance(10);
  assertStrictEquals(timers.advance(), 1);
  assertEquals(order, ["a", "b", "c"]);
});

Deno.test("TimerWheel.advance() gives what a callback throws to onError and runs the others", () => {
  const errors: unknown[] = [];
  const timers = new ManualTimers({ onError: (error) => errors.push(error) });
  const order: number[] = [];
  for (let ordinal = 0; ordinal < 4; ordinal++) {
    timers.schedule(1, () => {
      order.push(ordinal);
      if (ordinal % 2 === 0) throw new Error(`callback ${ordinal}`);
    });
  }
  timers.clock.advance(1);
  assertStrictEquals(timers.advance(), 4);
  assertEquals(order, [0, 1, 2, 3]);
  assertEquals(errors.map(String), ["Error: callback 0", "Error: callback 2"]);
});

Deno.test("TimerWheel.advance() keeps the others for its next call when onError throws", () => {
  const timers = new ManualTimers({
    onError: (error) => {
      throw error;
    },
  });
  let runCount = 0;
  timers.schedule(1, () => {
    throw new Error("first");
  });
  timers.schedule(1, () => runCount++);
  timers.clock.advance(1);
  assertThrowsMatching(() => timers.advance(), /first/);
  assertStrictEquals(timers.nextDelayMs, 0);
  assertStrictEquals(timers.size, 1);
  assertStrictEquals(timers.advance(), 1);
  assertStrictEquals(runCount, 1);
});

Deno.test("TimerWheel reports what a callback throws as an uncaught error unless told otherwise", async () => {
  const { code, stdout } = await runProgram(`
    import { sleep, TimerWheel } from "@millrace/millrace/timer";
    addEventListener("error", (event) => { console.log("reported", event.error.message); event.preventDefault(); });
    const wheel = new TimerWheel();
    wheel.schedule(0, () => { throw new Error("boom"); });
    wheel.schedule(0, () => console.log("the other ran"));
    await sleep(2);
    wheel.advance();
  `);
  assertStrictEquals(code, 0);
  assertStrictEquals(stdout, "reported boom\nthe other ran\n");
});

Deno.test("TimerWheel.nextDelayMs is undefined without timers, exact for near ones, never late for far ones", () => {
  const timers = new ManualTimers();
  assertStrictEquals(timers.nextDelayMs, undefined);
  const far = timers.schedule(100_000, () => {});
  const farDelayMs = timers.nextDelayMs;
  assert(farDelayMs !== undefined && farDelayMs > 0 && farDelayMs <= 100_000);
  const near = timers.schedule(20, () => {});
  assertStrictEquals(timers.nextDelayMs, 20);
  timers.clock.advance(5);
  assertStrictEquals(timers.nextDelayMs, 15);
  timers.clock.advance(500);
  assertStrictEquals(timers.nextDelayMs, 0);
  near.cancel();
  far.cancel();
  assertStrictEquals(timers.nextDelayMs, undefined);
});

Deno.test("TimerWheel.nextDelayMs is exact for a near timer even after a long time without advance()", () => {
  const timers = new ManualTimers();
  timers.schedule(10_000_000, () => {});
  timers.clock.advance(1_234_560);
  timers.schedule(7, () => {});
  assertStrictEquals(timers.nextDelayMs, 7);
  assertStrictEquals(timers.nextDeadlineMs, 1_234_567);
});

Deno.test("TimerWheel.onEarlier() is called for a timer due before all others, and only for such", () => {
  const timers = new ManualTimers();
  let callCount = 0;
  timers.onEarlier = () => {
    callCount++;
    assertNotStrictEquals(timers.nextDelayMs, undefined);
  };
  timers.schedule(20, () => {});
  assertStrictEquals(callCount, 1);
  timers.schedule(20, () => {});
  timers.schedule(30, () => {});
  timers.schedule(50_000, () => {});
  assertStrictEquals(callCount, 1);
  timers.schedule(10, () => {});
  assertStrictEquals(callCount, 2);
  // Inside advance() its caller asks for the next delay afterwards, so there is nobody to tell.
  timers.schedule(5, () => timers.schedule(1, () => {}));
  assertStrictEquals(callCount, 3);
  timers.clock.advance(5);
  timers.advance();
  assertStrictEquals(callCount, 3);
  assertStrictEquals(timers.nextDelayMs, 1);
});

Deno.test("TimerWheel.onEmpty() is called when the last timer is cancelled, not when it runs", () => {
  const timers = new ManualTimers();
  let callCount = 0;
  timers.onEmpty = () => callCount++;
  const [first, second] = [timers.schedule(1, () => {}), timers.schedule(2, () => {})];
  first.cancel();
  assertStrictEquals(callCount, 0);
  second.cancel();
  assertStrictEquals(callCount, 1);
  const pending = timers.schedule(9, () => {});
  timers.schedule(1, () => pending.cancel());
  timers.clock.advance(1);
  timers.advance();
  assertStrictEquals(timers.size, 0);
  assertStrictEquals(callCount, 1);
});

Deno.test("TimerWheel lets go of callbacks that ran or were cancelled", async () => {
  const { code, stdout, stderr } = await runProgram(
    `
    import { ManualClock, sleep, TimerWheel } from "@millrace/millrace/timer";
    const clock = new ManualClock();
    const wheel = new TimerWheel({ clock });
    const references: WeakRef<object>[] = [];
    const timers = Array.from({ length: 100 }, (_, index) => {
      const captured = { index };
      references.push(new WeakRef(captured));
      return wheel.schedule(1 + index * 100, () => { captured.index++; });
    });
    timers.slice(50).forEach((timer) => timer.cancel());
    clock.advance(6000);
    wheel.advance();
    await sleep(1);
    (globalThis as unknown as { gc(): void }).gc();
    console.log(references.filter((reference) => reference.deref() !== undefined).length, timers.length);
  `,
    ["--v8-flags=--expose-gc"],
  );
  assertStrictEquals(code, 0, stderr);
  assertStrictEquals(stdout, "0 100\n");
});
