/** A worker that closes its channel when it is told, and stays. */
import { workerMain } from "../../src/process/mod.ts";
import { openChannel } from "../../src/tasks/mod.ts";

await workerMain(async () => {
  const channel = await openChannel({
    tasks: {
      pid: () => Deno.pid,
      // Behind the answer.
      closeChannel: () => void setTimeout(() => channel?.close(), 1),
    },
  });
});
