import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { SharedMailbox, SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { nameSkipReason, nativeSkipReason } from "../../support/driver_native.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { type ChaosPlan, runChaos } from "./chaos.ts";
import { checkMailbox, checkMessages, checkRequests } from "./chaos_checks.ts";
import { QueueNames } from "./support.ts";

nameSkipReason("SharedQueue under chaos", nativeSkipReason());

/** Strikes in a run; more by the variable, for a night's run. */
const STRIKES = Number(Deno.env.get("MILLRACE_CHAOS_STRIKES") ?? 100);
const WATCHDOG_MS = 60_000 + STRIKES * 1000;
/** Boxes of 1 MiB: so few that writers wait for them. */
const BOX_COUNT = 4;

type Run = Omit<ChaosPlan, "seed" | "queue" | "strikes">;

const CHECKS = { messages: checkMessages, requests: checkRequests, mailbox: checkMailbox };

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
      using opened = SharedQueue.create(queue, { ...shape, messageBytesMax: 300 });
      using mailbox = run.pair === "mailbox"
        ? SharedMailbox.create(opened, { boxes: { 1: BOX_COUNT } })
        : undefined;
      const plan = { ...run, seed, queue, strikes };
      await withSeed(seed, async () => {
        const history = await withWatchdog(WATCHDOG_MS, () => runChaos(plan));
        const outcome = CHECKS[run.pair](plan, history);
        assert("sent" in outcome ? outcome.sent > 0 : outcome.answered > 0);
        assert(outcome.killed > 0 || run.killedPercent === 0);
        findLeaks(opened, mailbox);
      });
    },
  });
}

/** Everybody else is gone: nothing is anybody's, and every place can be had. */
function findLeaks(queue: SharedQueue, mailbox: SharedMailbox | undefined): void {
  const { readyCount, reservedCount, deadLetterCount, damagedCount } = queue.status();
  assertEquals([readyCount, reservedCount, deadLetterCount, damagedCount], [0, 0, 0, 0]);
  let count = 0;
  while (queue.trySend("x")) count++;
  assertStrictEquals(count, queue.capacity, "every slot can be filled");
  assertStrictEquals(queue.status().participants.length, 1, "nobody else is left");
  if (mailbox !== undefined) assertStrictEquals(mailbox.freeCount, BOX_COUNT);
}

chaosTest(
  "nothing acknowledged is lost, torn or invented, whoever is killed or stopped at whatever moment",
  { pair: "messages", givers: 2, takers: 2, killedPercent: 70, pauseMsMax: 60, keys: 0 },
  { capacity: 32 },
);
chaosTest(
  "partitions keep their order, one message at a time, whoever is killed or stopped",
  { pair: "messages", givers: 2, takers: 3, killedPercent: 70, pauseMsMax: 60, keys: 5 },
  { capacity: 32, partitions: 4 },
);
chaosTest(
  "one consumer has the messages of each producer in order, whichever of these is killed or stopped",
  { pair: "messages", givers: 3, takers: 1, killedPercent: 50, pauseMsMax: 30, keys: 0, victims: "producer" },
  { capacity: 16 },
  60,
);
chaosTest(
  "every message is delivered exactly once when nobody dies, however long somebody is stopped",
  { pair: "messages", givers: 2, takers: 2, killedPercent: 0, pauseMsMax: 20, keys: 0 },
  { capacity: 32 },
  20,
);
chaosTest(
  "each request ends, with its own reply if with any, whoever is killed or stopped",
  { pair: "requests", givers: 2, takers: 2, killedPercent: 70, pauseMsMax: 60, keys: 0 },
  { capacity: 5 },
  Math.ceil(STRIKES * 0.6),
);
chaosTest(
  "no request is lost or handled twice when nobody dies, however long somebody is stopped",
  { pair: "requests", givers: 2, takers: 2, killedPercent: 0, pauseMsMax: 20, keys: 0 },
  { capacity: 8 },
  20,
);
chaosTest(
  "boxes of a mailbox come whole with their messages, and none is lost, whoever is killed or stopped",
  { pair: "mailbox", givers: 2, takers: 2, killedPercent: 70, pauseMsMax: 60, keys: 0 },
  { capacity: 6 },
  Math.ceil(STRIKES * 0.6),
);
