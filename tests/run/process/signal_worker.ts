/** A worker that writes down what happens to it: LOG, and what it is to do. */
import { workerMain } from "../../../src/run/process/mod.ts";
import { sleep } from "../../../src/base/timer/mod.ts";

const [log, ...modes] = Deno.args;
const note = (text: string): void => Deno.writeTextFileSync(log, `${text}\n`, { append: true });
await workerMain(async (worker) => {
  note(`start ${worker.name} ${worker.instance} ${worker.instanceCount} ${Deno.pid}`);
  worker.signal.addEventListener("abort", () => note("abort"));
  worker.defer(() => note("first"));
  worker.defer(async () => {
    if (modes.includes("slow")) await sleep(600_000);
    if (modes.includes("unlimited")) await sleep(100);
    note("second");
  });
  if (modes.includes("fail")) throw new Error("no database here");
  if (modes.includes("starting")) {
    note("starting");
    await sleep(600_000);
  }
  if (modes.includes("busy")) {
    setTimeout(() => {
      for (;;);
    }, 500);
  }
  note("started");
}, { drainTimeoutMs: modes.includes("limit") ? 50 : modes.includes("unlimited") ? Infinity : undefined });
