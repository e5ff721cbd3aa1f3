import assert from "node:assert/strict";
import { SeededRandom } from "../../src/base/mod.ts";
import { QUEUE_WAIT_MS_MAX, SharedQueue } from "../../src/queue/mod.ts";
import { nameSkipReason, nativeSkipReason } from "../support/driver_native.ts";
import { testSeeds, withSeed } from "../support/driver_seed.ts";
import { startProgram } from "../support/net_child.ts";
import { withWatchdog } from "../support/watchdog.ts";
import { QUEUE_URL, QueueNames } from "./_support.ts";

nameSkipReason("SharedQueue's wake-ups", nativeSkipReason());

const ROUNDS = 5000;
const WATCHDOG_MS = 90_000;

/** Spends a random moment, around that which it takes others to fall asleep. */
const SPIN = `
  const spin = (random) => {
    const kind = random.below(4);
    const endMs = performance.now() + (kind === 0 ? 0 : kind === 1 ? random.below(20) / 1000 : random.below(300) / 1000);
    while (performance.now() < endMs);
  };
`;

Deno.test({
  name: "SharedQueue: no wake-up is lost, whatever moment a message comes at",
  ignore: nativeSkipReason() !== undefined,
  async fn(test) {
    const [seed] = testSeeds(1);
    using names = new QueueNames();
    const [there, back] = [names.next(), names.next()];
    using sending = SharedQueue.create(there, { capacity: 1, messageBytesMax: 8 });
    using receiving = SharedQueue.create(back, { capacity: 1, messageBytesMax: 8 });
    await using _child = await startProgram(`
      import { SharedQueue } from ${QUEUE_URL};
      import { SeededRandom } from ${JSON.stringify(new URL("../../src/base/mod.ts", import.meta.url).href)};
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
    let late = 0;
    await withSeed(seed, () =>
      withWatchdog(WATCHDOG_MS, async () => {
        const random = new SeededRandom(seed);
        // The other has to start first.
        await sending.send("");
        await receiving.receive();
        for (let round = 0; round < ROUNDS; round++) {
          const data = new Uint8Array(new Int32Array([round]).buffer);
          spin(random);
          const startMs = performance.now();
          await sending.send(data);
          const message = await receiving.receive();
          assert.deepEqual(message.data, data);
          if (performance.now() - startMs >= QUEUE_WAIT_MS_MAX) late++;
        }
      }));
    // A machine that is busy is late now and then, and nothing is said about that.
    await test.step(`${late} of ${ROUNDS} rounds took a whole time-out`, () => {});
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
    assert.equal(sums.reduce((sum, more) => sum + more, 0), 3 * each * (each - 1) / 2);
    assert.equal(queue.status().readyCount, 0);
  },
});
