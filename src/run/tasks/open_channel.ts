import { introduce } from "./handshake.ts";
import { CHANNEL_VARIABLE } from "./channel_hub.ts";
import { type ChannelOptions, ProcessChannel } from "./process_channel.ts";

/**
 * The channel to the process that has started this one with the variables of a `ChannelHub`, or by a `TaskPool`; `undefined` when none has.
 * Once: what this process starts has no part in it.
 *
 * ```ts ignore
 * import { openChannel } from "@millrace/millrace/tasks";
 *
 * const channel = await openChannel<{ done: string }, { level: number }>();
 * if (channel === undefined) throw new Error("to be started by another program");
 * for await (const { level } of channel) channel.post({ done: `level ${level}` });
 * ```
 *
 * @throws {Error} (as a rejection) when the other process cannot be reached
 */
export async function openChannel<Sent = unknown, Received = unknown>(options: ChannelOptions = {}): Promise<
  ProcessChannel<Sent, Received> | undefined
> {
  const target = Deno.env.get(CHANNEL_VARIABLE);
  if (target === undefined) return undefined;
  Deno.env.delete(CHANNEL_VARIABLE);
  const mark = target.lastIndexOf("#");
  const conn = await Deno.connect({ transport: "unix", path: target.slice(0, mark) });
  try {
    const self = {
      name: Deno.env.get("MILLRACE_NAME"),
      instance: Number(Deno.env.get("MILLRACE_INSTANCE") ?? 0),
      pid: Deno.pid,
    };
    const transport = await introduce(conn, target.slice(mark + 1), self);
    return new ProcessChannel<Sent, Received>(
      { name: undefined, instance: 0, pid: Deno.ppid },
      transport,
      options,
    );
  } catch (error) {
    conn.close();
    throw error;
  }
}
