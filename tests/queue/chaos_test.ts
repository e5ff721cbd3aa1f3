import assert from "node:assert/strict";
import { SharedQueue } from "../../src/queue/mod.ts";
import { testSeeds, withSeed } from "../support/driver_seed.ts";
import { nameSkipReason, nativeSkipReason } from "../support/driver_native.ts";
import { withWatchdog } from "../support/watchdog.ts";
import { type ChaosPlan, runChaos } from "./_chaos.ts";
import { QueueNames } from "./_support.ts";

nameSkipReason("SharedQueue under chaos", nativeSkipReason());

/** Strikes in a run; more by the variable, for a night's run. */
const STRIKES = Number(Deno.env.get("MILLRACE_CHAOS_STRIKES") ?? 100);
const WATCHDOG_MS = 60_000 + STRIKES * 1000;

type Run = Omit<ChaosPlan, "seed" | "queue" | "strikes">;

function chaosTest(
  what: string,
  run: Run,
  shape: { capacity: number; partitions?: number },
  strikes = STRIKES,
): void {
  Deno.test({
    name: `SharedQueue: ${what}`,
    ignore: nativeSkipReason() !== undefined,
    async fn() {
      const [seed] = testSeeds(1);
      using names = new QueueNames();
      const queue = names.next();
      using _ = SharedQueue.create(queue, { ...shape, messageBytesMax: 300 });
      const plan = { ...run, seed, queue, strikes };
      const outcome = await withSeed(seed, () => withWatchdog(WATCHDOG_MS, () => runChaos(plan)));
      assert.ok(outcome.sent > 0);
      assert.ok(outcome.killed > 0 || run.killedPercent === 0);
    },
  });
}

chaosTest(
  "nothing acknowledged is lost, torn or invented, whoever is killed or stopped at whatever moment",
  { producers: 2, consumers: 2, killedPercent: 70, pauseMsMax: 60, keys: 0 },
  { capacity: 32 },
);
chaosTest(
  "partitions keep their order, one message at a time, whoever is killed or stopped",
  { producers: 2, consumers: 3, killedPercent: 70, pauseMsMax: 60, keys: 5 },
  { capacity: 32, partitions: 4 },
);
chaosTest(
  "one consumer has the messages of each producer in order, whichever of these is killed or stopped",
  { producers: 3, consumers: 1, killedPercent: 50, pauseMsMax: 30, keys: 0, victims: "producer" },
  { capacity: 16 },
  60,
);
chaosTest(
  "every message is delivered exactly once when nobody dies, however long somebody is stopped",
  { producers: 2, consumers: 2, killedPercent: 0, pauseMsMax: 20, keys: 0 },
  { capacity: 32 },
  20,
);
