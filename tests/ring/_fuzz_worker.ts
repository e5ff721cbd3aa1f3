/// <reference lib="webworker" />
import { type RingMemory, SpscRing } from "../../src/ring/mod.ts";
import { type FuzzRun, produce } from "./_fuzz.ts";

self.onmessage = async ({ data }: MessageEvent<{ memory: RingMemory; run: FuzzRun }>) => {
  await produce(SpscRing.attach(data.memory).producer(), data.run);
  self.postMessage("done");
};
