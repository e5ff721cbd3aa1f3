import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { futexWaitChecked, FutexWatch, RECOVERY_CHECKS_FOR, type RecoveryCheck } from "../../../ffi/mod.ts";
import { PARTICIPANT, participantAt, QUEUE_KIND, repliesOf, WORD } from "../../../src/ipc/queue/layout.ts";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { Notifier } from "../../../src/ipc/sharing/mod.ts";
import { QueueMemory } from "../../../src/ipc/queue/queue_memory.ts";
import { type QueueShape, SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { runProgram } from "../../support/driver_program.ts";
import { startProgram } from "../../support/net_child.ts";
import { fakeMemory, QUEUE_URL, QueueNames, reopened } from "./support.ts";

nameSkipReason("The thread that sleeps for a consumer", nativeSkipReason());

/** Far more than any of these takes; a recovery check that does not see what it should ends the wait with "timed-out". */
const LONG_MS = 30_000;
/** Some rounds of a recovery check. */
const ROUNDS_MS = 220;
const PLAIN = { lane: 0, flags: 0, expiresMs: 0 };

type What = "messages" | "dead letters" | "room" | "nothing";
type Sleep<T> = (what: What, timeoutMs: number) => T;

/** A queue, ways to sleep on its word while a recovery check looks, and another opener that tells nobody what it does. */
function checkTest(
  name: string,
  shape: QueueShape,
  body: (queue: {
    name: string;
    quiet: QueueCore;
    sleep: Sleep<Promise<unknown>>;
    sleepSync: Sleep<unknown>;
  }) => Promise<void>,
): void {
  nativeTest(name, async () => {
    using names = new QueueNames();
    const name = names.next();
    using _queue = SharedQueue.create(name, { messageBytesMax: 8, ...shape });
    using stack = new DisposableStack();
    const open = (): QueueCore => {
      const { region, core } = QUEUE_KIND.connect(name, {}, ({ region, constants }) => ({
        region,
        core: new QueueCore(new QueueMemory(region, constants)),
      }));
      stack.use(region);
      return stack.adopt(core, (core) => core.close());
    };
    const [core, quiet] = [open(), open()];
    using watch = new FutexWatch();
    const { words, geometry: { laneCount } } = core.memory;
    const checks = {
      messages: core.recoveryCheck(RECOVERY_CHECKS_FOR.messages, 0, laneCount),
      "dead letters": core.recoveryCheck(RECOVERY_CHECKS_FOR.messages, laneCount, laneCount + 1),
      room: core.recoveryCheck(RECOVERY_CHECKS_FOR.room),
      nothing: core.recoveryCheck(RECOVERY_CHECKS_FOR.nothing),
    };
    const checkOf = (what: What): RecoveryCheck => {
      const check = checks[what];
      assert(check !== undefined);
      return check;
    };
    const index = WORD.items;
    await body({
      name,
      quiet,
      sleep: async (what, timeoutMs) =>
        await watch.waitChecked(checkOf(what), words, index, words[index], timeoutMs),
      sleepSync: (what, timeoutMs) => futexWaitChecked(checkOf(what), words, index, words[index], timeoutMs),
    });
  });
}

const MESSAGE = new Uint8Array(8);
const DEAD_LETTERS = { capacity: 8, deliveryCountMax: 1, deadLetterCountMax: 4 };

checkTest(
  "A recovery check ends a sleep when an opener has died",
  DEAD_LETTERS,
  async ({ name, sleep, sleepSync }) => {
    const start = async () => {
      const child = await startProgram(`
      import { SharedQueue } from ${QUEUE_URL};
      const queue = SharedQueue.connect(${JSON.stringify(name)});
      setInterval(() => queue.name, 1000);
      console.log("ready");
    `);
      await child.says(/ready/);
      return child;
    };
    await using child = await start();
    await using other = await start();
    assertStrictEquals(await sleep("nothing", ROUNDS_MS), "timed-out", "everybody lives");
    assertStrictEquals(sleepSync("nothing", ROUNDS_MS), "timed-out", "everybody lives");
    const sleeping = sleep("nothing", LONG_MS);
    child.kill("SIGKILL");
    assertStrictEquals(await sleeping, "woken");
    // That one is seen to.
    openQueueOnce(name);
    assertStrictEquals(sleepSync("nothing", ROUNDS_MS), "timed-out");
    other.kill("SIGKILL");
    assertStrictEquals(sleepSync("nothing", LONG_MS), "woken");
  },
);

checkTest(
  "A recovery check of many openers ends a sleep when one has died, and says to the others when it has looked",
  DEAD_LETTERS,
  async ({ name, quiet, sleep }) => {
    const { words } = quiet.memory;
    assertStrictEquals(await sleep("nothing", ROUNDS_MS), "timed-out");
    assertStrictEquals(words[WORD.looked], 0, "of two, each looks by itself");
    await using child = await startProgram(`
      import { SharedQueue } from ${QUEUE_URL};
      const queues = Array.from({ length: 20 }, () => SharedQueue.connect(${JSON.stringify(name)}));
      setInterval(() => queues, 1000);
      console.log("ready");
    `);
    await child.says(/ready/);
    assertStrictEquals(await sleep("nothing", ROUNDS_MS), "timed-out", "everybody lives");
    assertNotStrictEquals(words[WORD.looked], 0);
    const sleeping = sleep("nothing", LONG_MS);
    child.kill("SIGKILL");
    assertStrictEquals(await sleeping, "woken");
  },
);

function openQueueOnce(name: string): void {
  SharedQueue.connect(name).close();
}

checkTest(
  "A recovery check ends a sleep when there is a message of which nobody told",
  DEAD_LETTERS,
  async ({ quiet, sleep, sleepSync }) => {
    assertStrictEquals(await sleep("messages", ROUNDS_MS), "timed-out", "there is none");
    quiet.sender.trySend(MESSAGE, PLAIN, Date.now());
    assertStrictEquals(await sleep("messages", LONG_MS), "woken");
    assertStrictEquals(sleepSync("messages", LONG_MS), "woken");
    const slot = quiet.take("messages");
    assertStrictEquals(await sleep("messages", ROUNDS_MS), "timed-out", "somebody has it");
    quiet.giveBack(slot);
    // Now it has been delivered as often as it may be.
    assertStrictEquals(quiet.take("messages"), -1);
    assertStrictEquals(await sleep("messages", ROUNDS_MS), "timed-out", "it is a dead letter");
    assertStrictEquals(sleepSync("messages", ROUNDS_MS), "timed-out", "it is a dead letter");
    assertStrictEquals(await sleep("dead letters", LONG_MS), "woken");
  },
);

checkTest(
  "A recovery check ends a sleep when there is a message in the last of many slots",
  { capacity: 10_000 },
  async ({ quiet, sleep }) => {
    for (let count = 0; count < 10_000; count++) {
      quiet.sender.trySend(MESSAGE, PLAIN, Date.now());
    }
    for (let count = 0; count < 9_999; count++) assertStrictEquals(quiet.take("messages"), count);
    assertStrictEquals(await sleep("messages", LONG_MS), "woken");
    assertStrictEquals(quiet.take("messages"), 9_999);
    assertStrictEquals(await sleep("messages", 3 * ROUNDS_MS), "timed-out");
  },
);

checkTest(
  "A recovery check passes over the messages of a partition that somebody has",
  { capacity: 8, partitions: 2 },
  async ({ quiet, sleep }) => {
    for (let count = 0; count < 2; count++) quiet.sender.trySend(MESSAGE, { ...PLAIN, lane: 1 }, Date.now());
    assertStrictEquals(await sleep("messages", LONG_MS), "woken");
    const slot = quiet.take("messages");
    assertStrictEquals(await sleep("messages", ROUNDS_MS), "timed-out", "its partition is taken");
    quiet.ack(slot);
    assertStrictEquals(await sleep("messages", LONG_MS), "woken");
  },
);

checkTest(
  "A recovery check ends a sleep when there is room of which nobody told, or a message that is too old",
  { capacity: 2 },
  async ({ quiet, sleep, sleepSync }) => {
    assertStrictEquals(await sleep("room", LONG_MS), "woken");
    const nowMs = Date.now();
    for (const expiresMs of [0, nowMs + 3_600_000]) {
      quiet.sender.trySend(MESSAGE, { ...PLAIN, expiresMs }, nowMs);
    }
    assertStrictEquals(await sleep("room", ROUNDS_MS), "timed-out", "it is full");
    const slot = quiet.take("messages");
    assertStrictEquals(sleepSync("room", ROUNDS_MS), "timed-out", "it is full");
    quiet.ack(slot);
    assertStrictEquals(sleepSync("room", LONG_MS), "woken");
    quiet.sender.trySend(MESSAGE, { ...PLAIN, expiresMs: nowMs - 1 }, nowMs);
    assertStrictEquals(await sleep("room", LONG_MS), "woken");
  },
);

nativeTest(
  "QueueCore tells all who sleep that somebody has died: of what that one did last, nobody was told",
  () => {
    const deaths = {
      "who recovers": (core: QueueCore): unknown => core.recover(),
      "who comes next": (core: QueueCore): unknown => new QueueCore(reopened(core.memory).memory),
    };
    for (const [who, happens] of Object.entries(deaths)) {
      const { memory } = fakeMemory({ capacity: 4, messageBytesMax: 8 });
      const core = new QueueCore(memory);
      const other = reopened(memory);
      const otherCore = new QueueCore(other.memory);
      const replies = repliesOf(core.participants.number);
      const signals = [WORD.items, WORD.deadLetters, WORD.room, WORD.boxes, replies];
      const before = signals.map((at) => {
        new Notifier(memory.words, at).arm();
        return memory.words[at];
      });
      core.recover();
      assertStrictEquals(otherCore.participants.number, 2);
      assertEquals(signals.map((at) => memory.words[at]), before, "everybody lives");
      other.region.die();
      happens(core);
      assert(signals.every((at, index) => memory.words[at] !== before[index]), who);
      const lost = (participantAt(core.participants.number) >> 2) + PARTICIPANT.lost;
      assertStrictEquals(memory.words[lost], 1, who);
    }
  },
);

nativeTest(
  "SharedQueue.receive() waits without a recovery check where no descriptor is left for one",
  async () => {
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
    assertEquals([code, stdout, stderr], [0, "1\nEMFILE\n2\n", ""]);
  },
);

checkTest(
  "A sleep with a recovery check ends when it is woken, with nothing to see",
  DEAD_LETTERS,
  async ({ quiet, sleep }) => {
    const signal = new Notifier(quiet.memory.words, WORD.items);
    const sleeping = sleep("messages", LONG_MS);
    signal.arm();
    signal.wake();
    assertNotStrictEquals(await sleeping, "timed-out");
  },
);
