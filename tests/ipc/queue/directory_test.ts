import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import { geometryOf, RECORD_HEADER_BYTES } from "../../../src/ipc/queue/layout.ts";
import { queueConstantsOf } from "../../../src/ipc/queue/queue_constants.ts";
import { type QueueShape, SharedMailbox, SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { runProgram } from "../../support/net_child.ts";
import { TemporaryDirectory } from "../memory/support.ts";
import { chaosMessage, readChaosMessage } from "./chaos_message.ts";
import { QUEUE_URL } from "./support.ts";

nameSkipReason("SharedQueue in a directory", nativeSkipReason());

const SHAPE = { capacity: 16, messageBytesMax: 300 };
const PAGE_BYTES = 4096;
const POWER_CUTS = 60;

function directoryTest(name: string, body: (directory: string) => Promise<void> | void): void {
  nativeTest(name, async () => {
    using temporary = new TemporaryDirectory();
    await body(temporary.directory);
  });
}

const fileOf = (directory: string): string => `${directory}/millrace.queue.q`;

directoryTest("SharedQueue in a directory outlives its processes", async (directory) => {
  const place = `${JSON.stringify(directory)}`;
  const { code, stderr } = await runProgram(`
    import { SharedQueue } from ${QUEUE_URL};
    const queue = SharedQueue.create("q", { capacity: 4, messageBytesMax: 100, directory: ${place} });
    for (const text of ["a", "b", "c"]) queue.trySend(text);
    queue.tryReserve();
    await queue.sync();
    Deno.kill(Deno.pid, "SIGKILL");
  `);
  assertStrictEquals(code, 137, stderr);
  assertEquals(SharedQueue.list({ directory }).map(({ name, inUse }) => [name, inUse]), [["q", false]]);
  assert(!SharedQueue.list().some(({ name }) => name === "q"));
  assertThrows(() => SharedQueue.connect("q"), Deno.errors.NotFound);
  using queue = SharedQueue.connect("q", { directory });
  const seen = await Promise.all([queue.receive(), queue.receive(), queue.receive()]);
  assertEquals(seen.map((message) => [message.text(), message.redeliveryCount]).sort(), [["a", 1], [
    "b",
    0,
  ], ["c", 0]]);
  assertEquals(SharedQueue.removeAbandoned({ directory }), []);
  SharedQueue.unlink("q", { directory });
  assertEquals(SharedQueue.list({ directory }), []);
});

directoryTest(
  "SharedQueue in a directory: each flipped byte of a message shows, and that message is gone",
  (directory) => {
    using queue = SharedQueue.create("q", { capacity: 2, messageBytesMax: 64, directory });
    const { recordsAt } = geometryOf(queueConstantsOf({ capacity: 2, messageBytesMax: 64 }, true));
    const data = Uint8Array.from({ length: 20 }, (_, index) => index * 3);
    using file = Deno.openSync(fileOf(directory), { read: true, write: true });
    const byte = new Uint8Array(1);
    let damaged = 0;
    for (let at = 0; at < data.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        queue.purge();
        queue.trySend(data);
        queue.trySend("other");
        const slot = queue.status().sentCount / 2 % 1 === 0 ? 0 : 1;
        // The file is the memory: the region begins behind its page of its own.
        const place = PAGE_BYTES + recordsAt + slot * (RECORD_HEADER_BYTES + 64) + RECORD_HEADER_BYTES + at;
        file.seekSync(place, Deno.SeekMode.Start);
        file.readSync(byte);
        assertStrictEquals(byte[0], data[at]);
        byte[0] ^= flip;
        file.seekSync(place, Deno.SeekMode.Start);
        file.writeSync(byte);
        assertThrowsMatching(() => queue.tryReceive(), {
          name: "InvalidData",
          message: "read from queue q: a message is damaged: its checksum is wrong",
        });
        assertStrictEquals(queue.status().damagedCount, ++damaged);
        assertStrictEquals(queue.tryReceive()?.text(), "other");
        assertStrictEquals(queue.tryReceive(), undefined);
      }
    }
  },
);

directoryTest("SharedQueue.sync() has on the disk what was sent before it", async (directory) => {
  using queue = SharedQueue.create("q", { ...SHAPE, directory });
  using mailbox = SharedMailbox.create(queue, { boxes: { 1: 1 } });
  const box = await mailbox.acquire(10);
  await mailbox.send(box, "kept");
  await Promise.all([queue.sync(), queue.sync()]);
  const text = new TextDecoder().decode(await Deno.readFile(fileOf(directory)));
  assert(text.includes("kept"));
  assert((await Deno.stat(`${directory}/millrace.mailbox.q`)).size > 2 ** 20);
  SharedMailbox.unlink("q", { directory });
  queue.close();
  await assertRejects(() => queue.sync(), Deno.errors.BadResource);
});

/** Pages of the file as they are in one of `snapshots`, each by chance. */
function mixed(random: SeededRandom, snapshots: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(snapshots[0].length);
  for (let at = 0; at < bytes.length; at += PAGE_BYTES) {
    bytes.set(snapshots[random.below(snapshots.length)].subarray(at, at + PAGE_BYTES), at);
  }
  return bytes;
}

async function cutPower(directory: string, seed: number, shape: QueueShape): Promise<void> {
  const random = new SeededRandom(seed);
  const bytesMax = SHAPE.messageBytesMax;
  const path = fileOf(directory);
  const snapshots: Uint8Array<ArrayBuffer>[] = [];
  let sent = 0;
  {
    using queue = SharedQueue.create("q", { ...SHAPE, ...shape, directory });
    for (let moment = 0; moment < 3; moment++) {
      const deeds = random.below(60);
      for (let deed = 0; deed < deeds; deed++) {
        if (random.below(2) === 0) {
          const options = queue.partitions > 0 ? { key: `${random.below(5)}` } : {};
          if (queue.trySend(chaosMessage(seed, sent + 1, bytesMax), options)) sent++;
        } else if (random.below(3) > 0) queue.tryReceive();
        else queue.tryReserve()?.nack();
      }
      using _kept = random.below(2) === 0 ? queue.tryReserve() : undefined;
      snapshots.push(await Deno.readFile(path));
    }
  }
  await Deno.writeFile(path, mixed(random, snapshots));
  using queue = SharedQueue.connect("q", { directory });
  const seen = new Set<number>();
  const drain = (): void => {
    for (let count = 0; count < 10 * queue.capacity; count++) {
      let message;
      try {
        message = queue.tryReceive();
      } catch (error) {
        assert(error instanceof Deno.errors.InvalidData, `${error}`);
        continue;
      }
      if (message === undefined) return;
      const read = readChaosMessage(message.data, bytesMax);
      assert(
        read !== undefined && read.producer === seed && read.number >= 1 && read.number <= sent,
        "nobody sent it",
      );
      assert(!seen.has(read.number), `message ${read.number} is there twice`);
      seen.add(read.number);
    }
    fail("there is no end to it");
  };
  drain();
  await new Promise((resolve) => setTimeout(resolve, 2));
  drain();
  queue.status();
  queue.purge();
  let filled = 0;
  while (filled <= queue.capacity && queue.trySend(chaosMessage(seed, ++sent, bytesMax))) filled++;
  assertStrictEquals(filled, queue.capacity);
  drain();
  queue.close();
  SharedQueue.unlink("q", { directory });
}

for (
  const [what, shape] of Object.entries<QueueShape>({ "priorities": {}, "partitions": { partitions: 3 } })
) {
  directoryTest(
    `SharedQueue in a directory, with ${what}: what a power cut leaves, page by page of different times, holds no wrong message`,
    async (directory) => {
      for (const first of testSeeds(1)) {
        for (let cut = 0; cut < POWER_CUTS; cut++) {
          const seed = first + cut & 0x7fffffff;
          await withSeed(seed, () => cutPower(directory, seed, { ...shape, deliveryCountMax: 5 }));
        }
      }
    },
  );
}
