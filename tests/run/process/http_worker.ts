/** A worker that serves HTTP on what it was started with; a request may take `?ms=`. */
import { HttpResponse, serve } from "../../../src/io/http/mod.ts";
import { workerMain } from "../../../src/run/process/mod.ts";
import { sleep } from "../../../src/base/timer/mod.ts";

await workerMain((worker) => {
  worker.drain(serve({ inherit: "http", port: 0, hostname: "127.0.0.1" }, async (request) => {
    const ms = Number(new URL(request.url).searchParams.get("ms") ?? 0);
    if (ms > 0) await sleep(ms);
    return new HttpResponse(`${Deno.pid} ${worker.instance}`);
  }));
});
