import { assert, assertStrictEquals } from "@std/assert";
import { Uring } from "../../../../ffi/mod.ts";
import { LoopWaker } from "../../../../src/io/reactor/uring/loop_waker.ts";
import { nameSkipReason } from "../../../support/driver_native.ts";
import { URING_RUNGS, uringSkipReason } from "../../../support/driver_uring.ts";
import { withWatchdog } from "../../../support/watchdog.ts";

const WATCHDOG_MS = 30_000;
const HOUR_MS = 3_600_000;

nameSkipReason("LoopWaker", uringSkipReason());

for (const rung of URING_RUNGS) {
  const test = (name: string, body: (ring: Uring, waker: LoopWaker) => Promise<void>) => {
    Deno.test({
      name: `LoopWaker (${rung})${name}`,
      ignore: uringSkipReason(rung) !== undefined,
      fn: () =>
        withWatchdog(WATCHDOG_MS, async () => {
          using ring = Uring.open({ entries: 8, completionEntries: 16, deferTaskrun: rung === "full" });
          const waker = new LoopWaker(ring);
          try {
            await body(ring, waker);
          } finally {
            waker.close();
            await hostSleep(5);
          }
        }),
    });
  };

  test(".wait() ends when something completes", async (ring, waker) => {
    for (let round = 1; round <= 20; round++) {
      const waiting = waker.wait(round % 2 === 0 ? undefined : HOUR_MS, true);
      ring.prepareNop(round);
      ring.enter(0);
      await waiting;
      assertStrictEquals(ring.reap({ complete: () => {} }), 1);
    }
  });

  test(".wait() ends at once for what has completed before", async (ring, waker) => {
    await waker.wait(1, true);
    ring.prepareNop(1);
    ring.enter(0);
    await waker.wait(HOUR_MS, true);
    assertStrictEquals(ring.reap({ complete: () => {} }), 1);
  });

  test(".wait() ends after its time", async (_ring, waker) => {
    const startMs = performance.now();
    await waker.wait(20, true);
    assert(performance.now() - startMs >= 19);
  });

  test(".interrupt() ends a wait, and the next one has its own bound", async (_ring, waker) => {
    for (let round = 0; round < 20; round++) {
      const waiting = waker.wait(HOUR_MS, true);
      waker.interrupt();
      await waiting;
    }
    // The native thread still sleeps for an hour; this wait is shorter than that.
    await waker.wait(10, true);
  });

  test(".interrupt() without a wait does nothing", async (_ring, waker) => {
    waker.interrupt();
    await waker.wait(1, true);
    waker.interrupt();
  });

  test(".close() ends a wait", async (_ring, waker) => {
    const waiting = waker.wait(HOUR_MS, true);
    waker.close();
    await waiting;
  });
}

function hostSleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
