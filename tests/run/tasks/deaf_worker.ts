/** A worker that closes its channel when it is told, and stays. */
import { workerMain } from "../../../src/run/process/mod.ts";
import { openChannel } from "../../../src/run/tasks/mod.ts";

await workerMain(async () => {
  const channel = await openChannel({
    tasks: {
      pid: () => Deno.pid,
      // Behind the answer.
      closeChannel: () => void setTimeout(() => channel?.close(), 1),
    },
  });
});
