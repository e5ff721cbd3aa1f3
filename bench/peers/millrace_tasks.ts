/** A task pool of Millrace's: `trip` or `rate OUTSTANDING WORKERS`. Prints one JSON object. */
import { TaskPool } from "../../src/run/tasks/mod.ts";
import { measureTasks } from "./task_calls.mjs";

const [what, outstanding, workers] = [Deno.args[0], Number(Deno.args[1] ?? 1), Number(Deno.args[2] ?? 1)];

await using pool = await TaskPool.start<typeof import("./adding.ts")>({
  module: import.meta.resolve("./adding.ts"),
  workers,
  concurrency: outstanding / workers,
});
const pids = [Deno.pid, ...pool.supervisor.status().map(({ pid }) => pid)];
const add = (left: number, right: number) => pool.run("add", [left, right]);
const figures = await measureTasks(add, pids, what, outstanding);
await pool.close();
Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(figures)}\n`));
Deno.exit(0);
