import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { SeededRandom } from "../../../src/base/mod.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { WORD } from "../../../src/ipc/ring/layout.ts";
import { type RingMemory, SpscRing } from "../../../src/ipc/ring/mod.ts";
import { nameSkipReason, nativeSkipReason } from "../../support/driver_native.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { type FuzzOrder, PROGRESS, progressOf } from "./fuzz_process.ts";
import { POSITIONS, wordsOf } from "./support.ts";
import { testName } from "../../support/test_name.ts";

const WATCHDOG_MS = 120_000;
const RUN_COUNT = 10;
const KILL_COUNT = 3;

nameSkipReason("a ring in a region between workers", nativeSkipReason());

/** Registers a test that runs `body` with a seed. */
function workersTest(name: string, body: (random: SeededRandom) => Promise<void>, ignore = false): void {
  for (const seed of testSeeds(1)) {
    Deno.test({
      name,
      ignore,
      fn: () => withSeed(seed, () => withWatchdog(WATCHDOG_MS, () => body(new SeededRandom(seed)))),
    });
  }
}

/** One side in a worker, and what it says. */
class Side implements Disposable {
  readonly #worker = new Worker(new URL("./fuzz_worker.ts", import.meta.url), { type: "module" });
  readonly #lines: string[] = [];
  #failure: Error | undefined;
  #notify: () => void = () => {};

  constructor(order: FuzzOrder) {
    this.#worker.onmessage = ({ data }) => {
      this.#lines.push(data);
      this.#notify();
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#failure = new Error(event.message);
      this.#notify();
    };
    this.#worker.postMessage(order);
  }

  /** What it failed of, if it did. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** The number in the next line, which begins with `text`. */
  async says(text: string): Promise<number> {
    while (this.#lines.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => this.#notify = resolve);
    }
    const line = this.#lines.shift() as string;
    assert(line.startsWith(text), `"${line}", expected "${text}"`);
    return Number(line.slice(line.lastIndexOf(" ")));
  }

  terminate(): void {
    this.#worker.terminate();
  }

  [Symbol.dispose](): void {
    this.terminate();
  }
}

/** A side that has its half. */
async function startSide(order: FuzzOrder): Promise<Side> {
  const side = new Side(order);
  await side.says("attached");
  return side;
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

function capacityOf(random: SeededRandom): number {
  return 2 ** (6 + random.below(8));
}

/** Makes a ring whose sides begin at `position`, and room for the progress behind it. */
function makeRing(
  memory: RingMemory & (SharedMemory | SharedArrayBuffer),
  capacityBytes: number,
  position: number,
): SpscRing {
  const ring = SpscRing.create({ capacityBytes, memory });
  const words = wordsOf(ring);
  words[WORD.tail] = words[WORD.head] = position;
  Atomics.store(progressOf(memory), PROGRESS.last, -1);
  return ring;
}

function byteLengthFor(capacityBytes: number): number {
  return SpscRing.byteLengthFor({ capacityBytes }) + 4 * PROGRESS.count;
}

workersTest(
  "a ring between two workers carries every byte, whatever the schedule, the sizes and the position",
  async (random) => {
    for (let index = 0; index < RUN_COUNT; index++) {
      const capacityBytes = capacityOf(random);
      const memory = new SharedArrayBuffer(byteLengthFor(capacityBytes));
      makeRing(memory, capacityBytes, POSITIONS[index % POSITIONS.length]);
      const order = { memory, seed: random.below(2 ** 31), messageCount: 2000 };
      using producer = new Side({ ...order, half: "producer" });
      using consumer = new Side({ ...order, half: "consumer" });
      for (const side of [producer, consumer]) await side.says("attached");
      assertEquals([await producer.says("closed at"), await consumer.says("closed at")], [2000, 2000]);
    }
  },
);

workersTest(
  "a worker that is terminated leaves in a SharedArrayBuffer what it published, whole, and a half that is held",
  async (random) => {
    for (const position of POSITIONS) {
      const capacityBytes = capacityOf(random);
      const memory = new SharedArrayBuffer(byteLengthFor(capacityBytes));
      const ring = makeRing(memory, capacityBytes, position);
      const words = wordsOf(ring);
      const progress = progressOf(memory);
      const order = { memory, seed: random.below(2 ** 31) };
      using consumer = await startSide({ ...order, half: "consumer" });
      using producer = await startSide({ ...order, half: "producer" });
      while (Atomics.load(progress, PROGRESS.last) < 10) await sleep(1);
      await sleep(random.below(60));
      producer.terminate();
      // Until nothing has come for a while: nobody says that a worker has ended.
      for (let last = -1; last !== Atomics.load(progress, PROGRESS.last); await sleep(300)) {
        last = Atomics.load(progress, PROGRESS.last);
      }
      // The consumer, which checks every byte, has read it all, and waits.
      assertStrictEquals(consumer.failure, undefined);
      assertStrictEquals(Atomics.load(words, WORD.head), Atomics.load(words, WORD.tail));
      assertThrows(() => SpscRing.attach(memory).producer(), Deno.errors.Busy);
    }
  },
);

for (const killed of ["producer", "consumer"] as const) {
  workersTest(
    `a ${killed} in a worker that is terminated is told to have died, when the ring lies in a region, and the next goes on`,
    async (random) => {
      for (const position of POSITIONS.slice(0, 4)) {
        const name = testName();
        const capacityBytes = capacityOf(random);
        using region = SharedMemory.create(name, { byteLength: byteLengthFor(capacityBytes) });
        try {
          makeRing(region, capacityBytes, position);
          await killOneSide(region, killed, random);
        } finally {
          SharedMemory.unlink(name);
        }
      }
    },
    nativeSkipReason() !== undefined,
  );
}

/** Terminates the worker of one half again and again; the other goes on with each next one, to an end in order. */
async function killOneSide(
  region: SharedMemory,
  killed: FuzzOrder["half"],
  random: SeededRandom,
): Promise<void> {
  const order = { memory: region.name, seed: random.below(2 ** 31) };
  using stays = await startSide({ ...order, half: killed === "producer" ? "consumer" : "producer" });
  let from = 0;
  for (let kills = 0; kills < KILL_COUNT; kills++) {
    using goes = await startSide({ ...order, half: killed, from });
    if (kills > 0) await stays.says("goes on");
    await sleep(random.below(60));
    goes.terminate();
    const at = await stays.says("died at");
    assert(at >= from, `${at} after ${from}`);
    if (killed === "producer") from = at;
  }
  using last = await startSide({ ...order, half: killed, from });
  await stays.says("goes on");
  await sleep(random.below(60));
  Atomics.store(progressOf(region), PROGRESS.enough, 1);
  assertStrictEquals(await stays.says("closed at"), await last.says("closed at"));
}
