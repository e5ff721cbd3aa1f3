import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { SeededRandom } from "../../../src/base/mod.ts";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import type { Deed } from "./chaos_checks.ts";
import type { ChaosOrder, ChaosRole } from "./chaos_process.ts";

const PROGRAM = new URL("./chaos_process.ts", import.meta.url).pathname;

/** Who gives work, and who does it. */
export const CHAOS_PAIRS = {
  messages: ["producer", "consumer"],
  requests: ["requester", "responder"],
  mailbox: ["writer", "reader"],
} as const;

/** What happens in a run. */
export interface ChaosPlan {
  readonly seed: number;
  readonly queue: string;
  readonly pair: keyof typeof CHAOS_PAIRS;
  /** Processes that give work. */
  readonly givers: number;
  /** Processes that do it. */
  readonly takers: number;
  /** Processes that are killed, or stopped for a while, one after the other. */
  readonly strikes: number;
  /** Of those, how many in a hundred are killed. */
  readonly killedPercent: number;
  /** Milliseconds between two strikes, at most. */
  readonly pauseMsMax: number;
  readonly keys: number;
  /** Who is struck. @default {everybody} */
  readonly victims?: ChaosRole;
}

/** One of the processes of a run. */
export interface Running {
  readonly order: ChaosOrder;
  readonly child: Deno.ChildProcess;
  killed: boolean;
}

/** What all processes of a run have done, in the order of time. */
export interface ChaosHistory {
  readonly deeds: readonly Deed[];
  readonly all: readonly Running[];
}

/** Runs those who give work and those who do it, and strikes at them; `queue` must exist, and is empty afterwards. */
export async function runChaos(plan: ChaosPlan): Promise<ChaosHistory> {
  const directory = await Deno.makeTempDir({ prefix: "millrace_chaos_" });
  const random = new SeededRandom(plan.seed);
  const all: Running[] = [];
  const [giver, taker] = CHAOS_PAIRS[plan.pair];
  const start = (role: ChaosRole): Running => {
    const number = all.length + 1;
    const log = join(directory, `${number}`);
    const order = {
      role,
      queue: plan.queue,
      number,
      seed: (plan.seed + number) % 2 ** 32,
      log,
      keys: plan.keys,
    };
    const running = { order, child: spawn(order), killed: false };
    all.push(running);
    return running;
  };
  try {
    const present = [
      ...Array.from({ length: plan.givers }, () => start(giver)),
      ...Array.from({ length: plan.takers }, () => start(taker)),
    ];
    const ready = () => present.every(({ order }) => exists(order.log));
    await until(ready);
    for (let strike = 0; strike < plan.strikes; strike++) {
      await pause(random.below(plan.pauseMsMax + 1));
      const candidates = present.filter(({ order }) => order.role === (plan.victims ?? order.role));
      const victim = candidates[random.below(candidates.length)];
      const at = present.indexOf(victim);
      if (random.below(100) < plan.killedPercent) {
        // Some die while they are stopped.
        if (random.below(4) === 0) {
          victim.child.kill("SIGSTOP");
          await pause(random.below(20));
        }
        await kill(victim);
        present[at] = start(victim.order.role);
      } else {
        victim.child.kill("SIGSTOP");
        await pause(random.below(100));
        victim.child.kill("SIGCONT");
      }
    }
    await until(ready);
    await stop(present.filter(({ order }) => order.role === giver));
    await drained(plan.queue);
    await stop(present.filter(({ order }) => order.role === taker));
    await drained(plan.queue);
    const deeds = all.flatMap(readLog).sort((a, b) => (a.at < b.at ? -1 : 1));
    return { deeds, all };
  } finally {
    for (const running of all) await kill(running);
    await Deno.remove(directory, { recursive: true });
  }
}

function spawn(order: ChaosOrder): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-lock", PROGRAM, JSON.stringify(order)],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
}

async function kill(running: Running): Promise<void> {
  try {
    running.child.kill("SIGKILL");
    running.killed = true;
  } catch {
    // It has ended.
  }
  await running.child.status;
}

async function stop(running: readonly Running[]): Promise<void> {
  for (const { child } of running) child.kill("SIGTERM");
  for (const { child, order } of running) {
    const { code, signal } = await child.status;
    assertEquals([code, signal], [0, null], `${order.role} ${order.number} ends in order`);
  }
}

/** Resolves when nothing is in the queue and nobody has anything of it: what the dead had is had by others in time. */
async function drained(name: string): Promise<void> {
  using queue = SharedQueue.connect(name);
  await until(() => {
    const { readyCount, reservedCount, deadLetterCount } = queue.status();
    return readyCount + reservedCount + deadLetterCount === 0;
  });
}

/** The last line of one who was killed may be cut. */
function readLog(by: Running): Deed[] {
  if (!exists(by.order.log)) return [];
  const lines = Deno.readTextFileSync(by.order.log).split("\n").slice(0, -1);
  return lines.map((line) => {
    const [letter, at, ...numbers] = line.split(" ");
    return { letter, at: BigInt(at), numbers: numbers.map(Number), by };
  });
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Resolves when `condition` holds; the test's watchdog bounds it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(5);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
