/** A worker of two threads, each of which serves HTTP on the socket that the process was started with. */
import { Sharded } from "../../../src/run/cores/mod.ts";
import { HttpResponse, serve } from "../../../src/io/http/mod.ts";
import { workerMain } from "../../../src/run/process/mod.ts";

/** One server a core. */
export const servers = new Sharded((core) => {
  const server = serve({ inherit: "http", port: 0 }, () => new HttpResponse(`${Deno.pid} ${core.index}`));
  return { stop: () => server.shutdown({ idleGraceMs: 1000 }) };
});

if (import.meta.main) {
  await workerMain(async (worker) => {
    await worker.startCores({ module: import.meta.url, count: 2 });
  });
}
