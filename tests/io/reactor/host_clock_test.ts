import { assert } from "@std/assert";
import { hostClock } from "../../../src/io/reactor/host_clock.ts";

Deno.test("hostClock() never goes back, and counts milliseconds", async () => {
  const clock = hostClock();
  const [startMs, hostStartMs] = [clock.nowMs(), performance.now()];
  let before = startMs;
  for (let round = 0; round < 10_000; round++) {
    const nowMs = clock.nowMs();
    assert(nowMs >= before);
    before = nowMs;
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  const [hostPassedMs, passedMs] = [performance.now() - hostStartMs, clock.nowMs() - startMs];
  // Read in this order: the clock's span holds the host's.
  assert(passedMs >= hostPassedMs - 1, `${passedMs} of ${hostPassedMs} ms`);
});
