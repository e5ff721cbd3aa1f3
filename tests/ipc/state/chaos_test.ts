import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import { SeededRandom } from "../../../src/base/mod.ts";
import { MemoryPool, SharedLock, SharedSemaphore, SharedState } from "../../../src/ipc/state/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { nameSkipReason, nativeSkipReason } from "../../support/driver_native.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { type ChaosOrder, findTorn } from "./chaos_process.ts";
import { pause, StateNames, until } from "./support.ts";

nameSkipReason("State, locks and pools under chaos", nativeSkipReason());

/** Strikes in a run; more by the variable, for a night's run. */
const STRIKES = Number(Deno.env.get("MILLRACE_CHAOS_STRIKES") ?? 60);
const WATCHDOG_MS = 60_000 + STRIKES * 1000;
const PROGRAM = new URL("./chaos_process.ts", import.meta.url).pathname;
const PROCESSES = 4;
const PERMITS = 2;
const KEYS = 40;
/** So few that there is no room for all keys at times; those that are set at first have theirs. */
const CAPACITY = 36;
const BLOCKS = 4;

interface Running {
  readonly child: Deno.ChildProcess;
  readonly log: string;
}

function chaosTest(what: string, killedPercent: number, strikes = STRIKES): void {
  Deno.test({
    name: `SharedState, SharedLock, SharedSemaphore, MemoryPool: ${what}`,
    ignore: nativeSkipReason() !== undefined,
    async fn() {
      const [seed] = testSeeds(1);
      await withSeed(seed, () => withWatchdog(WATCHDOG_MS, () => runChaos(seed, killedPercent, strikes)));
    },
  });
}

async function runChaos(seed: number, killedPercent: number, strikes: number): Promise<void> {
  const random = new SeededRandom(seed);
  const directory = await Deno.makeTempDir({ prefix: "millrace_chaos_" });
  using names = new StateNames();
  const name = names.next();
  using state = SharedState.create(name, { capacity: CAPACITY, valueBytesMax: 4096, writersMax: 8 });
  for (const counter of ["one", "other", "total"]) state.increment(counter, 0);
  using lock = SharedLock.create(name);
  using semaphore = SharedSemaphore.create(name, { permits: PERMITS });
  using pool = MemoryPool.create(name, { blockCount: BLOCKS, blockBytes: 128 });
  const places = Array.from(
    { length: PERMITS },
    (_, index) => SharedLock.create(names.add(`${name}.${index}`)),
  );
  const all: Running[] = [];
  const start = (): Running => {
    const number = all.length + 1;
    const log = join(directory, `${number}`);
    const order: ChaosOrder = {
      name,
      number,
      seed: (seed + number) % 2 ** 32,
      log,
      keys: KEYS,
      permits: PERMITS,
    };
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--no-lock", PROGRAM, JSON.stringify(order)],
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    all.push({ child, log });
    return all[all.length - 1];
  };
  try {
    const present = Array.from({ length: PROCESSES }, start);
    await until(() => present.every(({ log }) => linesOf(log).length > 0));
    for (let strike = 0; strike < strikes; strike++) {
      await pause(random.below(40));
      const at = random.below(present.length);
      const { child } = present[at];
      if (random.below(100) < killedPercent) {
        // Some die while they are stopped.
        if (random.below(4) === 0) {
          child.kill("SIGSTOP");
          await pause(random.below(20));
        }
        child.kill("SIGKILL");
        await child.status;
        present[at] = start();
      } else {
        child.kill("SIGSTOP");
        await pause(random.below(60));
        child.kill("SIGCONT");
      }
      // Whoever is stopped or dead, values are whole.
      for (const { key, value } of state.entries({ prefix: "key " })) {
        assertStrictEquals(findTorn(value), undefined, key);
      }
    }
    await until(() => present.every(({ log }) => linesOf(log).length > 0));
    for (const { child } of present) child.kill("SIGTERM");
    for (const { child } of present) {
      const { code, signal } = await child.status;
      assertEquals([code, signal], [0, null], all.flatMap(({ log }) => linesOf(log)).join("; "));
    }
    const lines = all.flatMap(({ log }) => linesOf(log));
    const totals = lines.filter((line) => line.startsWith("total ")).map((line) => Number(line.slice(6)));
    assertEquals(lines.filter((line) => line !== "begun" && !line.startsWith("total ")), []);
    const counted = totals.reduce((sum, total) => sum + total, 0);
    const total = state.counter("total") ?? 0;
    assert(total >= counted, `${total} increments, and ${counted} have returned to those who are left`);
    if (killedPercent === 0) {
      assertStrictEquals(total, counted);
      assertStrictEquals(state.counter("one"), state.counter("other"));
      assertStrictEquals(lock.status().abandonedCount, 0);
    }
    findLeaks(state, lock, semaphore, pool);
    for (const place of places) assert(place.tryAcquire() !== undefined);
  } finally {
    for (const { child } of all) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
      await child.status;
    }
    for (const place of places) place.close();
    await Deno.remove(directory, { recursive: true });
  }
}

/** Everybody else is gone: all that there is can be had. */
function findLeaks(state: SharedState, lock: SharedLock, semaphore: SharedSemaphore, pool: MemoryPool): void {
  assert(lock.tryAcquire() !== undefined, "the lock can be had");
  for (let count = 0; count < PERMITS; count++) {
    assert(semaphore.tryAcquire() !== undefined, "each permit");
  }
  assertStrictEquals(semaphore.tryAcquire(), undefined);
  for (let count = 0; count < BLOCKS; count++) assert(pool.tryAcquire() !== undefined, "each block");
  for (const key of [...state.keys()]) state.delete(key);
  for (let round = 0; round < 3; round++) {
    for (let count = 0; count < CAPACITY; count++) state.set(`leak ${count}`, `${round}`);
  }
  assertStrictEquals([...state.keys()].length, CAPACITY, "each key has room");
  assertStrictEquals(state.status().damagedCount, 0);
}

function linesOf(path: string): string[] {
  try {
    return Deno.readTextFileSync(path).split("\n").slice(0, -1);
  } catch {
    return [];
  }
}

chaosTest("nothing is torn, lost or leaked, whoever is killed or stopped at whatever moment", 70);
chaosTest("all is exact when nobody dies, however long somebody is stopped", 0, 20);
