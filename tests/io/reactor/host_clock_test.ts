import assert from "node:assert/strict";
import { hostClock } from "../../../src/io/reactor/host_clock.ts";

Deno.test("hostClock() never goes back, and counts milliseconds", async () => {
  const clock = hostClock();
  const [startMs, hostStartMs] = [clock.nowMs(), performance.now()];
  let before = startMs;
  for (let round = 0; round < 10_000; round++) {
    const nowMs = clock.nowMs();
    assert.ok(nowMs >= before);
    before = nowMs;
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  const [hostPassedMs, passedMs] = [performance.now() - hostStartMs, clock.nowMs() - startMs];
  // Read in this order: the clock's span holds the host's.
  assert.ok(passedMs >= hostPassedMs - 1, `${passedMs} of ${hostPassedMs} ms`);
});
