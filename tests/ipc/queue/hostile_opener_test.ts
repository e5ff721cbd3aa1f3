import { assert, assertEquals } from "@std/assert";
import { RECORD } from "../../../src/ipc/queue/layout.ts";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { startProgram } from "../../support/net_child.ts";
import { fakeMemory, QUEUE_URL, QueueNames } from "./support.ts";

nameSkipReason("SharedQueue beside a hostile opener", nativeSkipReason());

const MEMORY_URL = JSON.stringify(new URL("../../../src/ipc/memory/mod.ts", import.meta.url).href);
const SHAPE = { capacity: 1, messageBytesMax: 1024 };
const ROUNDS = 300_000;
/** What a length is changed to and from: what is there, and far more than there is. */
const LENGTHS = [8, 0x0fffffff];

nativeTest(
  "SharedQueue: a length that another process changes all the time is an error at most",
  async () => {
    using names = new QueueNames();
    const name = names.next();
    using _queue = SharedQueue.create(name, SHAPE);
    const { memory } = fakeMemory(SHAPE);
    const index = memory.recordOf(0) + RECORD.byteLength;
    await using hostile = await startProgram(`
    import { SharedMemory } from ${MEMORY_URL};
    const { bytes } = SharedMemory.connect(${JSON.stringify(`queue.${name}`)});
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    console.log("changing");
    for (;;) for (const length of ${JSON.stringify(LENGTHS)}) Atomics.store(words, ${index}, length);
  `);
    await hostile.says(/changing/);
    await using victim = await startProgram(`
    import { SharedQueue } from ${QUEUE_URL};
    const queue = SharedQueue.connect(${JSON.stringify(name)});
    const found = { whole: 0, damaged: 0 };
    for (let round = 0; round < ${ROUNDS}; round++) {
      // With a time to look at between the two.
      queue.trySend(new Uint8Array(8), { expiresAfterMs: 1e9 });
      try {
        if (queue.tryReceive()?.data.length === 8) found.whole++;
      } catch (error) {
        if (!(error instanceof Deno.errors.InvalidData)) throw error;
        found.damaged++;
      }
    }
    console.log(JSON.stringify(found));
    Deno.exit(0);
  `);
    const { code, signal, stdout, stderr } = await victim.ended();
    hostile.kill("SIGKILL");
    assertEquals([code, signal], [0, null], stderr);
    assert(JSON.parse(stdout).whole > 0);
  },
);
