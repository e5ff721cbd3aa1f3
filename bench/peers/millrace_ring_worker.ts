/// <reference lib="webworker" />
/** The writing side of bench/peers/millrace_ring.ts. */
import { type RingProducer, SpscRing } from "../../src/ipc/ring/mod.ts";
import { echo, type RingJob } from "./millrace_ring.ts";

self.onmessage = async ({ data: job }: MessageEvent<RingJob>) => {
  if (job.kind === "echo") {
    await echo(SpscRing.attach(job.to).consumer(), SpscRing.attach(job.back).producer(), job.wait, job.count);
  } else {
    const producer = SpscRing.attach(job.memory).producer();
    if (job.inPlace) encodeAll(producer, job.bytes, job.batch, job.count);
    else writeAll(producer, job.bytes, job.batch, job.count);
  }
  self.postMessage("done");
};

function writeAll(producer: RingProducer, byteLength: number, batch: number, count: number): void {
  const message = new Uint8Array(byteLength).fill(1);
  for (let sent = 0; sent < count;) {
    for (let left = Math.min(batch, count - sent); left > 0;) {
      if (producer.tryWrite(message)) left--, sent++;
      else Atomics.pause();
    }
    producer.flush();
  }
}

/** Writes every word of each message where it goes. */
function encodeAll(producer: RingProducer, byteLength: number, batch: number, count: number): void {
  const { bytes } = producer;
  const words = new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 3);
  const value = 0x0101_0101_0101_0101n;
  const wordCount = byteLength >> 3;
  for (let sent = 0; sent < count;) {
    for (let left = Math.min(batch, count - sent); left > 0;) {
      const at = producer.tryClaim(byteLength);
      if (at < 0) {
        Atomics.pause();
        continue;
      }
      const first = at >> 3;
      for (let index = 0; index < wordCount; index++) words[first + index] = value;
      producer.commit();
      left--;
      sent++;
    }
    producer.flush();
  }
}
