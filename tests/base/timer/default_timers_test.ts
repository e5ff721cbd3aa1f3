import { assertEquals, assertStrictEquals, fail } from "@std/assert";
import { defaultTimers } from "@millrace/millrace/timer";
import { nextTurn, runProgram } from "./support.ts";

/** Counts the host's timers while `body` runs. */
async function countingHostTimers(
  body: (counts: { set: number; cleared: number }) => Promise<void>,
): Promise<void> {
  const { setTimeout: hostSet, clearTimeout: hostClear } = globalThis;
  const counts = { set: 0, cleared: 0 };
  globalThis.setTimeout = ((...args: Parameters<typeof hostSet>) => {
    counts.set++;
    return hostSet(...args);
  }) as typeof hostSet;
  globalThis.clearTimeout = (...args: Parameters<typeof hostClear>) => {
    counts.cleared++;
    hostClear(...args);
  };
  try {
    await body(counts);
  } finally {
    globalThis.setTimeout = hostSet;
    globalThis.clearTimeout = hostClear;
  }
}

Deno.test("defaultTimers() gives the same timers at every call", () => {
  assertStrictEquals(defaultTimers(), defaultTimers());
});

Deno.test("defaultTimers().schedule() runs callbacks by deadline and never early", async () => {
  const timers = defaultTimers();
  let order: string[] = [];
  // A thread that is held up between two of these calls gives the later one a later deadline; then once more.
  for (let setMs = Infinity; setMs >= 5;) {
    order = [];
    const startMs = timers.nowMs();
    await new Promise<void>((resolve) => {
      timers.schedule(30, () => {
        order.push(`last, early: ${timers.nowMs() - startMs < 30}`);
        resolve();
      });
      timers.schedule(5, () => order.push(`first, early: ${timers.nowMs() - startMs < 5}`));
      const cancelled = timers.schedule(10, () => order.push("cancelled"));
      timers.schedule(0, () => cancelled.cancel());
      setMs = timers.nowMs() - startMs;
    });
  }
  assertEquals(order, ["first, early: false", "last, early: false"]);
});

Deno.test("defaultTimers() arms one host timer for many timers, again only for an earlier one", async () => {
  await countingHostTimers(async (counts) => {
    const timers = defaultTimers();
    const held = Array.from({ length: 100 }, (_, index) => timers.schedule(60_000 + index * 100, () => {}));
    assertEquals(counts, { set: 1, cleared: 0 });
    held.push(timers.schedule(1000, () => {}));
    assertEquals(counts, { set: 2, cleared: 1 });
    held.push(timers.schedule(90_000, () => {}));
    assertEquals(counts, { set: 2, cleared: 1 });
    for (const timer of held) timer.cancel();
    await Promise.resolve();
    assertEquals(counts, { set: 2, cleared: 2 });
  });
});

Deno.test("defaultTimers() leaves the host timer armed across cancel and schedule in one turn", async () => {
  await countingHostTimers(async (counts) => {
    const timers = defaultTimers();
    for (let round = 0; round < 1000; round++) timers.schedule(60_000, () => {}).cancel();
    assertStrictEquals(counts.set, 1);
    await Promise.resolve();
    assertEquals(counts, { set: 1, cleared: 1 });
  });
});

Deno.test("defaultTimers() re-arms for what a callback schedules and for what is left", async () => {
  const timers = defaultTimers();
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    timers.schedule(1, () => {
      order.push("outer");
      timers.schedule(1, () => order.push("inner"));
    });
    timers.schedule(40, () => {
      order.push("left");
      resolve();
    });
  });
  assertEquals(order, ["outer", "inner", "left"]);
  await nextTurn();
});

Deno.test("defaultTimers() takes delays longer than the host's, which would fire at once", async () => {
  await countingHostTimers(async (counts) => {
    const timer = defaultTimers().schedule(2 ** 40, () => fail("fired"));
    const hostDelay = Promise.withResolvers<void>();
    setTimeout(hostDelay.resolve, 20);
    await hostDelay.promise;
    assertStrictEquals(counts.set, 2);
    assertStrictEquals(timer.cancel(), true);
    await Promise.resolve();
  });
});

Deno.test("importing the timer module starts nothing", async () => {
  const { code, stdout } = await runProgram(`
    const hostSet = globalThis.setTimeout;
    let setCount = 0;
    globalThis.setTimeout = ((...args: Parameters<typeof hostSet>) => { setCount++; return hostSet(...args); }) as typeof hostSet;
    await import("@millrace/millrace/timer");
    console.log(setCount);
  `);
  assertEquals({ code, stdout }, { code: 0, stdout: "0\n" });
});

Deno.test("defaultTimers() keeps the process running while a timer is held", async () => {
  const { code, stdout } = await runProgram(`
    import { defaultTimers } from "@millrace/millrace/timer";
    defaultTimers().schedule(50, () => console.log("ran"));
    console.log("end of main");
  `);
  assertEquals({ code, stdout }, { code: 0, stdout: "end of main\nran\n" });
});

Deno.test("defaultTimers() lets the process exit once every timer ran or was cancelled", async () => {
  // The watchdog of runProgram() ends a child that waits for the hour.
  const { code, stdout } = await runProgram(`
    import { defaultTimers, sleep, withTimeout } from "@millrace/millrace/timer";
    const timer = defaultTimers().schedule(3_600_000, () => console.log("never"));
    await withTimeout(sleep(5), 3_600_000);
    timer.cancel();
    console.log("end of main");
  `);
  assertEquals({ code, stdout }, { code: 0, stdout: "end of main\n" });
});

Deno.test("defaultTimers() runs the timers after one that throws when the error is handled", async () => {
  const { code, stdout } = await runProgram(`
    import { defaultTimers } from "@millrace/millrace/timer";
    addEventListener("error", (event) => { console.log(event.error.message); event.preventDefault(); });
    defaultTimers().schedule(1, () => { throw new Error("boom"); });
    defaultTimers().schedule(1, () => console.log("same tick"));
    defaultTimers().schedule(20, () => console.log("later"));
  `);
  assertEquals({ code, stdout }, { code: 0, stdout: "boom\nsame tick\nlater\n" });
});
