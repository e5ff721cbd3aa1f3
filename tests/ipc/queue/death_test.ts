import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { SharedQueue, SharedQueueReplyError } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { type Child, startProgram } from "../../support/net_child.ts";
import { QUEUE_URL, QueueNames } from "./support.ts";

nameSkipReason("SharedQueue and the death of its openers", nativeSkipReason());

const SHAPE = { capacity: 8, messageBytesMax: 100 };
/** Messages that pass one who is stopped. */
const PASSING = 5000;

function deathTest(name: string, body: (queue: SharedQueue) => Promise<void>): void {
  nativeTest(name, async () => {
    using names = new QueueNames();
    using queue = SharedQueue.create(names.next(), SHAPE);
    await body(queue);
    // Whoever finds no room looks after the dead.
    await until(() => {
      queue.purge();
      let count = 0;
      while (queue.trySend("x")) count++;
      return count === SHAPE.capacity;
    });
    const { readyCount, reservedCount } = queue.status();
    assertEquals([readyCount, reservedCount], [SHAPE.capacity, 0], "no slot is lost");
  });
}

/** Starts a program that has `queue` open, and says "ready" when it has done `body`. */
async function start({ name }: SharedQueue, body: string): Promise<Child> {
  const child = await startProgram(`
    import { SharedQueue } from ${QUEUE_URL};
    const queue = SharedQueue.connect(${JSON.stringify(name)});
    const forever = setInterval(() => {}, 1000);
    ${body}
    console.log("ready");
  `);
  await child.says(/ready/);
  return child;
}

async function kill(child: Child): Promise<void> {
  child.kill("SIGKILL");
  await child.ended();
}

/** Resolves when `condition` holds; the test's watchdog bounds it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(2);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Resolves when the kernel has stopped a process. */
async function stopped(child: Child): Promise<void> {
  child.kill("SIGSTOP");
  await until(() => /\) T /.test(Deno.readTextFileSync(`/proc/${child.pid}/stat`)));
}

deathTest("SharedQueue: what a killed consumer had goes to another that waits", async (queue) => {
  queue.trySend("a");
  await using child = await start(queue, `globalThis.kept = await queue.reserve();`);
  const waiting = queue.reserve();
  await kill(child);
  using delivery = await waiting;
  assertEquals([delivery.message.text(), delivery.message.redeliveryCount], ["a", 1]);
  assertStrictEquals(queue.status().participants.length, 1, "its number is free");
  delivery.ack();
});

deathTest(
  "SharedQueue: one who is killed while it waits takes no message and no wake-up along",
  async (queue) => {
    for (let round = 0; round < 3; round++) {
      await using child = await start(queue, `queue.receive(); queue.reserve();`);
      await kill(child);
      const waiting = queue.receive();
      queue.trySend(`${round}`);
      assertStrictEquals((await waiting).text(), `${round}`);
    }
  },
);

deathTest("SharedQueue: slots of producers that are killed while they send come back", async (queue) => {
  for (let round = 0; round < 6; round++) {
    await using child = await start(
      queue,
      `(async () => { for (;;) await queue.send(new Uint8Array(100)); })(); await new Promise((resolve) => setTimeout(resolve, 5));`,
    );
    const received = queue.receiveMany(4);
    await pause(round * 3);
    await kill(child);
    assert((await received).every(({ data }) => data.length === 100));
    queue.purge();
  }
});

deathTest("SharedQueue.request(): when its consumer is killed another handles it", async (queue) => {
  await using child = await start(queue, `globalThis.kept = queue.reserve();`);
  const request = queue.request("a");
  await until(() => queue.status().reservedCount === 1);
  await kill(child);
  using server = SharedQueue.connect(queue.name);
  const delivery = await server.reserve();
  assertEquals([delivery.isRequest, delivery.message.redeliveryCount], [true, 1]);
  assertStrictEquals(delivery.reply("b"), true);
  assertStrictEquals(new TextDecoder().decode(await request), "b");
});

deathTest(
  "SharedQueue.request(): when its requester is killed nobody waits for the reply, nor keeps its slot",
  async (queue) => {
    for (const isReplied of [false, true]) {
      await using child = await start(queue, `queue.request("a");`);
      const delivery = await queue.reserve();
      assertStrictEquals(delivery.isRequest, true);
      if (isReplied) {
        // Stopped, it does not fetch the reply.
        await stopped(child);
        assertStrictEquals(delivery.reply("b"), true);
        await kill(child);
      } else {
        await kill(child);
        // It is told as dead until somebody has recovered what it had, which may come at once.
        await until(() => queue.status().participants.filter(({ alive }) => alive).length === 1);
        delivery.reply("b");
      }
    }
  },
);

deathTest("SharedQueue.request() ends when a consumer is killed that had handled it half", async (queue) => {
  // Whatever the instant: handled by another, or lost.
  for (let round = 0; round < 5; round++) {
    await using child = await start(queue, `queue.respond(() => "x".repeat(100));`);
    const requests = Array.from(
      { length: 200 },
      () => queue.request("a", { timeoutMs: 20_000 }).then(({ length }) => length, (error) => error),
    );
    await pause(round);
    await kill(child);
    const ending = new AbortController();
    using server = SharedQueue.connect(queue.name);
    const responding = server.respond(() => "x".repeat(100), ending);
    for (const result of await Promise.all(requests)) {
      assert(
        result === 100 || result instanceof SharedQueueReplyError && result.reason === "lost",
        String(result),
      );
    }
    ending.abort();
    await responding;
  }
});

nativeTest(
  "SharedQueue.create(): what a creator that is killed leaves is a queue, or gives way to one",
  async () => {
    for (let round = 0; round < 6; round++) {
      using names = new QueueNames();
      const name = names.next();
      await using child = await startProgram(`
      import { SharedQueue } from ${QUEUE_URL};
      console.log("ready");
      for (;;) {
        using queue = SharedQueue.create(${
        JSON.stringify(name)
      }, { capacity: 20_000, messageBytesMax: 1000 });
        queue.trySend("a");
        SharedQueue.unlink(${JSON.stringify(name)});
      }
    `);
      await child.says(/ready/);
      await pause(10 + round * 7);
      await kill(child);
      const open = (): SharedQueue => {
        try {
          return SharedQueue.create(name, SHAPE);
        } catch (error) {
          if (error instanceof Deno.errors.AlreadyExists) return SharedQueue.connect(name);
          throw error;
        }
      };
      using queue = open();
      queue.purge();
      assertStrictEquals(queue.trySend("b"), true);
      assertStrictEquals(queue.tryReceive()?.text(), "b");
    }
  },
);

deathTest(
  "SharedQueue: a consumer that is stopped slows nobody down, and acknowledges when it goes on",
  async (queue) => {
    queue.trySend("kept");
    await using child = await start(
      queue,
      `
    const delivery = await queue.reserve();
    Deno.addSignalListener("SIGUSR1", () => console.log("acknowledged " + delivery.ack()));
  `,
    );
    await stopped(child);
    using other = SharedQueue.connect(queue.name);
    const sending = (async () => {
      for (let number = 0; number < PASSING; number++) await queue.send(`${number}`);
    })();
    for (let number = 0; number < PASSING; number++) {
      assertStrictEquals(
        (await other.receive()).text(),
        `${number}`,
      );
    }
    await sending;
    assertStrictEquals(queue.status().reservedCount, 1);
    child.kill("SIGCONT");
    child.kill("SIGUSR1");
    await child.says(/acknowledged true/);
    assertStrictEquals(queue.status().reservedCount, 0);
  },
);

deathTest("SharedQueue: a producer that is stopped between two messages slows nobody down", async (queue) => {
  await using child = await start(
    queue,
    `
    (async () => { for (let number = 0;; number++) await queue.send("child " + number); })();
  `,
  );
  using other = SharedQueue.connect(queue.name);
  let last = -1;
  const received = async (): Promise<string> => {
    const text = (await other.receive()).text();
    if (text.startsWith("child ")) {
      assertStrictEquals(Number(text.slice(6)), last + 1, "its messages are in order");
      last++;
    }
    return text;
  };
  for (let round = 0; round < 20; round++) {
    for (let count = 0; count < 20; count++) await received();
    await stopped(child);
    const sent = queue.send(`own ${round}`);
    while (await received() !== `own ${round}`);
    await sent;
    child.kill("SIGCONT");
  }
  await kill(child);
});

nativeTest(
  "SharedQueue: a dead participant's number is another's only when what it had is in order",
  async () => {
    using names = new QueueNames();
    const name = names.next();
    using queue = SharedQueue.create(name, SHAPE);
    for (let round = 0; round < 3; round++) {
      queue.trySend(`${round}`);
      await using child = await start(queue, `await queue.reserve();`);
      await kill(child);
      // The number of the dead is the first that is free.
      using next = SharedQueue.connect(name);
      const { participants, readyCount, reservedCount } = queue.status();
      assertEquals([participants.length, participants.every(({ alive }) => alive)], [2, true]);
      assertEquals([readyCount, reservedCount], [1, 0]);
      assertStrictEquals(next.tryReceive()?.redeliveryCount, 1);
    }
  },
);
