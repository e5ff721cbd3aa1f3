import assert from "node:assert/strict";
import { join } from "node:path";
import { SeededRandom } from "../../src/base/mod.ts";
import { SharedQueue } from "../../src/queue/mod.ts";
import { type ChaosOrder, DEED } from "./_chaos_process.ts";

const PROGRAM = new URL("./_chaos_process.ts", import.meta.url).pathname;

/** What happens in a run. */
export interface ChaosPlan {
  readonly seed: number;
  readonly queue: string;
  readonly producers: number;
  readonly consumers: number;
  /** Processes that are killed, or stopped for a while, one after the other. */
  readonly strikes: number;
  /** Of those, how many in a hundred are killed. */
  readonly killedPercent: number;
  /** Milliseconds between two strikes, at most. */
  readonly pauseMsMax: number;
  readonly keys: number;
  /** Who is struck. @default {everybody} */
  readonly victims?: ChaosOrder["role"];
}

/** What a run came to. */
export interface ChaosOutcome {
  readonly sent: number;
  readonly received: number;
  readonly redelivered: number;
  readonly killed: number;
}

interface Running {
  readonly order: ChaosOrder;
  readonly child: Deno.ChildProcess;
  killed: boolean;
}

/** Runs producers and consumers, strikes at them, and checks what they did; `queue` must exist, and is empty afterwards. */
export async function runChaos(plan: ChaosPlan): Promise<ChaosOutcome> {
  const directory = await Deno.makeTempDir({ prefix: "millrace_chaos_" });
  const random = new SeededRandom(plan.seed);
  const all: Running[] = [];
  const start = (role: ChaosOrder["role"]): Running => {
    const number = all.length + 1;
    const log = join(directory, `${number}`);
    const order = { role, queue: plan.queue, number, seed: plan.seed + number, log, keys: plan.keys };
    const running = { order, child: spawn(order), killed: false };
    all.push(running);
    return running;
  };
  try {
    const present = [
      ...Array.from({ length: plan.producers }, () => start("producer")),
      ...Array.from({ length: plan.consumers }, () => start("consumer")),
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
    await stop(present.filter(({ order }) => order.role === "producer"));
    await drained(plan.queue);
    await stop(present.filter(({ order }) => order.role === "consumer"));
    await drained(plan.queue);
    return check(plan, all);
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
    assert.deepEqual([code, signal], [0, null], `${order.role} ${order.number} ends in order`);
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

/** One line of a log. */
interface Deed {
  readonly letter: string;
  readonly at: bigint;
  readonly numbers: readonly number[];
  readonly by: Running;
}

function check({ seed, keys, consumers, victims }: ChaosPlan, all: readonly Running[]): ChaosOutcome {
  const deeds = all.flatMap(readLog).sort((a, b) => (a.at < b.at ? -1 : 1));
  const sending = new Set<string>();
  const sent = new Set<string>();
  const received = new Map<string, number>();
  let redelivered = 0;
  const killed = all.filter((running) => running.killed).length;
  const order = new OrderCheck();
  // With one consumer, which does not die, the messages of each producer come in order; with keys, those of each partition do.
  const isOrdered = keys > 0 || (consumers === 1 && victims === "producer");
  for (const { letter, numbers, by } of deeds) {
    if (letter === DEED.sending) sending.add(`${by.order.number}.${numbers[0]}`);
    else if (letter === DEED.sent) sent.add(`${by.order.number}.${numbers[0]}`);
    else if (letter === DEED.received) {
      const [producer, number, redeliveryCount, partition] = numbers;
      const message = `${producer}.${number}`;
      const before = received.get(message) ?? 0;
      received.set(message, before + 1);
      assert.ok(sending.has(message), `seed ${seed}: message ${message} was received, and nobody sent it`);
      if (before > 0) {
        redelivered++;
        assert.ok(
          redeliveryCount > 0,
          `seed ${seed}: message ${message} was delivered twice, and says that it was not`,
        );
      } else if (isOrdered) order.received(producer, number, partition, seed);
      if (keys > 0) order.begins(partition, message, by, seed);
    } else if (letter === DEED.torn) assert.fail(`seed ${seed}: a torn message of ${numbers[0]} bytes`);
    else order.ends(`${numbers[0]}.${numbers[1]}`);
  }
  const lost = [...sent].filter((message) => !received.has(message));
  assert.deepEqual(lost, [], `seed ${seed}: messages that were acknowledged and never delivered`);
  const givenBack = deeds.filter(({ letter }) => letter === DEED.givenBack).length;
  if (killed === 0) assert.equal(redelivered, givenBack, `seed ${seed}: delivered twice, and nobody died`);
  return { sent: sent.size, received: received.size, redelivered, killed };
}

/** First deliveries in the order of sending, and of partitions one message at a time. */
class OrderCheck {
  readonly #last = new Map<string, number>();
  readonly #out = new Map<number, { message: string; by: Running }>();

  received(producer: number, number: number, partition: number, seed: number): void {
    const key = `${producer}.${partition}`;
    const last = this.#last.get(key) ?? 0;
    assert.ok(
      number > last,
      `seed ${seed}: producer ${producer}, partition ${partition}: ${number} came behind ${last}`,
    );
    this.#last.set(key, number);
  }

  begins(partition: number, message: string, by: Running, seed: number): void {
    const out = this.#out.get(partition);
    const isFree = out === undefined || out.by.killed;
    assert.ok(
      isFree,
      `seed ${seed}: partition ${partition}: ${message} is out together with ${out?.message}`,
    );
    this.#out.set(partition, { message, by });
  }

  ends(message: string): void {
    for (const [partition, out] of this.#out) if (out.message === message) this.#out.delete(partition);
  }
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
