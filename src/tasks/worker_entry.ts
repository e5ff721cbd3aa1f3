/** The program of the workers of a pool that was given a module: its first argument. */
import { workerMain } from "../process/mod.ts";
import { serveTasks } from "./serve_tasks.ts";

await workerMain(async (worker) => serveTasks(worker, await import(Deno.args[0])));
