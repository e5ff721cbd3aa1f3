/** Echoes what it is sent over its channel, until it is told to end. */
import { openChannel } from "../../../src/run/tasks/mod.ts";

const channel = await openChannel<unknown, unknown>({
  tasks: { pid: () => Deno.pid, again: async () => await openChannel() === undefined },
});
if (channel === undefined) throw new Error("no channel");
for await (const message of channel) {
  if (message === "end") break;
  channel.post(message);
}
await channel.close();
Deno.exit(0);
