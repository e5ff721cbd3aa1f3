import assert from "node:assert/strict";
import { FutexWatch } from "../../ffi/mod.ts";
import { WORD } from "../../src/queue/layout.ts";
import { QueueCore } from "../../src/queue/_core.ts";
import { Signal } from "../../src/shared/mod.ts";
import { openQueue } from "../../src/queue/_open_queue.ts";
import { SharedQueue } from "../../src/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../support/driver_native.ts";
import { runProgram } from "../support/driver_program.ts";
import { startProgram } from "../support/net_child.ts";
import { QUEUE_URL, QueueNames } from "./_support.ts";

nameSkipReason("The thread that sleeps for a consumer", nativeSkipReason());

/** Far more than any of these takes; a patrol that does not see what it should ends the wait with "timed-out". */
const LONG_MS = 30_000;
/** Some rounds of a patrol. */
const ROUNDS_MS = 220;
const PLAIN = { lane: 0, flags: 0, expiresMs: 0 };

/** A queue with one dead letter, a way to sleep for its messages or its dead letters, and another opener that tells nobody what it does. */
function patrolTest(
  name: string,
  body: (queue: {
    name: string;
    quiet: QueueCore;
    sleep: (lanes: "messages" | "dead letters", timeoutMs: number) => Promise<unknown>;
  }) => Promise<void>,
): void {
  nativeTest(name, async () => {
    using names = new QueueNames();
    const name = names.next();
    using _queue = SharedQueue.create(name, {
      capacity: 8,
      messageBytesMax: 8,
      deliveryCountMax: 1,
      deadLetterCountMax: 4,
    });
    using stack = new DisposableStack();
    const open = (): QueueCore => {
      const { region, memory } = openQueue(name, {});
      stack.use(region);
      return stack.adopt(new QueueCore(memory), (core) => core.close());
    };
    const [core, quiet] = [open(), open()];
    using watch = new FutexWatch();
    const { file, bytes: region } = core.memory.region;
    assert.ok(file !== undefined);
    await body({
      name,
      quiet,
      sleep: async (which, timeoutMs) => {
        const queue = { state: core.state.words, region };
        const [first, end] = which === "messages" ? [0, 1] : [1, 2];
        const word = which === "messages" ? WORD.items : WORD.deadLetters;
        const seen = core.memory.words[word];
        return await watch.waitForMessage(queue, file.fd, first, end, word * 4, seen, timeoutMs);
      },
    });
  });
}

patrolTest("FutexWatch.waitForMessage() ends when an opener has died", async ({ name, sleep }) => {
  await using child = await startProgram(`
    import { SharedQueue } from ${QUEUE_URL};
    const queue = SharedQueue.connect(${JSON.stringify(name)});
    setInterval(() => queue.name, 1000);
    console.log("ready");
  `);
  await child.says(/ready/);
  assert.equal(await sleep("messages", ROUNDS_MS), "timed-out", "everybody lives");
  const sleeping = sleep("messages", LONG_MS);
  child.kill("SIGKILL");
  assert.equal(await sleeping, "woken");
});

patrolTest(
  "FutexWatch.waitForMessage() ends when there is a message of which nobody told",
  async ({ quiet, sleep }) => {
    assert.equal(await sleep("messages", ROUNDS_MS), "timed-out", "there is none");
    quiet.sender.trySend(new Uint8Array(8), PLAIN, Date.now());
    assert.equal(await sleep("messages", LONG_MS), "woken");
    const slot = quiet.take("messages");
    assert.equal(await sleep("messages", ROUNDS_MS), "timed-out", "somebody has it");
    quiet.giveBack(slot);
    // Now it has been delivered as often as it may be.
    assert.equal(quiet.take("messages"), -1);
    assert.equal(await sleep("messages", ROUNDS_MS), "timed-out", "it is a dead letter");
    assert.equal(await sleep("dead letters", LONG_MS), "woken");
  },
);

nativeTest("SharedQueue.receive() waits without a patrol where no descriptor is left for one", async () => {
  using names = new QueueNames();
  const name = JSON.stringify(names.next());
  const program = `
    import { SharedQueue } from ${QUEUE_URL};
    using queue = SharedQueue.create(${name}, { capacity: 4 });
    setTimeout(() => queue.trySend("1"), 1);
    console.log((await queue.receive()).text());
    const files = [];
    try {
      for (;;) files.push(Deno.openSync("/dev/null"));
    } catch (error) {
      console.log(error.code);
    }
    setTimeout(() => queue.trySend("2"), 1);
    console.log((await queue.receive()).text());
  `;
  const { code, stdout, stderr } = await runProgram(program, { openFilesMax: 100 });
  assert.deepEqual([code, stdout, stderr], [0, "1\nEMFILE\n2\n", ""]);
});

patrolTest(
  "FutexWatch.waitForMessage() ends when it is woken, with nothing to see",
  async ({ quiet, sleep }) => {
    const signal = new Signal(quiet.memory.words, WORD.items);
    const sleeping = sleep("messages", LONG_MS);
    signal.arm();
    signal.wake();
    assert.notEqual(await sleeping, "timed-out");
  },
);
