import type { Worker } from "../process/mod.ts";
import { openChannel } from "./open_channel.ts";
import type { ProcessChannel } from "./process_channel.ts";

/**
 * Runs the functions of `tasks` for the `TaskPool` that has started this process, until the worker finishes: it takes none then that is not on its
 * way, finishes what it has, and ends. Each function has a {@linkcode TaskContext} as `this`.
 *
 * ```ts ignore
 * import { workerMain } from "@millrace/millrace/process";
 * import { serveTasks } from "@millrace/millrace/tasks";
 *
 * await workerMain((worker) => serveTasks(worker, { add: (a: number, b: number) => a + b }));
 * ```
 *
 * @throws {Error} (as a rejection) when no pool has started this process
 */
export async function serveTasks(worker: Worker, tasks: object): Promise<void> {
  const channel: ProcessChannel | undefined = await openChannel({ tasks });
  if (channel === undefined) throw new Error("serve tasks: no task pool has started this process");
  channel.closed.then(() => {
    // Nobody can give it tasks any more: another one is to take its place.
    if (!worker.signal.aborted) worker.fail(new Error("serve tasks: the channel to the pool has ended"));
  });
  worker.defer(async () => {
    channel.finishing();
    await channel.drained();
    await channel.close();
  });
}
