/** A worker that works off a queue, three messages at a time, and writes down what it has done. */
import { workerMain } from "../../../src/run/process/mod.ts";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { sleep } from "../../../src/base/timer/mod.ts";

const [directory, log] = Deno.args;
await workerMain((worker) => {
  const queue = SharedQueue.connect("tasks", { directory });
  worker.consume(queue, async ({ message }) => {
    await sleep(5);
    await Deno.writeTextFile(log, `${message.text()}\n`, { append: true });
  }, { concurrency: 3 });
});
