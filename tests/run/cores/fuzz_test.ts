import { assertEquals } from "@std/assert";
import { SeededRandom } from "../../../src/base/mod.ts";
import { startCores } from "../../../src/run/cores/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { fuzz } from "./fuzz_core.ts";
import { coresTest, DRIVERS, moduleOf, until } from "./support.ts";

const CALL_COUNT = 500;

for (const driver of DRIVERS) {
  for (const seed of testSeeds(1)) {
    coresTest(
      `calls between three cores, at random, all get their answers (${driver})`,
      () =>
        withSeed(seed, async () => {
          const random = new SeededRandom(seed);
          const idle = (["cooperate", "block", "spin"] as const)[random.below(3)];
          const ringCapacityBytes = 4096 << random.below(5);
          const group = await startCores({
            module: moduleOf("./fuzz_core.ts"),
            count: 3,
            driver,
            idle,
            ringCapacityBytes,
          });
          try {
            const runs = [0, 1, 2].map((core) => group.submitTo(core, fuzz, seed + core, CALL_COUNT));
            assertEquals(await Promise.all(runs), [CALL_COUNT, CALL_COUNT, CALL_COUNT]);
            // A call that was given up is outstanding until the other core has heard of it.
            await until(async () =>
              (await group.statistics()).every(({ callsOutstandingCount, waitingBytes }) =>
                callsOutstandingCount === 0 && waitingBytes.every((bytes) => bytes === 0)
              )
            );
          } finally {
            await group.shutdown();
          }
        }),
    );
  }
}
