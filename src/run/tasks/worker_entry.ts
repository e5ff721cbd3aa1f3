/** The program of the workers of a pool that was given a module: its first argument. */
import { workerMain } from "../process/mod.ts";
import { serveTasks } from "./serve_tasks.ts";

// How long it may finish its tasks, the pool's supervisor knows.
await workerMain(async (worker) => serveTasks(worker, await import(Deno.args[0])), {
  drainTimeoutMs: Infinity,
});
