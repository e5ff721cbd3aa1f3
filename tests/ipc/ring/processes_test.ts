import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { WORD } from "../../../src/ipc/ring/layout.ts";
import { SpscRing } from "../../../src/ipc/ring/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { nameSkipReason, nativeSkipReason } from "../../support/driver_native.ts";
import { runProgram } from "../../support/driver_program.ts";
import { Child } from "../../support/net_child.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { type FuzzOrder, PROGRESS, progressOf } from "./fuzz_process.ts";
import { messageOf, POSITIONS, wordsOf } from "./support.ts";
import { testName } from "../../support/test_name.ts";

const WATCHDOG_MS = 120_000;
const PROGRAM = new URL("./fuzz_process.ts", import.meta.url).pathname;

nameSkipReason("a ring between processes", nativeSkipReason());

/** Registers a test that runs `body` with a seed. */
function processTest(name: string, body: (random: SeededRandom) => Promise<void>): void {
  for (const seed of testSeeds(1)) {
    Deno.test({
      name,
      ignore: nativeSkipReason() !== undefined,
      fn: () => withSeed(seed, () => withWatchdog(WATCHDOG_MS, () => body(new SeededRandom(seed)))),
    });
  }
}

/** A ring of random size in a region of its own, which goes with the test; both sides begin at `position`. */
class RingRun implements AsyncDisposable {
  readonly name = testName();
  readonly seed: number;
  readonly region: SharedMemory;
  readonly ring: SpscRing;
  readonly progress: Int32Array;
  readonly #children: Child[] = [];

  constructor(random: SeededRandom, position: number) {
    this.seed = random.below(2 ** 31);
    const capacityBytes = 2 ** (6 + random.below(8));
    const byteLength = SpscRing.byteLengthFor({ capacityBytes }) + 4 * PROGRESS.count;
    this.region = SharedMemory.create(this.name, { byteLength });
    this.ring = SpscRing.create({ capacityBytes, memory: this.region });
    const words = wordsOf(this.ring);
    words[WORD.tail] = words[WORD.head] = position;
    this.progress = progressOf(this.region);
    Atomics.store(this.progress, PROGRESS.last, -1);
  }

  /** A process that has one side. */
  async start(half: FuzzOrder["half"], rest: Partial<FuzzOrder> = {}): Promise<Child> {
    const order: FuzzOrder = { memory: this.name, half, seed: this.seed, ...rest };
    const child = new Child([
      "run",
      "-A",
      "--quiet",
      "--no-lock",
      "--no-check",
      PROGRAM,
      JSON.stringify(order),
    ]);
    this.#children.push(child);
    await child.says(/attached/);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await Promise.all(this.#children.map((child) => child[Symbol.asyncDispose]()));
    } finally {
      this.region.close();
      SharedMemory.unlink(this.name);
    }
  }
}

/** What a side has said that goes on after so many deaths of the other: who dies before it was seen has died for nobody. */
function survived(deaths: number): RegExp {
  return new RegExp(`^attached\\n(?:died at \\d+\\ngoes on\\n){${deaths}}`);
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** How many messages a side has seen, which ended in good order. */
async function closedAt(child: Child): Promise<number> {
  const { code, stdout, stderr } = await child.ended();
  assertEquals([code, stderr], [0, ""], stdout);
  const match = /closed at (\d+)\n$/.exec(stdout);
  assert(match !== null, stdout);
  return Number(match[1]);
}

/** Stops and continues either side at random moments, one of them for longer than a look at the other's life is away. */
async function stopNowAndThen(
  sides: readonly Child[],
  random: SeededRandom,
  ended: () => boolean,
): Promise<void> {
  for (let count = 0; count < 12 && !ended(); count++) {
    const side = sides[random.below(sides.length)];
    side.kill("SIGSTOP");
    await sleep(count === 3 ? 250 : random.below(20));
    side.kill("SIGCONT");
    await sleep(random.below(20));
  }
}

processTest(
  "a ring between processes carries every byte, whatever the schedule, also when a process is stopped",
  async (random) => {
    for (let index = 0; index < POSITIONS.length; index++) {
      await using run = new RingRun(random, POSITIONS[index]);
      const messageCount = 3000;
      const sides = await Promise.all([
        run.start("consumer", { messageCount }),
        run.start("producer", { messageCount }),
      ]);
      let ended = false;
      const counts = Promise.all(sides.map(closedAt)).finally(() => ended = true);
      // Looked at below, when nobody is stopped any more.
      counts.catch(() => {});
      if (index % 2 === 0) await stopNowAndThen(sides, random, () => ended);
      assertEquals(await counts, [messageCount, messageCount]);
    }
  },
);

processTest(
  "RingConsumer reads all that a killed producer has published, says that it died, and goes on with the next",
  async (random) => {
    for (const position of POSITIONS) {
      await using run = new RingRun(random, position);
      const consumer = await run.start("consumer");
      let from = 0;
      for (let kills = 0; kills < 3; kills++) {
        const producer = await run.start("producer", { from });
        await consumer.says(survived(kills));
        await sleep(random.below(60));
        if (random.below(2) === 0) await stopNowAndThen([producer], random, () => random.below(3) === 0);
        producer.kill("SIGKILL");
        await producer.ended();
        const deaths = new RegExp(`${survived(kills).source}died at (\\d+)\\n`);
        const [, next] = await consumer.says(deaths);
        assert(Number(next) >= from, `${next} after ${from}`);
        from = Number(next);
      }
      const last = await run.start("producer", { from });
      await sleep(random.below(60));
      Atomics.store(run.progress, PROGRESS.enough, 1);
      assertStrictEquals(await closedAt(consumer), await closedAt(last));
    }
  },
);

processTest(
  "RingProducer is told that a killed consumer died, and the next consumer goes on where that was",
  async (random) => {
    for (const position of POSITIONS) {
      await using run = new RingRun(random, position);
      const producer = await run.start("producer");
      for (let kills = 0; kills < 3; kills++) {
        const consumer = await run.start("consumer");
        await producer.says(survived(kills));
        await sleep(random.below(60));
        if (random.below(2) === 0) await stopNowAndThen([consumer], random, () => random.below(3) === 0);
        consumer.kill("SIGKILL");
        await consumer.ended();
        await producer.says(new RegExp(`${survived(kills).source}died at \\d+\\n`));
      }
      const last = await run.start("consumer");
      await sleep(random.below(60));
      Atomics.store(run.progress, PROGRESS.enough, 1);
      assertStrictEquals(await closedAt(last), await closedAt(producer));
    }
  },
);

processTest("a stopped process is not taken for a dead one, however long others wait", async (random) => {
  await using run = new RingRun(random, -16);
  using producer = run.ring.producer();
  const child = await run.start("consumer", { messageCount: 2 ** 30 });
  child.kill("SIGSTOP");
  while (producer.tryWrite(messageOf(0, 0)));
  await assertRejectsMatching(() => producer.writable(0, { timeoutMs: 350 }), { name: "TimeoutError" });
  assertStrictEquals(producer.end, undefined);
  assertThrows(() => run.ring.consumer(), Deno.errors.Busy);
  child.kill("SIGKILL");
  await assertRejectsMatching(() => producer.writable(0), { name: "RingClosedError", end: "died" });
  using successor = run.ring.consumer();
  assertStrictEquals(producer.end, undefined);
  assert(successor.drain((message) => assertStrictEquals(message.length, 0)) > 0);
});

processTest(
  "RingConsumer that sleeps is woken by another process, and by its close, soon or late",
  async (random) => {
    await using run = new RingRun(random, 0);
    const consumer = run.ring.consumer();
    const child = await run.start("producer");
    for (let round = 0; round < 50; round++) {
      assertStrictEquals(await consumer.readable(), true);
      consumer.drain(() => {});
    }
    child.kill("SIGSTOP");
    while (consumer.readableBytes > 0) consumer.drain(() => {});
    const waiting = consumer.readable();
    await sleep(5);
    consumer.close();
    await assertRejectsMatching(() => waiting, { name: "RingClosedError", end: "closed here" });
  },
);

processTest("halves of one region wait beside each other, each several times at once", async (random) => {
  await using run = new RingRun(random, -64);
  const consumer = run.ring.consumer();
  const producer = run.ring.producer();
  const waits = [consumer.readable(), consumer.readable()];
  await assertRejectsMatching(() => consumer.readable({ timeoutMs: 5 }), { name: "TimeoutError" });
  await producer.write(messageOf(0, 0));
  assertEquals(await Promise.all(waits), [true, true]);
  while (producer.tryWrite(messageOf(0, 0)));
  const room = producer.writable(0);
  await sleep(5);
  consumer.drain(() => {});
  await room;
  while (producer.tryWrite(messageOf(0, 0)));
  const closed = assertRejectsMatching(() => producer.writable(0), {
    name: "RingClosedError",
    end: "closed",
  });
  await sleep(5);
  // Of the same object: what the other half waits with goes with this one, and is made again.
  consumer.close();
  await closed;
  producer.close();
});

processTest(
  "RingProducer.close() while write() waits in a region leaves no thread behind",
  async () => {
    // In a process of its own: others of the tests have such threads in this one.
    const { code, stdout, stderr } = await runProgram(`
      import { SharedMemory } from "@millrace/millrace/memory";
      import { SpscRing } from "@millrace/millrace/ring";
      const name = ${JSON.stringify(testName())};
      const byteLength = SpscRing.byteLengthFor({ capacityBytes: 64 });
      const memory = SharedMemory.create(name, { byteLength });
      SharedMemory.unlink(name);
      const watchCount = () =>
        [...Deno.readDirSync("/proc/self/task")].filter(({ name }) => {
          try {
            return Deno.readTextFileSync("/proc/self/task/" + name + "/comm").trim() === "millrace-watch";
          } catch {
            return false; // It has ended meanwhile.
          }
        }).length;
      const until = async (condition) => {
        while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
      };
      const producer = SpscRing.create({ capacityBytes: 64, memory }).producer();
      while (producer.tryWrite(new Uint8Array(8)));
      const end = producer.write(new Uint8Array(8)).catch(({ name, end }) => [name, end]);
      await until(() => watchCount() === 1);
      producer.close();
      console.log(JSON.stringify(await end));
      await until(() => watchCount() === 0);
      Deno.exit(0);
    `);
    assertEquals([code, stdout, stderr], [0, `["RingClosedError","closed here"]\n`, ""]);
  },
);
