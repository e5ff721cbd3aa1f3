/// <reference lib="webworker" />
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";

/** What a test tells a worker: open the region, count itself in word 0, lock, and then close or go on with word 1, syncing in a directory. */
export interface RegionOrder {
  readonly name: string;
  readonly lock: number;
  readonly thenClose: boolean;
  readonly directory?: string;
}

self.onmessage = ({ data: { name, lock, thenClose, directory } }: MessageEvent<RegionOrder>) => {
  const region = SharedMemory.connect(name, { directory });
  const words = new Int32Array(region.bytes.buffer);
  Atomics.add(words, 0, 1);
  if (!region.tryLock(lock)) throw new Error(`lock ${lock} is not free`);
  if (thenClose) region.close();
  else {
    setInterval(() => {
      Atomics.add(words, 1, 1);
      region.sync();
    }, 1);
  }
  self.postMessage("done");
};
