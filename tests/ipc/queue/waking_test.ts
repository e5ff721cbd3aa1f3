import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { FutexWatch } from "../../../ffi/mod.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason } from "../../support/driver_native.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { startProgram } from "../../support/net_child.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { QUEUE_URL, QueueNames } from "./support.ts";

nameSkipReason("SharedQueue's wake-ups", nativeSkipReason());

const ROUNDS = 5000;
const WATCHDOG_MS = 90_000;
/** A message may come in the moment between the end of a sleep and the look that follows it. */
const LOST_MAX = ROUNDS / 100;

/** Spends a random moment, around that which it takes others to fall asleep. */
const SPIN = `
  const spin = (random) => {
    const kind = random.below(4);
    const endMs = performance.now() + (kind === 0 ? 0 : kind === 1 ? random.below(20) / 1000 : random.below(300) / 1000);
    while (performance.now() < endMs);
  };
`;

/** Counts the messages of a queue that are found when a sleep has ended by itself, and not by a wake. */
class LostWakes implements Disposable {
  count = 0;
  #timedOut = false;
  readonly #wait = FutexWatch.prototype.wait;

  constructor(queue: SharedQueue) {
    const wait = this.#wait;
    // deno-lint-ignore no-this-alias -- the methods below have a `this` of their own
    const lost = this;
    FutexWatch.prototype.wait = function (this: FutexWatch, ...of) {
      return wait.apply(this, of)?.then((result) => {
        lost.#timedOut = result === "timed-out";
        return result;
      });
    };
    const tryReceive = queue.tryReceive.bind(queue);
    queue.tryReceive = () => {
      const message = tryReceive();
      if (this.#timedOut && message !== undefined) this.count++;
      this.#timedOut = false;
      return message;
    };
  }

  [Symbol.dispose](): void {
    FutexWatch.prototype.wait = this.#wait;
  }
}

Deno.test({
  name: "SharedQueue: no wake-up is lost, whatever moment a message comes at",
  ignore: nativeSkipReason() !== undefined,
  async fn() {
    const [seed] = testSeeds(1);
    using names = new QueueNames();
    const [there, back] = [names.next(), names.next()];
    using sending = SharedQueue.create(there, { capacity: 1, messageBytesMax: 8 });
    using receiving = SharedQueue.create(back, { capacity: 1, messageBytesMax: 8 });
    await using _child = await startProgram(`
      import { SharedQueue } from ${QUEUE_URL};
      import { SeededRandom } from ${
      JSON.stringify(new URL("../../../src/base/mod.ts", import.meta.url).href)
    };
      ${SPIN}
      const random = new SeededRandom(${(seed ^ 1) >>> 0});
      const receiving = SharedQueue.connect(${JSON.stringify(there)});
      const sending = SharedQueue.connect(${JSON.stringify(back)});
      for (;;) {
        const { data } = await receiving.receive();
        spin(random);
        await sending.send(data);
      }
    `);
    const spin = new Function(`${SPIN}; return spin;`)() as (random: SeededRandom) => void;
    using lost = new LostWakes(receiving);
    await withSeed(seed, () =>
      withWatchdog(WATCHDOG_MS, async () => {
        const random = new SeededRandom(seed);
        // The other has to start first.
        await sending.send("");
        await receiving.receive();
        for (let round = 0; round < ROUNDS; round++) {
          const data = new Uint8Array(new Int32Array([round]).buffer);
          spin(random);
          await sending.send(data);
          const message = await receiving.receive();
          assertEquals(message.data, data);
        }
      }));
    assert(lost.count <= LOST_MAX, `${lost.count} of ${ROUNDS} messages were found by a time-out`);
  },
});

Deno.test({
  name: "SharedQueue: many who wait at once for messages and for room all get on",
  ignore: nativeSkipReason() !== undefined,
  async fn() {
    using names = new QueueNames();
    const name = names.next();
    using queue = SharedQueue.create(name, { capacity: 2, messageBytesMax: 8 });
    using stack = new DisposableStack();
    const openers = Array.from({ length: 6 }, () => stack.use(SharedQueue.connect(name)));
    const each = 300;
    const work = openers.map(async (opener, index) => {
      let sum = 0;
      for (let count = 0; count < each; count++) {
        if (index % 2 === 0) await opener.send(`${count}`);
        else sum += Number((await opener.receive()).text());
      }
      return sum;
    });
    const sums = await withWatchdog(WATCHDOG_MS, () => Promise.all(work));
    assertStrictEquals(sums.reduce((sum, more) => sum + more, 0), 3 * each * (each - 1) / 2);
    assertStrictEquals(queue.status().readyCount, 0);
  },
});
