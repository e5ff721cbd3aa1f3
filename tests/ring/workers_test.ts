import assert from "node:assert/strict";
import { SeededRandom } from "../../src/base/mod.ts";
import { WORD } from "../../src/ring/layout.ts";
import { SpscRing } from "../../src/ring/mod.ts";
import { testSeeds, withSeed } from "../support/driver_seed.ts";
import { withWatchdog } from "../support/watchdog.ts";
import { consume, type FuzzRun } from "./_fuzz.ts";
import { POSITIONS, wordsOf } from "./_support.ts";

const RUN_COUNT = 10;

for (const seed of testSeeds(1)) {
  Deno.test("a ring between two workers carries every byte, whatever the schedule, the sizes and the position", () =>
    withSeed(seed, () =>
      withWatchdog(120_000, async () => {
        const random = new SeededRandom(seed);
        for (let index = 0; index < RUN_COUNT; index++) {
          const run = { seed: random.below(2 ** 31), messageCount: 2000 };
          const capacityBytes = 2 ** (6 + random.below(8));
          const ring = SpscRing.create({ capacityBytes });
          const words = wordsOf(ring);
          words[WORD.tail] = words[WORD.head] = POSITIONS[index % POSITIONS.length];
          const [count] = await Promise.all([consume(ring.consumer(), run), producedBy(ring, run)]);
          assert.equal(count, run.messageCount);
        }
      })));
}

/** Resolves when a worker has written the run into `ring`. */
async function producedBy({ memory }: SpscRing, run: FuzzRun): Promise<void> {
  const worker = new Worker(new URL("./_fuzz_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  worker.onmessage = resolve;
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  worker.postMessage({ memory, run });
  await promise.finally(() => worker.terminate());
}
