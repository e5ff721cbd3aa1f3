import { SeededRandom } from "../../../src/base/mod.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { WORD } from "../../../src/ipc/ring/layout.ts";
import { ProcessChannel } from "../../../src/run/tasks/mod.ts";
import { RingTransport } from "../../../src/run/tasks/ring_transport.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { connections, FrameEnd } from "./support.ts";

nameSkipReason("RingTransport", nativeSkipReason());

const PEER = { name: "w", instance: 0, pid: 1 };

/** Two ends of a transport, and its memory. */
async function pair(): Promise<{ one: RingTransport; other: RingTransport; region: SharedMemory }> {
  const [near, far] = await connections();
  const { name, region } = RingTransport.create();
  const opened = SharedMemory.connect(name);
  SharedMemory.unlink(name);
  return {
    one: new RingTransport(region, "maker", near),
    other: new RingTransport(opened, "opener", far),
    region,
  };
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

function ringTest(name: string, body: () => Promise<void>): void {
  nativeTest(name, () => withWatchdog(60_000, body));
}

ringTest("RingTransport ends when its memory is damaged, and the program goes on", async () => {
  const { one, other, region } = await pair();
  const [atOne, atOther] = [new FrameEnd(one).begin(), new FrameEnd(other).begin()];
  atOne.send(1, "before");
  await atOther.until(() => atOther.frames.length === 1);
  // The position up to which may be read, and it is far behind the end.
  Atomics.store(new Int32Array(region.bytes.buffer, 0, 1024), WORD.tail, 2 ** 30 + 4);
  await atOther.until(() => atOther.ended);
  await atOne.until(() => atOne.ended);
});

ringTest(
  "RingTransport: whatever byte of its memory is written to, calls settle and nothing is thrown",
  async () => {
    const [seed] = testSeeds(1);
    await withSeed(seed, async () => {
      const random = new SeededRandom(seed);
      const served = {
        echo: <T>(value: T): T => value,
        later: async (value: number) => await Promise.resolve(value),
      };
      for (let round = 0; round < 60; round++) {
        const { one, other, region } = await pair();
        const channel = new ProcessChannel(PEER, one, { tasks: served });
        const back = new ProcessChannel(PEER, other, { tasks: served });
        const { bytes } = region;
        const calls: Promise<unknown>[] = [];
        for (let step = 0; step < 20; step++) {
          const from = step % 2 === 0 ? channel : back;
          for (const value of ["text", 5, { a: [1, new Date(0)] }, new Uint8Array(100)]) {
            if (from.isClosed) break;
            calls.push(from.call<typeof served, "echo">("echo", [value]).catch(() => {}));
          }
          if (bytes.length === 0) break;
          // Headers are a small part of it: every other time one of them.
          const at = random.below(2) === 0 ? random.below(1024) : random.below(bytes.length);
          bytes[at] ^= 1 << random.below(8);
          if (step % 5 === 0) await pause(0);
        }
        await pause(1);
        await Promise.all([channel.close(), back.close()]);
        await Promise.all(calls);
      }
    });
  },
);
