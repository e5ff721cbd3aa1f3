/// <reference lib="webworker" />
import { type FuzzOrder, runSide } from "./fuzz_process.ts";

self.onmessage = async ({ data }: MessageEvent<FuzzOrder>) => {
  await runSide(data, (line) => self.postMessage(line));
};
